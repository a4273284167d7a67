"""Rows from files, by hand, and the writing of pictures in batches."""

import os

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfwarpgan.data.pictures.framing import Framing
from tfwarpgan.errors import InputError
from tfwarpgan.inference import synthesis
from tfwarpgan.inference.pipeline import LocalPipeline


def save(path, array):
    Image.fromarray(np.asarray(array, np.uint8)).save(path)
    return str(path)


def test_condition_of_the_models_size_is_kept_exactly(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (32, 16, 3))
    labels = np.random.default_rng(1).integers(0, 20, (32, 16))
    row = synthesis.condition_row(save(tmp_path / "a.png", image), Framing(32, 16), save(tmp_path / "l.png", labels))
    np.testing.assert_allclose(row["condition_image"], image / 127.5 - 1, atol=1e-6)
    assert row["condition_image"].dtype == np.float32 and row["condition_parsing"].dtype == np.uint8
    np.testing.assert_array_equal(row["condition_parsing"], labels)


def test_condition_of_another_size_is_resized(tmp_path):
    image, labels = np.zeros((64, 64, 3)), np.zeros((64, 64))
    image[32:], labels[32:] = 255, 9
    row = synthesis.condition_row(save(tmp_path / "a.png", image), Framing(32, 16), save(tmp_path / "l.png", labels))
    assert row["condition_image"].shape == (32, 16, 3)
    np.testing.assert_allclose(row["condition_image"][[2, 29], 8], [[-1] * 3, [1] * 3])
    np.testing.assert_array_equal(row["condition_parsing"], np.repeat([0, 9], 16)[:, None] * np.ones((1, 16), int))


def test_a_gray_picture_without_a_label_map(tmp_path):
    row = synthesis.condition_row(save(tmp_path / "a.png", np.full((20, 30), 51)), Framing(32, 16))
    np.testing.assert_allclose(row["condition_image"], np.full((32, 16, 3), -0.6), atol=1e-6)
    assert list(row) == ["condition_image"]


def test_a_label_map_of_another_size_than_its_picture_is_refused(tmp_path):
    image, labels = save(tmp_path / "a.png", np.zeros((32, 16, 3))), save(tmp_path / "l.png", np.zeros((16, 16)))
    with pytest.raises(InputError, match=r"l\.png is 16 x 16 pixels, but its image is 16 x 32"):
        synthesis.condition_row(image, Framing(32, 16), labels)


def test_joints_are_scaled_with_their_frame():
    joints, visible = np.full((18, 2), -1, np.float32), np.zeros(18, bool)
    joints[0], joints[1], visible[:2] = (10, 20), (0, 0), True
    row = synthesis.pose_row(joints, visible, (64, 64), Framing(128, 32, fit="stretch"), "pose.json")
    # Pixel centers: (10 + .5) * 2 - .5 = 20.5 and (20 + .5) / 2 - .5 = 9.75.
    np.testing.assert_allclose(row["target_keypoints"][:3], [[20.5, 9.75], [0.5, -0.25], [-1, -1]])
    np.testing.assert_array_equal(row["target_visible"], visible)


def test_a_pose_of_a_larger_picture_is_refused():
    joints, visible = np.full((18, 2), 100, np.float32), np.ones(18, bool)
    with pytest.raises(
        InputError, match=r"pose\.json: 18 of 18 joints lie outside of an image of 32 x 64 pixels; .*--pose_size"
    ):
        synthesis.pose_row(joints, visible, (64, 32), Framing(64, 32), "pose.json")
    joints[:3], joints[3:] = (60, 40), (45, 20)  # some may lie beyond the edge
    assert synthesis.pose_row(joints, visible, (64, 32), Framing(64, 32), "pose.json")["target_visible"].all()


def test_nobody_is_no_pose():
    with pytest.raises(InputError, match="a.csv, b.jpg: no joint is visible"):
        synthesis.pose_row(np.zeros((18, 2)), np.zeros(18, bool), (64, 32), Framing(64, 32), "a.csv, b.jpg")


class Recorder:
    """A pipeline that gives the condition image; remembers the sizes of its batches and how often it was traced."""

    height, width, inputs = 4, 6, ("condition_image", "condition_parsing")

    def __init__(self):
        self.sizes, self.traces = tf.Variable([0] * 9, dtype=tf.int32), 0

    def __call__(self, batch):
        self.traces += 1
        image = batch["condition_image"]
        self.sizes.scatter_nd_add([[tf.shape(image)[0]]], [1])
        return {"image": image}


def requests(folder, values, broken=()):
    def make_row(value):
        if value in broken:
            raise InputError(f"{value} is broken.")
        return {"condition_image": np.full((4, 6, 3), value / 127.5 - 1, np.float32)}

    return [(os.path.join(folder, f"{value}.png"), lambda value=value: make_row(value)) for value in values]


def test_every_picture_is_written_in_its_place(tmp_path):
    written = synthesis.synthesize(
        LocalPipeline(Recorder()), requests(tmp_path / "out", [10, 20, 30, 40, 50]), 2, progress=False
    )
    assert written == 5
    assert sorted(os.listdir(tmp_path / "out")) == ["10.png", "20.png", "30.png", "40.png", "50.png"]
    for value in (10, 50):
        picture = np.asarray(Image.open(tmp_path / "out" / f"{value}.png"))
        np.testing.assert_array_equal(picture, np.full((4, 6, 3), value))


def test_full_batches_then_the_rest_in_one_graph(tmp_path):
    pipeline = Recorder()
    synthesis.synthesize(LocalPipeline(pipeline), requests(tmp_path, [1, 2, 3, 4, 5]), 2, progress=False)
    assert pipeline.sizes.numpy().tolist() == [0, 1, 2, 0, 0, 0, 0, 0, 0] and pipeline.traces == 1


def test_a_broken_row_is_named_after_all_others_are_written(tmp_path):
    with pytest.raises(InputError, match=r"^20 is broken\. \(failed: 2, written: 3\)$"):
        synthesis.synthesize(
            LocalPipeline(Recorder()), requests(tmp_path, [10, 20, 30, 40, 50], broken=(20, 40)), 2, progress=False
        )
    assert sorted(os.listdir(tmp_path)) == ["10.png", "30.png", "50.png"]


def test_output_names():
    assert synthesis.output_name("0001_c1.jpg", "0001_c2.png") == "0001_c1_2_0001_c2.png"
    assert synthesis.output_name("a/b.c.jpg", "a/d.jpg") == "a_b.c_2_a_d.png"


@pytest.mark.parametrize("joints, words", [
    (np.random.default_rng(0).uniform(0, 1, (18, 2)),
     "p.json: all joints lie between 0 and 1: the coordinates seem to be normalized.*--keypoint_scale=3"),
    (np.full((18, 2), 9), "p.json: all joints lie within one pixel"),
    (np.concatenate([np.full((4, 2), -300), np.random.default_rng(0).uniform(5, 30, (14, 2))]), "a limb of 4.. pixels"),
])  # fmt: skip
def test_joints_that_cannot_be_a_persons_are_refused(joints, words):
    with pytest.raises(InputError, match=f"{words}.*--pose_size"):
        synthesis.pose_row(joints, np.ones(18, bool), (64, 32), Framing(64, 32), "p.json")


def test_a_pose_in_what_is_cut_off_is_refused():
    joints = np.random.default_rng(0).uniform((5, 2), (60, 20), (18, 2))
    with pytest.raises(InputError, match=r"p\.json: the part of the image that the model shows has no joint"):
        synthesis.pose_row(joints, np.ones(18, bool), (64, 256), Framing(64, 32), "p.json")
