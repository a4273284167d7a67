"""The export of the real networks, and of a run by its command."""

import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan import export
from tfwarpgan.models import networks
from tfwarpgan.models.pipeline import WarpingGAN
from tfwarpgan.options import RUN_FLAGFILE, DataOptions, NetworkOptions, Options, TrainOptions, to_flagfile
from tfwarpgan.serving.check import SavedModelSession, forbidden_ops, sample_inputs
from tfwarpgan.serving.publish import publish

ROOT = pathlib.Path(__file__).resolve().parents[1]
STAGES = ("pose_guided_parser", "geometric_matcher", "warping_generator")


def small_options(**train):
    return Options(
        data=DataOptions(height=64, width=32),
        networks=NetworkOptions(
            human_parser_weights="none", human_parser_width=8, parser_width=4, parser_blocks=1, matcher_width=4,
            matcher_scale=8, generator_width=4, generator_blocks=1, fusion_width=32, discriminator_width=4,
        ),
        train=TrainOptions(**train),
    )  # fmt: skip


@pytest.fixture(scope="module")
def trained():
    """Networks with weights large enough that every part of them shows in the picture."""
    options, built = small_options(), {}
    generator = np.random.default_rng(0)
    for name in STAGES:
        built[name] = getattr(networks, name)(options)
        weights = built[name].get_weights()
        built[name].set_weights([value + generator.normal(0, 0.02, value.shape) for value in weights])
    return built


@pytest.fixture(scope="module")
def run_dir(trained, tmp_path_factory):
    """A run that holds the networks as the training leaves them."""
    folder = tmp_path_factory.mktemp("run")
    (folder / RUN_FLAGFILE).write_text(to_flagfile(small_options(run_dir=str(folder))))
    for name, network in trained.items():
        checkpoint = tf.train.Checkpoint(**{name: network})
        tf.train.CheckpointManager(checkpoint, str(folder / name), max_to_keep=1).save()
    return folder


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "tfwarpgan.export", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=300
    )


def test_the_real_networks_are_served_as_they_are(trained, tmp_path):
    pipeline = WarpingGAN(trained, small_options().data)
    path, report = publish(pipeline, str(tmp_path / "people"))
    assert forbidden_ops(path) == []
    assert set(report) == {"serving_default", "encoded"}
    assert all(found["mean"] < 0.02 and found["rows"] < 0.02 for found in report.values())
    with SavedModelSession(path) as served:
        image = served("serving_default", sample_inputs(64, 32))["image"]
    assert image.shape == (3, 64, 32, 3) and image.std() > 3


def test_the_command_publishes_a_run(run_dir, tmp_path):
    result = run(f"--run_dir={run_dir}", f"--export_dir={tmp_path / 'people'}", "--version=5")
    assert result.returncode == 0, result.stderr
    assert f"SavedModel: {tmp_path / 'people' / '5'}" in result.stdout and "serving_default: mean" in result.stdout
    assert (tmp_path / "people" / "5" / "saved_model.pb").exists()


@pytest.mark.parametrize(
    "arguments, named",
    [
        (["--run_dir={run}"], "--export_dir"),
        (["--export_dir={out}"], "--run_dir"),
        (["--export_dir={out}", "--run_dir={out}"], "holds no run"),
        (["--export_dir={out}", "--weights=nobody"], "nobody"),
        (["--export_dir={out}", "--run_dir={run}", "--version=-1"], "version"),
    ],
)
def test_what_is_missing_or_wrong_is_one_sentence(run_dir, tmp_path, arguments, named):
    result = run(*(argument.format(run=run_dir, out=tmp_path) for argument in arguments))
    assert result.returncode == 2
    assert len(result.stderr.strip().splitlines()) == 1 and named in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_unfinished_run_is_refused(tmp_path):
    (tmp_path / RUN_FLAGFILE).write_text(to_flagfile(small_options(run_dir=str(tmp_path))))
    result = run(f"--run_dir={tmp_path}", f"--export_dir={tmp_path / 'people'}")
    assert result.returncode == 2 and "Traceback" not in result.stderr
    assert not (tmp_path / "people").exists()


def test_a_human_parser_of_another_size_is_brought_to_this_one(monkeypatch):
    seen = []

    def parse(images):
        seen.append(images.shape)
        return tf.ones([*images.shape[:3], 20])

    monkeypatch.setattr("tfwarpgan.annotate.load_parse", lambda options: parse)
    monkeypatch.setattr("tfwarpgan.synthesize.run_options", lambda run_dir: small_options())
    scores = export.load_parse("some/run", (32, 16))(tf.zeros([2, 32, 16, 3]))
    assert seen == [(2, 64, 32, 3)] and scores.shape == (2, 32, 16, 20)
    assert export.load_parse("some/run", (64, 32)) is parse
    assert export.load_parse("", (64, 32)) is None
