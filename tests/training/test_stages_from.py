"""Finished stages of other runs: copied whole, told, or refused in one sentence."""

import dataclasses
import os
import shutil

import numpy as np
import pytest

from tfwarpgan.errors import InputError
from tfwarpgan.flagfiles import to_flagfile
from tfwarpgan.inference.checkpoints import latest_checkpoint, load_network
from tfwarpgan.models import build
from tfwarpgan.options import NetworkOptions, Options, stages_of
from tfwarpgan.training import shared_stages
from tfwarpgan.training.shared_stages import stage_flags, stage_hash
from tfwarpgan.training.stages_from import take_stages

STAGES = ("pose_guided_parser", "geometric_matcher")


@pytest.fixture
def here(small_options, run_dir, tmp_path):
    """Function of changes of flags -> options of a run that takes stages from `run_dir`, whose stages did one step."""

    def make(networks=None, **train):
        steps = {"parser_steps": 1, "matcher_steps": 1, "matcher_pretraining_steps": 0}
        given = {"run_dir": str(tmp_path / "new"), "stages_from": str(run_dir), **steps, **train}
        options = small_options(**given)
        return dataclasses.replace(options, networks=dataclasses.replace(options.networks, **(networks or {})))

    return make


@pytest.fixture
def other_run(run_dir, tmp_path, small_options):
    """A copy of a run, with a smaller stage I by its flags and no matcher."""
    folder = tmp_path / "other"
    shutil.copytree(run_dir, folder)
    shutil.rmtree(folder / "geometric_matcher")
    options = small_options()
    networks = dataclasses.replace(options.networks, parser_width=8)
    (folder / "options.flags").write_text(to_flagfile(dataclasses.replace(options, networks=networks)))
    return folder


def test_finished_stages_are_copied_and_belong_to_the_run(here, run_dir, capsys):
    options = here()
    assert take_stages(options) == STAGES
    assert f"geometric_matcher: taken from {run_dir}." in capsys.readouterr().out
    for stage in STAGES:
        paths = [latest_checkpoint(folder, stage) for folder in (str(run_dir), options.train.run_dir)]
        networks = [load_network(getattr(build, stage)(options), path, stage) for path in paths]
        for first, second in zip(*(network.get_weights() for network in networks), strict=True):
            np.testing.assert_array_equal(first, second)
    assert not os.path.exists(os.path.join(options.train.run_dir, "warping_generator"))
    gone = dataclasses.replace(options, train=dataclasses.replace(options.train, stages_from="nowhere"))
    assert take_stages(gone) == STAGES  # they are there already


def test_a_stage_that_differs_is_trained_and_told(here, capsys):
    assert take_stages(here({"warp_parts": 6})) == ("pose_guided_parser",)
    err = capsys.readouterr().err
    assert "geometric_matcher is trained here" in err and "trained with --warp_parts=1" in err


def test_the_same_command_goes_on_where_one_stage_was_taken_and_the_other_is_half_done(here, capsys):
    options = here({"warp_parts": 6})
    for _ in range(2):
        assert take_stages(options) == ("pose_guided_parser",)
        captured = capsys.readouterr()
        assert captured.err.count("geometric_matcher is trained here") == 1
    assert not captured.out  # it is not copied again


def test_what_only_the_generator_sees_does_not_matter(here):
    assert take_stages(here({"generator_width": 8, "warp_scales": "8,4", "warp_gate": "scalar"})) == STAGES


def test_stages_of_several_runs(here, run_dir, other_run):
    options = here({"parser_width": 8}, stages_from=f"{other_run}, {run_dir}")
    assert take_stages(options) == STAGES
    assert take_stages(here({"warp": "identity"}, run_dir=options.train.run_dir + "2")) == ("pose_guided_parser",)


@pytest.mark.parametrize("networks, train, said", [
    ({}, {"stages_from": "nowhere"}, "nowhere contains no run"),
    ({"parser_width": 8}, {"matcher_steps": 2}, r"has no stage that this run can take \(pose_guided_parser: trained "
     r"with --parser_width=4; geometric_matcher: 1 of 2 steps\)"),
    ({}, {"stage": "geometric_matcher"}, "has no effect: this run trains no generator"),
    ({"model": "resnet", "generator_inputs": "image,pose"}, {}, "has no effect: this run trains no generator"),
])  # fmt: skip
def test_what_cannot_be_taken_is_refused_and_nothing_is_written(here, networks, train, said):
    options = here(networks, **train)
    with pytest.raises(InputError, match=said):
        take_stages(options)
    assert not os.path.exists(options.train.run_dir)


def test_the_names_of_flags_are_those_of_the_options():
    known = {field.name for part in dataclasses.fields(Options) for field in dataclasses.fields(part.type)}
    named = {*shared_stages._OF_NO_STAGE, *shared_stages._OF_THE_GENERATOR, *shared_stages._DISCRIMINATORS}
    assert named <= known
    for prefixes in shared_stages._PREFIXES.values():
        assert all(any(name.startswith(prefix) for name in known) for prefix in prefixes)


@pytest.mark.parametrize("stage, own, others", [
    ("pose_guided_parser", {"parser_width": 8, "upsampling": "resize", "num_discriminators": 2},
     {"matcher_width": 8, "warp_parts": 6, "fusion_width": 64, "parser_average_flip": True}),
    ("geometric_matcher", {"matcher_width": 8, "warp_parts": 6}, {"parser_width": 8, "upsampling": "resize"}),
])  # fmt: skip
def test_hashes_of_stages(stage, own, others):
    def hash_with(**networks):
        return stage_hash(Options(networks=NetworkOptions(**networks)), stage)

    assert all(hash_with(**{name: value}) != hash_with() for name, value in own.items())
    assert all(hash_with(**{name: value}) == hash_with() for name, value in others.items())
    assert {"seed", "batch_size", "learning_rate", "ema", "height"} <= stage_flags(Options(), stage).keys()


def test_stages_of_the_ablations():
    def stages(**networks):
        return stages_of(Options(networks=NetworkOptions(**networks)))

    assert stages() == (*STAGES, "warping_generator")
    assert stages(warp="identity") == stages(warp="none") == stages(model="resnet") == (STAGES[0], "warping_generator")
    assert stages(model="resnet", generator_inputs="image,pose") == ("warping_generator",)
