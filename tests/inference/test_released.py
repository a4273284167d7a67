"""Released weights: written in half precision, read without pickle, refused where they do not fit."""

import dataclasses
import functools
import os

import numpy as np
import pytest

from tfwarpgan.errors import InputError
from tfwarpgan.inference import released
from tfwarpgan.inference.released import released_folder
from tfwarpgan.models import build
from tfwarpgan.options import NetworkOptions, Options

SMALL = NetworkOptions(parser_width=4, parser_blocks=1, matcher_width=4, matcher_scale=8)


@pytest.fixture
def networks():
    options = dataclasses.replace(Options(), networks=SMALL)
    return {
        "pose_guided_parser": build.pose_guided_parser(options),
        "geometric_matcher": build.geometric_matcher(options),
    }


def test_weights_come_back_in_half_precision(networks, tmp_path):
    path = tmp_path / "weights.npz"
    released.save_weights(path, networks)
    before = {name: network.get_weights() for name, network in networks.items()}
    for network in networks.values():
        network.set_weights([np.zeros_like(weight) for weight in network.get_weights()])
    released.load_weights(path, networks)
    for name, network in networks.items():
        for old, new in zip(before[name], network.get_weights(), strict=True):
            np.testing.assert_array_equal(new, released.half(old).astype(np.float32))


def test_half_rounds_to_seven_significant_bits():
    values = np.float32([0.0, 1.0, -1.0, 1 + 1 / 64, 1 + 1 / 200, -(1 + 1 / 100), 0.1, -3.3])
    rounded = released.half(values)
    assert rounded.dtype == np.float16
    np.testing.assert_array_equal(rounded[:6], [0, 1, -1, 1 + 1 / 64, 1, -(1 + 1 / 64)])
    np.testing.assert_allclose(rounded, values, rtol=1 / 128)


def test_weights_of_another_size_are_refused(networks, tmp_path):
    path = tmp_path / "weights.npz"
    released.save_weights(path, networks)
    options = dataclasses.replace(Options(), networks=dataclasses.replace(SMALL, parser_width=8))
    with pytest.raises(InputError, match="pose_guided_parser"):
        released.load_weights(path, {"pose_guided_parser": build.pose_guided_parser(options)})


def test_an_unknown_release_is_named_with_those_that_exist():
    with pytest.raises(InputError, match="--weights=nobody.*people"):
        released_folder("nobody")


def test_released_people_fit_their_own_options(tmp_path):
    """The release is small, holds no pickle, and its options rebuild its networks."""
    from absl import flags

    from tfwarpgan.flags import define_flags, from_flags
    from tfwarpgan.options import RUN_FLAGFILE

    folder = released_folder("people")
    values = flags.FlagValues()
    flags.DEFINE_string("flagfile", "", "Flags.", flag_values=values)
    define_flags(Options, flag_values=values)
    values(["test", f"--flagfile={os.path.join(folder, RUN_FLAGFILE)}"])
    options = from_flags(Options, values)
    path = os.path.join(folder, released.WEIGHTS_FILE)
    assert os.path.getsize(path) <= 12e6
    names = ("pose_guided_parser", "geometric_matcher", "warping_generator")
    built = released.load_released("people", {name: functools.partial(getattr(build, name), options) for name in names})
    with np.load(path, allow_pickle=False) as archive:
        assert {archive[key].dtype for key in archive.files} == {np.dtype(np.float16)}
        assert len(archive.files) == sum(len(network.get_weights()) for network in built.values())
