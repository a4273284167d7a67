"""The annotate command, from a run's folder to label maps."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tfwarpgan import annotate
from tfwarpgan.annotate import AnnotateOptions
from tfwarpgan.compat import variables_of
from tfwarpgan.data.joints.pose_gan import read_annotation_csv
from tfwarpgan.data.pictures.label_maps import read_label_map
from tfwarpgan.errors import InputError
from tfwarpgan.flagfiles import to_flagfile
from tfwarpgan.options import RUN_FLAGFILE, DataOptions, NetworkOptions, Options, TrainOptions
from tfwarpgan.photographs import estimator


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
    assert "3 label maps written, 0 already existed" in done.stdout
    for name, size in (("a", (20, 30)), ("sub/b", (64, 40)), ("c", (32, 32))):
        assert np.all(read_label_map(str(tmp_path / f"out/{name}.png"), size) == 5)


def test_wrong_flags_are_one_sentence_before_tensorflow(tmp_path):
    for arguments, sentence in (
        ([], "--run_dir is missing"),
        ([f"--run_dir={tmp_path}"], "contains no run"),
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
    assert "contains no checkpoint of the stage human_parser" in done.stderr.strip().splitlines()[-1]


def test_joints_of_a_folder(tmp_path, monkeypatch):
    class Looking:
        """In place of the network: a person as high as the picture, on dark ones nobody."""

        def pose(self, pixels, name):
            if pixels.max() < 10:
                raise estimator.NoPerson(name)
            joints = np.linspace(0, 1, 36).reshape(18, 2) * (np.array(pixels.shape[:2]) - 1)
            return joints.astype(np.float32), np.arange(18) != 3

    (tmp_path / "in" / "sub").mkdir(parents=True)
    Image.new("RGB", (20, 40), (99,) * 3).save(tmp_path / "in" / "sub" / "a.png")
    Image.new("RGB", (4000, 4000), (99,) * 3).save(tmp_path / "in" / "large.jpg")  # is read at half its size
    Image.new("RGB", (20, 40)).save(tmp_path / "in" / "wall.png")
    monkeypatch.setattr(estimator, "load_estimator", lambda folder, min_score: Looking())
    job = AnnotateOptions(joints=True, image_dir=str(tmp_path / "in"), annotation=str(tmp_path / "joints.csv"))
    annotate.main(Options(), job)
    poses = read_annotation_csv(str(tmp_path / "joints.csv"))
    assert sorted(poses) == ["large.jpg", "sub/a.png", "wall.png"] and not poses["wall.png"][1].any()
    joints, visible = poses["sub/a.png"]
    assert visible.tolist() == [joint != 3 for joint in range(18)]
    np.testing.assert_allclose(joints[17], (38, 19), atol=1)
    np.testing.assert_allclose(poses["large.jpg"][0][17], np.array((34, 35)) / 35 * 3999, atol=2)


@pytest.mark.parametrize("flags, told", [
    ({"annotation": "a.csv"}, "need --joints"),
    ({"joints": True, "image_dir": "x"}, "--annotation is missing"),
    ({"joints": True, "image_dir": "nowhere", "annotation": "a.csv"}, "--image_dir=nowhere is not a folder"),
])  # fmt: skip
def test_wrong_flags_of_joints(flags, told):
    with pytest.raises(InputError, match=told):
        annotate.main(Options(), AnnotateOptions(**flags))
