"""The flagfile of a run tells what it was trained with, from its first step on."""

import dataclasses

import pytest

from tfwarpgan.flagfiles import run_options, to_flagfile
from tfwarpgan.options import RUN_FLAGFILE, Options
from tfwarpgan.training import history


def with_rate(rate, **fields):
    return Options(train=dataclasses.replace(Options().train, learning_rate=rate, **fields))


def resumed(text, before, now, **steps):
    return history.recorded(text, before, now, steps)


def comments(text):
    return [line for line in text.splitlines() if line.startswith("#")]


def test_a_change_is_kept_with_the_steps_of_each_stage():
    first, second = with_rate(2e-4), with_rate(1e-4, parser_steps=7)
    text = resumed(to_flagfile(first), first, second, pose_guided_parser=5, geometric_matcher=2)
    assert comments(text) == [
        "# Until pose_guided_parser 5, geometric_matcher 2:", "#   --parser_steps=100000", "#   --learning_rate=0.0002"
    ]  # fmt: skip
    assert text.endswith(to_flagfile(second))


def test_every_period_is_the_flagfile_with_its_flags_after_it(tmp_path):
    course = [with_rate(3e-4), with_rate(2e-4, ema=0.9), with_rate(3e-4, accumulate=2)]
    text = to_flagfile(course[0])
    for step, (before, now) in enumerate(zip(course, course[1:]), start=1):
        text = resumed(text, before, now, pose_guided_parser=10 * step)
    (tmp_path / RUN_FLAGFILE).write_text(text)
    assert run_options(str(tmp_path)).train.learning_rate == 3e-4  # comments are none of its flags
    periods = history.read_periods(text, history.flags_of(course[-1]))
    assert [until for until, _ in periods] == [{"pose_guided_parser": 10}, {"pose_guided_parser": 20}]
    assert [flags for _, flags in periods] == [history.flags_of(options) for options in course[:2]]


def test_what_changes_no_weight_is_not_kept():
    first, second = with_rate(2e-4, run_dir="a"), with_rate(2e-4, run_dir="b", log_every=7, stage="geometric_matcher")
    second = dataclasses.replace(second, networks=dataclasses.replace(second.networks, generator_sharpening=1.1))
    assert resumed(to_flagfile(first), first, second, pose_guided_parser=5) == to_flagfile(second)


def test_what_ends_a_stage_early_is_kept():
    first, second = with_rate(2e-4, patience=3, validate_every=50), with_rate(2e-4, validate_every=80)
    text = resumed(to_flagfile(first), first, second, pose_guided_parser=5)
    assert comments(text) == ["# Until pose_guided_parser 5:", "#   --validate_every=50", "#   --patience=3"]


def test_a_period_without_a_step_is_forgotten():
    first, second, third = with_rate(3e-4), with_rate(2e-4), with_rate(1e-4)
    text = resumed(to_flagfile(first), first, second, pose_guided_parser=5)
    text = resumed(text, second, third, pose_guided_parser=5)
    assert comments(text) == ["# Until pose_guided_parser 5:", "#   --learning_rate=0.0003"]
    assert comments(resumed(text, third, first, pose_guided_parser=5)) == []
    assert comments(resumed(to_flagfile(first), first, second)) == []


def test_steps_that_a_damaged_checkpoint_took_along_are_given_up():
    first, second = with_rate(3e-4), with_rate(2e-4)
    text = resumed(to_flagfile(first), first, second, pose_guided_parser=5)
    assert comments(resumed(text, second, second, pose_guided_parser=3))[0] == "# Until pose_guided_parser 3:"


def test_flags_that_change_no_weight_exist():
    names = {field.name for part in dataclasses.fields(Options) for field in dataclasses.fields(part.type)}
    assert history._NO_EFFECT <= names


@pytest.mark.parametrize("line", ["# a remark", "#   --learning_rate=1", "# Until now"])
def test_remarks_of_others_are_passed_over(line):
    assert history.read_periods(f"{line}\n", {}) == []
