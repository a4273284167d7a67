"""The history of a run: up to which step of each stage it was trained with which other flags.

The flagfile of a run holds the flags of now and, as comments above them, one period after the other of its past. A
period names the steps at which it ended, and the flags that were others than those of now:

    # Until pose_guided_parser 1000, geometric_matcher 200:
    #   --learning_rate=0.0002

So the flagfile with these flags after it is what was trained with then, and `--stage` with `--stop_at` ends there.
"""

import re
import sys
from collections.abc import Mapping
from typing import TypeAlias

from tfwarpgan.data.layouts.opening import PATHS
from tfwarpgan.flagfiles import is_run, run_flagfile, run_options, to_flagfile
from tfwarpgan.inference.checkpoints import newest_whole, stage_folder, steps_of
from tfwarpgan.options import FINISHING, RUN_FLAGFILE, STAGES, Options

Flags: TypeAlias = Mapping[str, str]  # name -> value, as in a flagfile
Steps: TypeAlias = Mapping[str, int]  # stage -> steps that it has done
Period: TypeAlias = tuple[Steps, Flags]  # where it ended, and its flags

# What changes no weight: where things lie, what is done when, and what is told. Validation is none of it: it decides
# where --patience ends a stage, and which checkpoint is the best.
_NO_EFFECT = {
    *PATHS, *FINISHING, "prepared_dir", "run_dir", "stage", "stop_at", "log_every", "pictures_every",
    "checkpoint_every", "keep_checkpoints", "profile_steps", "recompute",
}  # fmt: skip
_UNTIL = re.compile(r"# Until (.+):")


def flagfile_of(run_dir: str, options: Options) -> str:
    """The flagfile of a run that begins or goes on, with its history; prints a note if flags change in it.

    Raises:
        InputError: If a stage has checkpoints, and all of them are damaged.
    """
    if not is_run(run_dir):
        return to_flagfile(options)
    with open(run_flagfile(run_dir), encoding="utf-8") as file:
        text = file.read()
    before = run_options(run_dir)
    other = changed(flags_of(before), flags_of(options))
    if not other and not comments(text):
        return to_flagfile(options)
    newest = {stage: newest_whole(stage_folder(run_dir, stage)) for stage in STAGES}
    steps = {stage: steps_of(path) for stage, path in newest.items() if path}
    if other and steps:
        was = " ".join(f"--{name}={value}" for name, value in other.items())
        done = ", ".join(f"{stage} {step}" for stage, step in steps.items())
        print(f"note: this run had {was} until now ({done}); {RUN_FLAGFILE} keeps that.", file=sys.stderr)
    return recorded(text, before, options, steps)


def flags_of(options: Options) -> dict[str, str]:
    """The flags that decide what a training makes of a network, as a flagfile has them."""
    lines = (line.removeprefix("--").partition("=") for line in to_flagfile(options).splitlines())
    return {name: value for name, _, value in lines if name not in _NO_EFFECT}


def changed(before: Flags, now: Flags) -> dict[str, str]:
    """The flags of before that are others now."""
    return {name: value for name, value in before.items() if now.get(name, value) != value}


def read_periods(text: str, now: Flags) -> list[Period]:
    """The past periods in the text of a flagfile, the oldest first.

    Args:
        text: The flagfile's.
        now: The flags that it holds.
    """
    periods: list[tuple[dict[str, int], dict[str, str]]] = []
    for line in text.splitlines():
        if until := _UNTIL.fullmatch(line):
            stages = (stage.split() for stage in until[1].split(", "))
            periods.append(({stage: int(steps) for stage, steps in stages}, dict(now)))
        elif line.startswith("#   --") and periods:
            name, _, value = line.removeprefix("#   --").partition("=")
            periods[-1][1][name] = value
    return list(periods)


def comments(text: str) -> str:
    """The lines of a flagfile that are its history."""
    lines = (line for line in text.splitlines(keepends=True) if line.startswith("#   --") or _UNTIL.match(line))
    return "".join(lines)


def recorded(text: str, before: Options, options: Options, steps: Steps) -> str:
    """The flagfile of a run that goes on: its flags, and its history.

    Args:
        text: The flagfile so far.
        before: The options that it holds.
        options: Those that the run goes on with.
        steps: Stage -> steps of the checkpoint that it goes on from; of a damaged one, more had been done.
    """
    periods: list[Period] = []
    start, now = dict.fromkeys(steps, 0), flags_of(options)
    for until, flags in [*read_periods(text, flags_of(before)), (steps, flags_of(before))]:
        end = {stage: min(until.get(stage, 0), done) for stage, done in steps.items()}
        if all(end[stage] <= start[stage] for stage in steps):
            continue  # nothing of it is left
        if periods and not changed(periods[-1][1], flags):
            periods.pop()  # one period, which ended later
        periods.append((end, flags))
        start = end
    if periods and not changed(periods[-1][1], now):
        periods.pop()
    return "".join(_lines(until, changed(flags, now)) for until, flags in periods) + to_flagfile(options)


def _lines(until: Steps, flags: Flags) -> str:
    stages = ", ".join(f"{stage} {steps}" for stage, steps in until.items() if steps)
    return f"# Until {stages}:\n" + "".join(f"#   --{name}={value}\n" for name, value in flags.items())
