"""What all tests share: two logical CPUs for MirroredStrategy, a small drawn data set, the folder of broken files."""

import itertools
import os
import pathlib

import numpy as np
import pytest
from PIL import Image

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

HEIGHT, WIDTH = 64, 32
TRAIN = {"0001": 4, "0002": 3, "0003": 2, "0007": 3, "0010": 2}
TEST = {"0004": 3, "0005": 2}
SHARED = pathlib.Path(__file__).resolve().parents[1] / "../shared/data"


@pytest.fixture
def bad_inputs():
    """Folder of broken and tricky files, which lies beside the repository."""
    folder = SHARED / "bad_inputs"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    return folder


@pytest.fixture
def market(tmp_path):
    """Folder of a drawn data set: 5 + 2 persons, 64 x 32 pixels."""
    from tfwarpgan.data import keypoints

    folder = tmp_path / "market"
    (folder / "parsing").mkdir(parents=True)
    random = np.random.default_rng(3)
    for split, persons in (("train", TRAIN), ("test", TEST)):
        (folder / f"bounding_box_{split}").mkdir()
        annotations, pairs = ["name:keypoints_y:keypoints_x"], ["from,to"]
        for person, count in persons.items():
            names = [f"{person}_c1s1_{frame:06d}_01.jpg" for frame in range(count)]
            for name in names:
                draw(folder, split, name, random)
                points = random.integers(0, [HEIGHT, WIDTH], (18, 2))
                annotations.append(keypoints.annotation_row(name, points, random.random(18) < 0.8))
            pairs += [",".join(pair) for pair in itertools.permutations(names, 2)]
        (folder / f"market-annotation-{split}.csv").write_text("\n".join(annotations) + "\n")
        (folder / f"market-pairs-{split}.csv").write_text("\n".join(pairs) + "\n")
    return folder


def draw(folder, split, name, random):
    """A picture of smooth colours, which JPEG keeps, and a label map of blocks."""
    image = Image.fromarray(random.integers(0, 256, (4, 2, 3), np.uint8)).resize((WIDTH, HEIGHT))
    image.save(folder / f"bounding_box_{split}" / name, quality=95)
    labels = np.kron(random.integers(0, 20, (8, 4), np.uint8), np.ones((8, 8), np.uint8))
    Image.fromarray(labels).save(folder / "parsing" / name.replace(".jpg", ".png"))


def pytest_configure(config):
    """Splits the processor into two devices, before TensorFlow starts."""
    del config
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
