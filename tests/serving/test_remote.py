"""`synthesize --server` draws what the served networks draw, in a process that cannot import TensorFlow."""

import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfwarpgan import synthesize
from tfwarpgan.data.joints.pose_gan import read_annotation_csv
from tfwarpgan.data.joints.stature import Stature, write_stature
from tfwarpgan.errors import InputError
from tfwarpgan.layers.pixels import from_pixels
from tfwarpgan.options import RUN_FLAGFILE, DataOptions, Options
from tfwarpgan.serving.client import AsyncClient, Client
from tfwarpgan.serving.exporting.check import SavedModelSession, sample_inputs
from tfwarpgan.serving.exporting.publish import publish
from tfwarpgan.serving.exporting.signatures import INPUTS
from tfwarpgan.serving.remote import ServerOptions

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEIGHT, WIDTH = 64, 32
WITHOUT_TENSORFLOW = (
    "import sys; sys.modules['tensorflow'] = None\n"
    "import tfwarpgan.synthesize; sys.argv[0] = 'tfwarpgan.synthesize'; tfwarpgan.synthesize.cli()"
)


class Mirror(tf.Module):
    """The picture upside down where the nose is high, with the parsing's labels as brightness."""

    height, width, inputs = HEIGHT, WIDTH, INPUTS

    def __call__(self, batch):
        turned = tf.reverse(batch["condition_image"], [1])
        high = batch["target_keypoints"][:, 0, 0] < HEIGHT / 2
        picture = tf.where(high[:, None, None, None], turned, batch["condition_image"])
        return {"image": picture * 0.5 + tf.cast(batch["condition_parsing"], tf.float32)[..., None] / 40.0}


def parse(images):
    """Labels by brightness."""
    return tf.one_hot(tf.cast((tf.reduce_mean(images, -1) + 1) * 9, tf.int32), 20)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    model = tmp_path_factory.mktemp("models") / "mirror"
    publish(Mirror(), str(model), parse=parse)
    return model


@pytest.fixture(scope="module")
def target(exported):
    """Address of a server of the model, in a process of its own."""
    command = [sys.executable, "-m", "tfwarpgan.serve", "--port=0", "--model_name=mirror"]
    server = subprocess.Popen([*command, f"--model_base_path={exported}"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        for line in server.stdout:
            if line.startswith("gRPC at "):
                yield line.removeprefix("gRPC at ").strip()
                break
        else:
            raise RuntimeError("The server has not started.")
    finally:
        server.terminate()
        server.wait(30)
        server.stdout.close()


@pytest.fixture
def inputs():
    return sample_inputs(HEIGHT, WIDTH)


@pytest.mark.parametrize("name", ["serving_default", "encoded", "photograph", "photograph_encoded"])
def test_the_client_gets_what_a_session_gives(exported, target, inputs, name):
    with SavedModelSession(str(exported / "1")) as served, Client(target, "mirror") as client:
        expected = served(name, inputs)
        sent = {key: inputs[key] for key in served.signatures[name].inputs}
        client.wait_until_ready()
        answer = client.predict(sent, name)
        assert client.status() == {1: "AVAILABLE"}
    ((key, values),) = expected.items()
    assert list(answer) == [key] and answer[key].dtype == values.dtype and np.array_equal(answer[key], values)


def test_many_calls_of_asyncio_do_not_mix(target, inputs):
    import asyncio

    async def calls():
        async with AsyncClient(target, "mirror") as client:
            rows = [{key: inputs[key][[row % 3]] for key in ("image", *POSE)} for row in range(24)]
            return await asyncio.gather(*(client.predict(row, "photograph") for row in rows))

    answers = [answer["image"] for answer in asyncio.run(calls())]
    assert all(np.array_equal(answer, answers[number % 3]) for number, answer in enumerate(answers))
    assert not np.array_equal(answers[0], answers[1])


POSE = ("target_keypoints", "target_visible")


@pytest.fixture
def files(tmp_path):
    """Folder of a picture, its label map and a pose, of twice the model's size."""
    random = np.random.default_rng(4)
    Image.fromarray(random.integers(0, 256, [2 * HEIGHT, 2 * WIDTH, 3], np.uint8)).save(tmp_path / "a.png")
    Image.fromarray(random.integers(0, 20, [2 * HEIGHT, 2 * WIDTH], np.uint8)).save(tmp_path / "labels.png")
    joints = f"{[2 * k for k in range(18)]}: {[k for k in range(18)]}"
    (tmp_path / "poses.csv").write_text(f"name:keypoints_y:keypoints_x\na.png: {joints}\n")
    return tmp_path


def command(files, *arguments):
    flags = [f"--image={files}/a.png", f"--annotation={files}/poses.csv", "--pose_name=a.png"]
    flags += [f"--parsing={files}/labels.png", f"--output={files}/out.png", *arguments]
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_TENSORFLOW, *flags], cwd=ROOT, capture_output=True, text=True, timeout=120
    )


