"""Inputs of a loaded model: one or a batch, arrays or paths, and a sentence for each that does not fit."""

import re

import numpy as np
import pytest
from PIL import Image

from tfwarpgan.errors import InputError
from tfwarpgan.inference.synthesizer import Synthesizer

HEIGHT, WIDTH = 32, 16
RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (3, HEIGHT, WIDTH, 3), np.uint8)
PARSINGS = RANDOM.integers(0, 20, (3, HEIGHT, WIDTH), np.uint8)
JOINTS = RANDOM.integers(0, [HEIGHT, WIDTH], (3, 18, 2)).astype(np.float32)


class Pipeline:
    """Gives the condition image, red that of the nose's y and blue that of the first label; remembers its batches."""

    height, width, labels, batch_size, inputs = HEIGHT, WIDTH, False, 2, ("condition_parsing",)

    def __init__(self):
        self.batches = []

    def draw(self, batch):
        self.batches.append(batch)
        drawn = batch["condition_image"].copy()
        drawn[..., 0] = batch["target_keypoints"][:, 0, 0, None, None] / 127.5 - 1
        if "condition_parsing" in batch:
            drawn[..., 2] = batch["condition_parsing"][:, :1, :1] / 127.5 - 1
        return drawn


@pytest.fixture
def model():
    return Synthesizer(Pipeline())


def expected(image, joints, parsing):
    drawn = image.copy()
    drawn[..., 0], drawn[..., 2] = round(float(joints[0, 0])), parsing[0, 0]
    return drawn


EXPECTED = np.stack([expected(*row) for row in zip(IMAGES, JOINTS, PARSINGS)])


@pytest.fixture
def paths(tmp_path):
    """(images, label maps) of `IMAGES` and `PARSINGS`, as paths."""
    for number, (image, parsing) in enumerate(zip(IMAGES, PARSINGS)):
        Image.fromarray(image).save(tmp_path / f"{number}.png")
        Image.fromarray(parsing).save(tmp_path / f"{number}_labels.png")
    return [tmp_path / f"{number}.png" for number in range(3)], [
        tmp_path / f"{number}_labels.png" for number in range(3)
    ]


def test_what_it_takes_and_gives(model):
    assert model.size == (HEIGHT, WIDTH) and model.signature == ("image", "joints", "parsing")
    labels = Pipeline()
    labels.labels = True
    model = Synthesizer(labels)
    assert model.signature == ("image", "joints")
    drawn = model.synthesize(IMAGES[0], JOINTS[0])
    np.testing.assert_array_equal(drawn[..., 1:], IMAGES[0, ..., 1:])
    assert "condition_parsing" not in labels.batches[0]


def test_one_of_arrays_and_of_paths(model, paths):
    images, parsings = paths
    for image, parsing in ((IMAGES[0], PARSINGS[0]), (images[0], parsings[0]), (str(images[0]), PARSINGS[0])):
        drawn = model.synthesize(image, JOINTS[0], parsing)
        assert drawn.dtype == np.uint8
        np.testing.assert_array_equal(drawn, EXPECTED[0])


def test_a_batch_of_arrays_and_of_paths(model, paths):
    images, parsings = paths
    for batch in ((IMAGES, PARSINGS), (list(IMAGES), list(PARSINGS)), paths, ([images[0], *IMAGES[1:]], parsings)):
        np.testing.assert_array_equal(model.synthesize(batch[0], JOINTS, batch[1]), EXPECTED)
    sizes = [len(batch["condition_image"]) for batch in model.pipeline.batches]
    assert sizes == [2, 1] * 4  # as many rows as the networks take
    assert model.synthesize(IMAGES[:1], JOINTS[:1], PARSINGS[:1]).shape == (1, HEIGHT, WIDTH, 3)


def test_a_single_person_in_many_poses_and_many_in_one(model):
    drawn = model.synthesize(IMAGES[0], JOINTS, PARSINGS[0])
    np.testing.assert_array_equal(drawn, [expected(IMAGES[0], joints, PARSINGS[0]) for joints in JOINTS])
    drawn = model.synthesize(IMAGES, JOINTS[1].tolist(), PARSINGS)
    np.testing.assert_array_equal(
        drawn, [expected(*row, PARSINGS[k]) for k, row in enumerate(zip(IMAGES, [JOINTS[1]] * 3))]
    )


