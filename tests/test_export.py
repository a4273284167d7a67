"""The export of the real networks, and of a run by its command."""

import dataclasses
import pathlib
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from tfwarpgan import export
from tfwarpgan.compat import variables_of
from tfwarpgan.errors import InputError
from tfwarpgan.flagfiles import run_options, to_flagfile
from tfwarpgan.inference.loading import load_human_parser
from tfwarpgan.layers.pixels import from_pixels
from tfwarpgan.models import build
from tfwarpgan.options import RUN_FLAGFILE, DataOptions
from tfwarpgan.serving.exporting.check import SavedModelSession, forbidden_ops, sample_inputs
from tfwarpgan.serving.wire.warmup import read_records
from tfwarpgan.training.checkpoints import write_checkpoint

ROOT = pathlib.Path(__file__).resolve().parents[1]


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "tfwarpgan.export", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=300
    )


def test_a_run_is_published_and_served_as_it_is(run_dir, tmp_path, capsys, small_options):
    model = str(tmp_path / "people")
    export.main(small_options(run_dir=str(run_dir)), export.ExportOptions(export_dir=model, version=5))
    printed = capsys.readouterr().out
    assert f"SavedModel: {model}/5\n" in printed and "serving_default: mean 0.0" in printed
    assert forbidden_ops(f"{model}/5") == []
    with SavedModelSession(f"{model}/5") as served:
        assert set(served.signatures) == {"serving_default", "encoded"}
        image = served("serving_default", sample_inputs(64, 32))["image"]
    assert image.shape == (3, 64, 32, 3) and image.std() > 3


def test_colors_are_transferred_in_the_export_too(run_dir, tmp_path, capsys, small_options):
    images = []
    for asked in (False, True):
        options = small_options(run_dir=str(run_dir))
        networks = dataclasses.replace(options.networks, generator_average_flip=True, generator_color_transfer=asked)
        options = dataclasses.replace(options, networks=networks)
        export.main(options, export.ExportOptions(export_dir=f"{tmp_path}/{asked}", batch_sizes="1"))
        assert "serving_default: mean 0.0" in capsys.readouterr().out  # against the local pipeline
        assert forbidden_ops(f"{tmp_path}/{asked}/1") == []
        with SavedModelSession(f"{tmp_path}/{asked}/1") as served:
            images.append(served("serving_default", sample_inputs(64, 32))["image"].astype(float))
    assert np.abs(images[1] - images[0]).max() > 1


def convolution_types(path):
    """The types that the convolutions of a SavedModel compute in."""
    saved_model = saved_model_pb2.SavedModel.FromString(pathlib.Path(path, "saved_model.pb").read_bytes())
    functions = saved_model.meta_graphs[0].graph_def.library.function
    return {node.attr["T"].type for each in functions for node in each.node_def if node.op == "Conv2D"}


@pytest.fixture
def fresh_run(run_dir, tmp_path, small_options):
    """A copy of the run whose generator is as it was built: the noise on that one's weights makes roundings grow."""
    folder = shutil.copytree(run_dir, tmp_path / "fresh")
    tf.keras.utils.set_random_seed(0)
    generator = build.warping_generator(small_options())
    write_checkpoint(str(folder / "warping_generator/ckpt-1"), {"warping_generator": variables_of(generator)})
    return folder


def test_an_export_computes_in_bfloat16_if_asked_and_is_checked_against_float32(
    fresh_run, tmp_path, capsys, small_options
):
    policy = tf.keras.mixed_precision.global_policy()
    images = {}
    for precision in ("float32", "bfloat16"):
        asked = export.ExportOptions(export_dir=str(tmp_path / precision), export_precision=precision, batch_sizes="1")
        export.main(small_options(run_dir=str(fresh_run), precision="mixed_bfloat16"), asked)
        with SavedModelSession(f"{tmp_path}/{precision}/1") as served:
            images[precision] = served("serving_default", sample_inputs(64, 32))["image"].astype(float)
    printed = capsys.readouterr().out
    difference = np.abs(images["bfloat16"] - images["float32"]).mean()
    told = re.search(r"against the model in float32 .*\n  encoded: mean ([\d.]+)", printed)
    assert float(told[1]) == pytest.approx(difference, abs=0.01)
    assert 0 < difference < 0.5
    assert convolution_types(tmp_path / "float32" / "1") == {tf.float32.as_datatype_enum}  # whatever the run was
    assert tf.bfloat16.as_datatype_enum in convolution_types(tmp_path / "bfloat16" / "1")
    assert tf.keras.mixed_precision.global_policy().name == policy.name


def test_an_export_for_processors_gives_the_same_pictures(fresh_run, tmp_path, monkeypatch, small_options):
    monkeypatch.setattr("tfwarpgan.layers.convolution.WINOGRAD_CHANNELS", 8)
    images, saved = {}, {}
    for name in ("plain", "processors"):
        folder = f"{tmp_path}/{name}"
        asked = export.ExportOptions(export_dir=folder, for_processors=name == "processors", batch_sizes="")
        export.main(small_options(run_dir=str(fresh_run)), asked)
        shapes = [shape for _, shape in tf.train.list_variables(f"{folder}/1/variables/variables")]
        saved[name] = [(shape[:2], int(np.prod(shape))) for shape in shapes]
        with SavedModelSession(f"{folder}/1") as served:
            images[name] = served("serving_default", sample_inputs(64, 32))["image"].astype(int)
    assert np.abs(images["processors"] - images["plain"]).max() <= 1
    transformed = sum(size for sides, size in saved["processors"] if sides == [1, 1])
    assert transformed > 0 and not any(sides == [1, 1] for sides, _ in saved["plain"])
    kernels = sum(size for sides, size in saved["plain"] if sides == [3, 3])
    assert kernels - sum(size for sides, size in saved["processors"] if sides == [3, 3]) == transformed * 9 / 16


