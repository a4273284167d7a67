"""What tests of the study share: tiny pictures of three methods, and a study of them."""

import numpy as np
import pytest
from PIL import Image

from tfwarpgan.human_study.making import MakeOptions, make

NAMES = [f"{person:04d}" for person in range(20)]


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """Folder of the folders `ours`, `other`, `third`, `real`, `condition`: pictures of 16 x 8."""
    folder, random = tmp_path_factory.mktemp("folders"), np.random.default_rng(0)
    for method in ("ours", "other", "third", "real", "condition"):
        (folder / method).mkdir()
        for name in NAMES:
            picture = Image.fromarray(random.integers(0, 256, (16, 8, 3), np.uint8))
            picture.save(folder / method / f"{name}.png", pnginfo=None)
    return folder


@pytest.fixture
def settings(folders):
    """Function of changes -> `MakeOptions` of a small study of two methods."""

    def settings(**changes):
        values = {
            "a": f"{folders}/ours", "b": f"{folders}/other", "real": f"{folders}/real", "pairs": 8, "raters": 4,
            "practice": 2, "contact": "study@example.org",
        }  # fmt: skip
        return MakeOptions(**(values | changes))

    return settings


@pytest.fixture
def made(settings, tmp_path):
    """Function of changes -> (study, its folder)."""

    def made(**changes):
        folder = tmp_path / "study"
        return make(settings(**changes), str(folder), "1.0"), folder

    return made
