"""`tfwarpgan.load`: four places, one kind of object, one picture; and README's example of it."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from PIL import Image

import tfwarpgan
from tfwarpgan import InputError

ROOT = pathlib.Path(__file__).resolve().parents[1]
SIZE = HEIGHT, WIDTH = 64, 32
RANDOM = np.random.default_rng(1)
IMAGES = RANDOM.integers(0, 256, (3, HEIGHT, WIDTH, 3), np.uint8)
PARSINGS = RANDOM.integers(0, 20, (3, HEIGHT // 8, WIDTH // 8), np.uint8).repeat(8, axis=1).repeat(8, axis=2)
JOINTS = RANDOM.uniform(0, SIZE, (3, 18, 2))
JOINTS[:, ::5] = -1


def parse(images):
    """Labels by brightness; no level lies on the edge between two."""
    import tensorflow as tf

    return tf.one_hot(tf.cast((tf.reduce_mean(images, -1) + 1.001) * 9, tf.int32), 20)


@pytest.fixture(scope="module")
def exported(tmp_path_factory, run_dir):
    """Folder of the run's export, with a human parser."""
    from tfwarpgan.flagfiles import run_options
    from tfwarpgan.inference.loading import load_pipeline
    from tfwarpgan.serving.exporting.publish import publish

    folder = tmp_path_factory.mktemp("exported") / "small"
    publish(load_pipeline(run_options(str(run_dir))), str(folder), 7, parse, batch_sizes=())
    return folder


@pytest.fixture(scope="module")
def address(exported, command):
    """Address (gRPC) of a server of the export, in a process of its own."""
    with command(exported) as (_, address):
        yield address


@pytest.fixture(scope="module")
def releases(tmp_path_factory, run_dir):
    """Folder of released weights: those of the run, as "small"."""
    from tfwarpgan.flagfiles import run_options
    from tfwarpgan.inference.loading import load_pipeline
    from tfwarpgan.inference.released import WEIGHTS_FILE, save_weights

    folder = tmp_path_factory.mktemp("weights")
    (folder / "small").mkdir()
    shutil.copy(run_dir / "options.flags", folder / "small")
    save_weights(folder / "small" / WEIGHTS_FILE, load_pipeline(run_options(str(run_dir))).networks)
    return folder


@pytest.fixture(scope="module")
def run(run_dir):
    return tfwarpgan.load(run_dir)


@pytest.fixture(params=["released", "version", "newest version", "server"])
def other(request, run_dir, exported, releases, monkeypatch):
    """The run's networks, loaded from another place."""
    if request.param == "released":
        monkeypatch.setattr("tfwarpgan.inference.released.ROOT", str(releases))
        return tfwarpgan.load("small")
    if request.param == "server":
        return tfwarpgan.load("grpc://" + request.getfixturevalue("address"), model="small")
    return tfwarpgan.load(exported / "7" if request.param == "version" else str(exported))


def test_all_draw_the_same(run, other, tmp_path):
    assert run.size == other.size == SIZE and type(run) is type(other)
    single = other.synthesize(IMAGES[0], JOINTS[0], PARSINGS[0])
    assert single.shape == (*SIZE, 3) and single.dtype == np.uint8 and single.std() > 3
    batch = other.synthesize(IMAGES, JOINTS, PARSINGS)
    assert batch.shape == (3, *SIZE, 3) and not np.array_equal(batch[0], batch[1])
    for mine, theirs in ((run.synthesize(IMAGES[0], JOINTS[0], PARSINGS[0]), single), (batch[0], single)):
        assert np.abs(mine.astype(int) - theirs).max() <= 1
    assert np.abs(run.synthesize(IMAGES, JOINTS, PARSINGS).astype(int) - batch).max() <= 1
    for name, array in (("image.png", IMAGES[0]), ("labels.png", PARSINGS[0])):
        Image.fromarray(array).save(tmp_path / name)
    of_files = other.synthesize(str(tmp_path / "image.png"), JOINTS[0], tmp_path / "labels.png")
    np.testing.assert_array_equal(of_files, single)


def test_images_are_labeled_where_there_is_a_human_parser(run, run_dir, exported, address, monkeypatch):
    seen = []
    monkeypatch.setattr("tfwarpgan.inference.loading.load_human_parser", lambda *given: seen.append(given) or parse)
    labels = (RANDOM.uniform(0, 255, (3, *SIZE, 1)) * np.ones(3)).astype(np.uint8)  # of all labels
    models = [tfwarpgan.load(str(run_dir), human_parser_run_dir=str(run_dir)), tfwarpgan.load(exported)]
    models.append(tfwarpgan.load(f"grpc://{address}", "small"))
    assert seen[0][1] == SIZE and "parsing" in run.signature
    assert {model.signature for model in models} == {("image", "joints")}
    parsing = np.argmax(parse(labels.astype(np.float32) / 127.5 - 1), axis=-1).astype(np.uint8)
    expected = run.synthesize(labels, JOINTS, parsing).astype(int)
    assert np.abs(expected - run.synthesize(labels, JOINTS, np.zeros_like(parsing))).max() > 5
    for model in models:
        assert np.abs(model.synthesize(labels, JOINTS) - expected).max() <= 1
    with pytest.raises(InputError, match="parsing is missing"):
        run.synthesize(labels, JOINTS)


