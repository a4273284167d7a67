"""Released weights: written in half precision, read without pickle, refused where they do not fit."""

import dataclasses
import functools
import os

import numpy as np
import pytest

from tfwarpgan.errors import InputError
from tfwarpgan.flagfiles import to_flagfile
from tfwarpgan.inference import released
from tfwarpgan.inference.loading import load_labeler
from tfwarpgan.inference.released import released_folder
from tfwarpgan.models import build
from tfwarpgan.models.human_parser import label_probabilities
from tfwarpgan.options import RUN_FLAGFILE, DataOptions, NetworkOptions, Options
from tfwarpgan.photographs import labels
from tfwarpgan.photographs.clothes import Clothes

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


@pytest.fixture
def with_parser(tmp_path, monkeypatch):
    """A release "small" with a human parser, which alone is written; gives the network."""
    networks = NetworkOptions(human_parser_backbone="small", human_parser_weights="none", human_parser_width=8)
    options = Options(DataOptions(height=64, width=32), networks)
    parser = build.human_parser(options)
    for weight in parser.weights:
        weight.assign(released.half(np.asarray(weight)).astype(np.float32))
    folder = tmp_path / "small" / released.PARSER_FOLDER
    folder.mkdir(parents=True)
    for parent in (folder, folder.parent):
        (parent / RUN_FLAGFILE).write_text(to_flagfile(options))
    released.save_weights(folder / released.WEIGHTS_FILE, {"human_parser": parser})
    monkeypatch.setattr(released, "ROOT", str(tmp_path))
    return parser


def test_a_release_labels_images_by_the_human_parser_that_it_has(with_parser):
    assert released.released_names() == ["small"] and released.released_parser("small") == "small/human_parser"
    assert released.released_parser("other") == released.released_parser("") == ""
    images = np.random.default_rng(0).uniform(-1, 1, (2, 64, 32, 3)).astype(np.float32)
    parse = load_labeler(Options(DataOptions(height=64, width=32)), weights="small")
    np.testing.assert_allclose(parse(images), label_probabilities(with_parser, images), atol=1e-4)
    unseeing = Options(networks=NetworkOptions(model="pix2pix"))
    assert load_labeler(unseeing, weights="small") is None and load_labeler(Options(), weights="other") is None


@pytest.mark.parametrize("clothes, released_labels", [(Clothes(), True), (Clothes(sleeves="long"), False)])
def test_a_photograph_is_labeled_by_it_unless_more_is_known(with_parser, clothes, released_labels):
    data = DataOptions(height=64, width=32)
    source = labels.source("", "", clothes, data, (64, 32), (64, 32), "small")
    assert isinstance(source, labels.Checked) == released_labels and released_labels or source == clothes
    assert labels.source("", "", clothes, data, (64, 32), (64, 32)) == clothes
    if released_labels:
        assert source.parse(np.zeros((64, 32, 3), np.uint8)).shape == (64, 32)
        with pytest.raises(InputError, match="nowhere"):  # a run comes before
            labels.source("", "nowhere", clothes, data, (64, 32), (64, 32), "small")


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
