"""Studios: one whose drawing is instant and can be held up, and one of the released weights."""

import base64
import dataclasses
import io
import pathlib
import threading

import numpy as np
import pytest
from PIL import Image

from tfwarpgan.body.joints import scale
from tfwarpgan.data.joints.pose_gan import read_annotation_csv
from tfwarpgan.data.joints.stature import Stature
from tfwarpgan.data.layouts import people
from tfwarpgan.flagfiles import run_options
from tfwarpgan.inference.released import released_folder
from tfwarpgan.photo_studio.calls import Studio
from tfwarpgan.photo_studio.gallery import joints_of
from tfwarpgan.photo_studio.loading import open_studio
from tfwarpgan.photo_studio.server import StudioServer
from tfwarpgan.photographs.drawing import Drawn
from tfwarpgan.photographs.estimator import NoPerson
from tfwarpgan.photographs.options import DrawingOptions

NAME = "0327_c1s1_000507_01.jpg"
STATURE = Stature(0.25, 0.5, 0.24, 0.14, 0.87)


class Someone:
    """A bundled person: the picture's path, its pixels, and a photograph and joints as calls have them."""

    def __init__(self, folder):
        self.path = folder / "bounding_box_test" / NAME
        self.pixels = np.asarray(Image.open(self.path))
        self.pose = read_annotation_csv(str(folder / "market-annotation-test.csv"))[NAME]
        self.joints = joints_of(self.pose)
        self.image = base64.b64encode(self.path.read_bytes()).decode()


@pytest.fixture(scope="session")
def someone(tmp_path_factory):
    return Someone(pathlib.Path(people.unpack(str(tmp_path_factory.mktemp("people")))))


class Seeing:
    """In place of the estimator: sees the bundled person on every picture that is not of one color."""

    def __init__(self, pose):
        self.known, self.boxes = pose, []

    def pose(self, pixels, name, box=None):
        self.boxes.append(box)
        if np.ptp(pixels) < 30:
            raise NoPerson(f"{name}: no person was found on it, use --box", 2)
        joints, visible = self.known
        return scale(joints, visible, (128, 64), pixels.shape[:2]), visible


@pytest.fixture(scope="session")
def seeing(someone):
    return Seeing(someone.pose)


class Gate:
    """A drawer of gray pictures, which waits until it is open; knows how many draw at the same time."""

    def __init__(self):
        self.open = threading.Event()
        self.open.set()
        self.running = self.most = 0

    def __call__(self, person, poses):
        self.running += 1
        self.most = max(self.most, self.running)
        assert self.open.wait(30)
        self.running -= 1
        grays = (np.full_like(person.image, 5 * number) for number in range(len(poses)))
        return [Drawn(gray, None, person.labels) for gray in grays]


@pytest.fixture
def gate():
    return Gate()


@pytest.fixture
def studio(gate, seeing):
    return Studio((64, 32), STATURE, gate, seeing, about="Gray pictures.")


@pytest.fixture(scope="session")
def released():
    """The studio of the released weights, without an estimator."""
    return open_studio(run_options(released_folder("people")), DrawingOptions(weights="people"))


@pytest.fixture(scope="session")
def released_address(released, seeing):
    """Where that studio is served, with an estimator."""
    server = StudioServer(dataclasses.replace(released, estimator=seeing))
    yield server.start(0)
    server.stop()


def decoded(address):
    """The pixels of a picture as calls give it."""
    kind, _, text = address.partition(";base64,")
    assert kind in ("data:image/png", "data:image/webp", "data:image/gif")
    return Image.open(io.BytesIO(base64.b64decode(text)))


@pytest.fixture(scope="session")
def opened():
    return decoded
