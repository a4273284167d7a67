"""Rendered people, and the pose estimator that lies beside the repository."""

import collections
import os
import pathlib

import pytest

from tfwarpgan.data.joints.pose_gan import read_annotation_csv
from tfwarpgan.data.layouts import people as bundled
from tfwarpgan.data.pictures.images import read_rgb
from tfwarpgan.data.pictures.label_maps import read_label_map

MOVENET = pathlib.Path(__file__).resolve().parents[2] / "../shared/data/weights/movenet_thunder"
Someone = collections.namedtuple("Someone", "path pixels labels joints visible")


@pytest.fixture(scope="session")
def people_folder(tmp_path_factory):
    """Folder of the bundled people."""
    return bundled.unpack(str(tmp_path_factory.mktemp("people")))


@pytest.fixture(scope="session")
def people(people_folder):
    """40 of the bundled people's test pictures: path, pixels, label map, joints, visible."""
    poses = read_annotation_csv(os.path.join(people_folder, "market-annotation-test.csv"))
    found = []
    for name in sorted(poses)[::8]:
        path = os.path.join(people_folder, "bounding_box_test", name)
        labels = read_label_map(os.path.join(people_folder, "parsing", name.replace(".jpg", ".png")))
        found.append(Someone(path, read_rgb(path), labels, *poses[name]))
    return found


@pytest.fixture(scope="session")
def movenet():
    """Folder of MoveNet's SavedModel."""
    if not MOVENET.is_dir():
        pytest.skip(f"{MOVENET} is not there")
    return str(MOVENET)