@pytest.mark.parametrize(
    "arguments, named",
    [
        (["--run_dir={run}"], "--export_dir"),
        (["--export_dir={out}"], "--run_dir"),
        (["--export_dir={out}", "--run_dir={out}"], "contains no run"),
        (["--export_dir={out}", "--weights=nobody"], "nobody"),
        (["--export_dir={out}", "--run_dir={run}", "--version=-1"], "version"),
        (["--export_dir={out}", "--run_dir={run}", "--batch_sizes=1,many"], "--batch_sizes"),
        (["--check={out}"], "saved_model.pb is missing"),
        (["--check={out}", "--export_dir={out}"], "either --check or --export_dir"),
        (["--check={out}", "--run_dir={run}"], "either --check or --run_dir"),
    ],
)
def test_what_is_missing_or_wrong_is_one_sentence(run_dir, tmp_path, arguments, named):
    result = run(*(argument.format(run=run_dir, out=tmp_path) for argument in arguments))
    assert result.returncode == 2
    assert len(result.stderr.strip().splitlines()) == 1 and named in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_check_ends_with_0_or_1(run_dir, tmp_path, capsys, small_options):
    export.main(
        small_options(run_dir=str(run_dir)),
        export.ExportOptions(export_dir=str(tmp_path / "people"), batch_sizes="1,3"),
    )
    sound = run(f"--check={tmp_path / 'people' / '1'}", "--batch_sizes=2")
    assert sound.returncode == 0, sound.stderr
    for told in ("Identity of the weights: ", "Warm-up requests: 4", "messages of batch 2", "unnamed dimensions: none"):
        assert told in sound.stdout
    module = tf.Module()
    spec = tf.TensorSpec([None], tf.float32, "x")
    module.function = tf.function(lambda x: {"y": tf.numpy_function(np.sin, [x], tf.float32)}, input_signature=[spec])
    tf.saved_model.save(module, str(tmp_path / "python"), signatures=module.function)
    broken = run(f"--check={tmp_path / 'python'}")
    assert broken.returncode == 1 and "PROBLEM: PyFunc is an operation that a server lacks." in broken.stdout


@pytest.mark.parametrize("text, sizes", [("1,2,4,8", [1, 2, 4, 8]), (" 8,1,8", [1, 8]), ("", [])])
def test_batch_sizes_are_sorted_numbers(text, sizes):
    assert export.ExportOptions(batch_sizes=text).sizes == sizes


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "a", ",".join(map(str, range(1, 300)))])
def test_other_batch_sizes_are_refused(text):
    with pytest.raises(InputError, match="--batch_sizes"):
        export.ExportOptions(batch_sizes=text)


def test_an_unfinished_run_is_refused(tmp_path, small_options):
    options = small_options(run_dir=str(tmp_path))
    (tmp_path / RUN_FLAGFILE).write_text(to_flagfile(options))
    with pytest.raises(InputError, match="geometric_matcher|pose_guided_parser"):
        export.main(options, export.ExportOptions(export_dir=str(tmp_path / "people")))
    assert [path.name for path in tmp_path.iterdir()] == [RUN_FLAGFILE]


@pytest.fixture(scope="module")
def parser_run_dir(tmp_path_factory, small_options):
    """A run of a human parser alone, trained at another size, with weights large enough to show."""
    folder = tmp_path_factory.mktemp("parser_run")
    small = small_options(run_dir=str(folder))
    options = dataclasses.replace(small, data=DataOptions(height=96, width=48))
    (folder / RUN_FLAGFILE).write_text(to_flagfile(options))
    parser = build.human_parser(options, first_weights=False)
    generator = np.random.default_rng(1)
    parser.set_weights([value + generator.normal(0, 0.05, value.shape) for value in parser.get_weights()])
    checkpoint = tf.train.Checkpoint(human_parser=variables_of(parser))
    tf.train.CheckpointManager(checkpoint, str(folder / "human_parser"), max_to_keep=1).save()
    return folder


def test_a_human_parser_gives_signatures_of_a_photograph_alone(
    run_dir, parser_run_dir, tmp_path, capsys, small_options
):
    model = str(tmp_path / "people")
    export.main(
        small_options(run_dir=str(run_dir)),
        export.ExportOptions(export_dir=model, human_parser_run_dir=str(parser_run_dir), batch_sizes="1"),
    )
    assert "photograph_encoded: mean 0.0" in capsys.readouterr().out  # what the check found
    assert forbidden_ops(f"{model}/1") == [] and len(read_records(f"{model}/1")) == 4
    inputs = sample_inputs(64, 32)
    parse = load_human_parser(run_options(str(parser_run_dir)), (64, 32))
    labels = tf.argmax(parse(from_pixels(inputs["image"])), axis=-1).numpy()
    assert len(np.unique(labels)) > 1
    with SavedModelSession(f"{model}/1") as served:
        assert set(served.signatures) == {"serving_default", "encoded", "photograph", "photograph_encoded"}
        for name in ("photograph", "photograph_encoded"):
            assert not {"condition_parsing", "parsing_bytes"} & set(served.signatures[name].inputs)
        picture = served("photograph", inputs)["image"].astype(int)
        encoded = [tf.io.decode_png(each).numpy() for each in served("photograph_encoded", inputs)["image_bytes"]]
        parsed = served("serving_default", {**inputs, "condition_parsing": labels})["image"]
        other = served("serving_default", inputs)["image"]
    assert picture.shape == (3, 64, 32, 3) and picture.std() > 3
    assert np.abs(picture - np.stack(encoded)).mean() < 0.01
    assert np.abs(picture - parsed).mean() < 0.1 < np.abs(picture - other).mean()