def test_a_server_is_called_without_tensorflow(run, address, tmp_path):
    inputs, drawn = str(tmp_path / "inputs.npz"), str(tmp_path / "drawn.npy")
    np.savez(inputs, image=IMAGES[0], joints=JOINTS[0], parsing=PARSINGS[0])
    code = (
        "import sys; sys.modules['tensorflow'] = None\n"
        "import numpy, tfwarpgan\n"
        f"people = tfwarpgan.load('grpc://{address}', model='small')\n"
        f"numpy.save({drawn!r}, people.synthesize(**numpy.load({inputs!r})))"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=120)
    expected = run.synthesize(IMAGES[0], JOINTS[0], PARSINGS[0]).astype(int)
    assert np.abs(np.load(drawn) - expected).max() <= 1


def test_without_tensorflow_it_says_what_to_install():
    code = (
        "import sys; sys.modules['tensorflow'] = None\n"
        "import tfwarpgan\n"
        "try: tfwarpgan.load('people')\n"
        "except tfwarpgan.InputError as error: print(error)"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert "people needs: pip install 'tfwarpgan[tensorflow]'" in result.stdout, result.stderr


def test_importing_the_package_is_free():
    code = (
        "import sys, time; start = time.perf_counter(); import tfwarpgan; print(time.perf_counter() - start)\n"
        "sys.exit(any(name in sys.modules for name in ('tensorflow', 'keras', 'numpy', 'PIL', 'absl', 'grpc')))"
    )
    runs = [subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True) for _ in range(3)]
    assert all(result.returncode == 0 for result in runs)
    assert min(float(result.stdout) for result in runs) < 0.1  # seconds
    assert set(tfwarpgan.__all__) == {"InputError", "__version__", "load"}
    assert all(hasattr(tfwarpgan, name) for name in tfwarpgan.__all__)


def test_a_folder_comes_before_a_name_and_the_highest_version_before_others(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for number in ("9", "10"):
        (tmp_path / "people" / number).mkdir(parents=True)
        (tmp_path / "people" / number / "saved_model.pb").write_bytes(b"broken")
    (tmp_path / "people" / "11").mkdir()  # not written yet
    with pytest.raises(InputError, match=r"^people/10 cannot be loaded \(.*export the model again\.$"):
        tfwarpgan.load("people")
    (tmp_path / "people" / "options.flags").write_text("--height=none\n")
    with pytest.raises(InputError, match=r"^people/options\.flags: .*height"):
        tfwarpgan.load("people")


@pytest.mark.parametrize(
    "source, arguments, told",
    [
        ("nobody", {}, r"nobody cannot be loaded: .*options\.flags.*saved_model\.pb.*\(people\).*grpc://host:port"),
        (".", {}, r"^\. cannot be loaded"),
        ("people", {"model": "people"}, "model=people has no effect on people"),
        ("grpc://localhost:1", {"human_parser_run_dir": "runs/lip"}, "human_parser_run_dir=runs/lip has no effect"),
        ("grpc://localhost:1", {}, "localhost:1 does not answer for people: .*UNAVAILABLE"),
    ],
)
def test_what_cannot_be_loaded_is_told_in_one_sentence(tmp_path, monkeypatch, source, arguments, told):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=told) as error:
        tfwarpgan.load(source, **arguments)
    assert "\n" not in str(error.value)


def test_a_saved_model_of_another_program_is_refused(tmp_path):
    import tensorflow as tf

    module = tf.Module()
    module.double = tf.function(lambda image: {"y": 2 * image}, [tf.TensorSpec(None, tf.float32)])
    tf.saved_model.save(module, str(tmp_path / "1"), signatures=module.double)
    with pytest.raises(InputError, match="1 was not exported by tfwarpgan.export"):
        tfwarpgan.load(tmp_path)


def test_the_example_of_readme(tmp_path, monkeypatch):
    from tfwarpgan.data.layouts import people

    blocks = re.findall(r"(?:^ {4}.*\n|^\n)+", (ROOT / "README.md").read_text(), re.MULTILINE)
    (example,) = (textwrap.dedent(block) for block in blocks if "tfwarpgan.load(" in block)
    monkeypatch.chdir(people.unpack(str(tmp_path)))
    exec(compile(example, "README.md", "exec"), {})
    assert Image.open("result.png").size == (64, 128) and os.path.getsize("result.png") > 5000
