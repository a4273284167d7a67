"""The annotate command, from a run's folder to label maps."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tfwarpgan.compat import variables_of
from tfwarpgan.data.pictures.label_maps import read_label_map
from tfwarpgan.flagfiles import to_flagfile
from tfwarpgan.options import RUN_FLAGFILE, DataOptions, NetworkOptions, Options, TrainOptions


def command(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "tfwarpgan.annotate", *arguments], capture_output=True, text=True, timeout=300
    )


@pytest.fixture
def run(tmp_path):
    """A run whose human parser says upper-clothes (5) everywhere."""
    import tensorflow as tf

    from tfwarpgan.inference.checkpoints import stage_folder
    from tfwarpgan.models import build

    folder = tmp_path / "run"
    folder.mkdir()
    options = Options(
        data=DataOptions(height=32, width=32, batch_size=2),
        networks=NetworkOptions(human_parser_width=8, human_parser_weights="none"),
        train=TrainOptions(run_dir=str(folder), stage="human_parser"),
    )
    (folder / RUN_FLAGFILE).write_text(to_flagfile(options))
    parser = build.human_parser(options)
    parser.classify.set_weights([np.zeros([1, 1, 4, 20]), np.eye(20)[5]])
    tf.train.CheckpointManager(
        tf.train.Checkpoint(human_parser=variables_of(parser)), stage_folder(str(folder), "human_parser"), max_to_keep=1
    ).save()
    return folder


def test_a_run_labels_a_folder(run, tmp_path):
    (tmp_path / "in/sub").mkdir(parents=True)
    for name, size in (("a.jpg", (20, 30)), ("sub/b.png", (64, 40)), ("c.png", (32, 32))):
        Image.new("RGB", size[::-1]).save(tmp_path / "in" / name)
    done = command(f"--run_dir={run}", f"--image_dir={tmp_path / 'in'}", f"--parsing_dir={tmp_path / 'out'}")
    assert done.returncode == 0, done.stderr
    assert "3 label maps written, 0 were there" in done.stdout
    for name, size in (("a", (20, 30)), ("sub/b", (64, 40)), ("c", (32, 32))):
        assert np.all(read_label_map(str(tmp_path / f"out/{name}.png"), size) == 5)


def test_wrong_flags_are_one_sentence_before_tensorflow(tmp_path):
    for arguments, sentence in (
        ([], "--run_dir is missing"),
        ([f"--run_dir={tmp_path}"], "holds no run"),
        (["--no_such_flag=1"], "no_such_flag"),
    ):
        done = command(*arguments)
        assert done.returncode == 2
        assert done.stderr.startswith("error: ")
        assert sentence in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_a_run_without_a_parser_is_one_sentence(run, tmp_path):
    for path in (run / "human_parser").iterdir():
        path.unlink()
    Image.new("RGB", (32, 32)).save(tmp_path / "a.png")
    done = command(f"--run_dir={run}", f"--image_dir={tmp_path}", f"--parsing_dir={tmp_path / 'out'}")
    assert done.returncode == 2
    assert "holds no checkpoint of the stage human_parser" in done.stderr.strip().splitlines()[-1]