def test_joints_are_visible_unless_negative_or_told(model):
    joints = JOINTS[0].copy()
    joints[3], joints[4], joints[5] = (-1, -1), (5, -0.2), (np.nan, np.nan)
    model.synthesize(IMAGES[0], joints, PARSINGS[0])
    seen = np.ones(18, bool)
    seen[3:6] = False
    np.testing.assert_array_equal(model.pipeline.batches[0]["target_visible"], [seen])
    np.testing.assert_array_equal(model.pipeline.batches[0]["target_keypoints"][0, 3:6], np.full((3, 2), -1))
    seen[4], seen[0] = True, False
    model.synthesize(IMAGES[0], joints, PARSINGS[0], seen)
    np.testing.assert_array_equal(model.pipeline.batches[1]["target_visible"], [seen])
    np.testing.assert_allclose(model.pipeline.batches[1]["target_keypoints"][0, 4], [5, -0.2], atol=1e-6)


def test_sizes_other_than_the_models_are_resized(model):
    large, labels = IMAGES[0].repeat(2, 0).repeat(2, 1), PARSINGS[0].repeat(2, 0).repeat(2, 1)
    for joints, pose_size in ((2 * JOINTS[0] + 0.5, None), (JOINTS[0], (HEIGHT, WIDTH))):
        drawn = model.synthesize(large, joints, labels, pose_size=pose_size)
        assert drawn.shape == (HEIGHT, WIDTH, 3)
        np.testing.assert_allclose(model.pipeline.batches[-1]["target_keypoints"], JOINTS[:1], atol=1e-5)
        np.testing.assert_array_equal(model.pipeline.batches[-1]["condition_parsing"], PARSINGS[:1])


GOOD = {"image": IMAGES[0], "joints": JOINTS[0], "parsing": PARSINGS[0]}


@pytest.mark.parametrize(
    "changes, told",
    [
        ({"parsing": None}, r"parsing is missing, .* human_parser_run_dir"),
        ({"image": IMAGES[0] / 255.0}, r"image must be uint8 \[H, W, 3\] or a path, got float64 \[32, 16, 3\]"),
        ({"image": IMAGES[0, ..., 0]}, r"image must have 3 dimensions, or 4 as a batch, got \[32, 16\]"),
        ({"image": IMAGES[0, ..., :2]}, r"image must be uint8 \[H, W, 3\] or a path, got uint8 \[32, 16, 2\]"),
        ({"image": "missing.png"}, r"missing\.png is missing"),
        ({"parsing": [IMAGES[0]]}, r"parsing must be uint8 \[H, W\] or a path, got uint8 \[32, 16, 3\]"),
        ({"parsing": PARSINGS[0].astype(int)}, r"parsing must be uint8 \[H, W\] or a path, got int64"),
        ({"parsing": PARSINGS[0, 1:]}, "parsing is 16 x 31 pixels, but its image is 16 x 32"),
        ({"parsing": PARSINGS[0] + 1}, "parsing holds label 20"),
        ({"joints": JOINTS[0, :17]}, r"joints must be of shape \[18, 2\] or \[N, 18, 2\], got \[17, 2\]"),
        ({"joints": "pose.json"}, "joints must be an array of numbers, got str"),
        ({"joints": np.full((18, 2), -1)}, "joints: no joint is visible"),
        ({"joints": JOINTS[0] + 100}, r"joints: 18 of 18 joints lie outside .*pose_size"),
        ({"joints": JOINTS[0] * np.nan, "visible": np.ones(18)}, "joints must be finite"),
        ({"visible": np.ones(17)}, r"visible must be of shape \[18\] or \[N, 18\], got \[17\]"),
        ({"image": IMAGES, "joints": JOINTS[:2]}, "equally long .*, got the lengths image 3, parsing 1, joints 2"),
        ({"image": IMAGES[:0]}, "not empty, got the lengths image 0"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_in_one_sentence(model, changes, told):
    with pytest.raises(InputError, match=told) as error:
        model.synthesize(**{**GOOD, **changes})
    assert "\n" not in str(error.value) and re.search(r"[.)]$", str(error.value)) and not model.pipeline.batches