def test_a_picture_without_tensorflow(files, target):
    result = command(files, f"--server={target}", "--server_model=mirror")
    assert result.returncode == 0, result.stderr
    written = np.asarray(Image.open(files / "out.png")).astype(int)

    picture = Image.open(files / "a.png").resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
    labels = Image.open(files / "labels.png").resize((WIDTH, HEIGHT), Image.Resampling.NEAREST)
    expected = from_pixels(np.asarray(picture))[::-1] * 0.5 + np.asarray(labels)[..., None] / 40.0
    assert np.abs(written - np.clip((expected + 1) * 127.5, 0, 255)).max() <= 1


def test_many_pairs_go_in_batches_that_the_server_takes(files, target):
    (files / "pairs.csv").write_text("from,to\n" + "a.png,a.png\n" * 5)
    (files / "labels").mkdir()
    (files / "labels.png").rename(files / "labels" / "a.png")
    options = Options(data=DataOptions(parsing_dir=str(files / "labels")))
    job = synthesize.SynthesizeOptions(
        pairs=str(files / "pairs.csv"), image_dir=str(files), annotation=str(files / "poses.csv"),
        output_dir=str(files / "out"),
    )  # fmt: skip
    synthesize.main(options, job, ServerOptions(server=target, server_model="mirror", server_batch_size=2))
    assert [path.name for path in (files / "out").iterdir()] == ["a_2_a.png"]


def test_pictures_that_the_server_labels(exported, target, inputs):
    remote = ServerOptions(server=target, server_model="mirror").connect()
    assert (remote.height, remote.width, remote.labels) == (HEIGHT, WIDTH, True)
    batch = {"condition_image": from_pixels(inputs["image"]).numpy(), **{key: inputs[key] for key in POSE}}
    with SavedModelSession(str(exported / "1")) as served:
        expected = served("photograph", inputs)["image"]
    assert np.array_equal(np.rint((remote.draw(batch) + 1) * 127.5), expected)


def test_a_photograph_without_tensorflow(files, target):
    """The weights beside --server say how the person is cropped; the server draws."""
    (files / "run").mkdir()
    (files / "run" / RUN_FLAGFILE).write_text(f"--height={HEIGHT}\n--width={WIDTH}\n")
    write_stature(str(files / "run"), Stature(0.25, 0.5, 0.24, 0.14, 0.87))
    joints = read_annotation_csv(str(files / "poses.csv"))["a.png"][0]
    numbers = [float(value) for y, x in joints for value in (x, y, 1)]
    (files / "pose.json").write_text(json.dumps({"people": [{"pose_keypoints_2d": numbers}]}))
    flags = [f"--run_dir={files}/run", f"--image={files}/a.png", f"--joints={files}/poses.csv"]
    flags += [f"--pose_json={files}/pose.json", f"--output={files}/out.png", f"--server={target}"]
    script = WITHOUT_TENSORFLOW.replace("synthesize", "photo")
    result = subprocess.run(
        [sys.executable, "-c", script, *flags, "--server_model=mirror"], cwd=ROOT, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    assert Image.open(files / "out.png").size == (WIDTH, HEIGHT)


@pytest.mark.parametrize(
    "flags, told",
    [
        (["--server=127.0.0.1:1"], "UNAVAILABLE"),
        (["--server={target}", "--server_model=nobody"], "NOT_FOUND"),
        (
            ["--server={target}", "--server_model=mirror", "--server_label=canary"],
            "Unrecognized servable version",
        ),
        (["--server={target}", "--server_ca=missing.pem"], "missing.pem"),
        (["--server={target}", "--server_name=people"], "--server_ca"),
        (["--server_label=canary"], "--server_label needs --server"),
    ],
)
def test_what_is_wrong_is_one_sentence(files, target, flags, told):
    result = command(files, *(flag.format(target=target) for flag in flags))
    assert result.returncode == 2 and told in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not (files / "out.png").exists()


def test_a_client_that_is_not_installed_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "tfwarpgan.serving.client", None)
    with pytest.raises(InputError, match=r"pip install 'tfwarpgan\[client\]'"):
        ServerOptions(server="localhost:1").connect()
