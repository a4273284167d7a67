"""Prepares a data set for training: checks every file, resizes, and writes records.

    python -m tfwarpgan.prepare
    python -m tfwarpgan.prepare --dataset=market1501 --data_dir=~/data/Market-1501
    python -m tfwarpgan.prepare --dataset=market1501 --data_dir=~/data/Market-1501 --check --page=look.html

Training does this by itself where it was not done; this command does only this, and prints what the data set holds.
With --check it reads everything, writes nothing but the page of pictures, and reports all problems at once; the exit
code is 1 if training would fail.
"""

import dataclasses
import sys

from tfwarpgan.command_line import run_command
from tfwarpgan.errors import InputError
from tfwarpgan.options import Options, check_data_place, option


@dataclasses.dataclass(frozen=True)
class PrepareOptions:
    """How the work is done."""

    check: bool = option(False, "Read everything, report all problems, write nothing.")
    page: str = option("", "With --check: HTML file for 40 samples with skeleton and parsing drawn.")
    workers: int = option(0, "Processes that read and encode pictures; 0: one a core.", minimum=0, maximum=1024)
    beam_runner: str = option("", "Runner of Apache Beam to prepare with, as DirectRunner; empty: this machine alone.")
    beam_options: str = option("", "The runner's options, as name=value,name=value.")

    def __post_init__(self):
        if self.page and not self.check:
            raise InputError("--page is made while checking; say --check too.")
        if self.beam_options and not self.beam_runner:
            raise InputError("--beam_options needs --beam_runner.")


def main(options, how):
    """Prepares the data set and prints what it holds and where it lies; or checks it.

    Args:
        options: `Options`, those of the data; the flagfile of a training fits as it is.
        how: `PrepareOptions`.
    """
    check_data_place(options.data)
    if how.check:
        _check(options.data, how)
        return
    from tfwarpgan.data.records import (
        beam,
        preparation,  # imports TensorFlow, which a wrong flag should not wait for
    )

    runner = beam.runner(how.beam_runner, how.beam_options) if how.beam_runner else (None, None)
    prepared = preparation.prepare(options.data, how.workers, *runner)
    for line in summary(prepared):
        print(line)


def summary(prepared):
    """What a `preparation.Prepared` holds, as lines of text."""
    counts = {"persons": prepared.num_persons, "images": prepared.num_images, "pairs": prepared.num_pairs}
    lines = []
    for split in prepared.num_images:
        held = ", ".join(f"{count[split]:,} {what}" for what, count in counts.items() if split in count)
        lines.append(f"{split}: {held}")
    if prepared.removed:
        rules = ", ".join(f"{count:,} by --{rule}" for rule, count in prepared.removed.items())
        lines.append(f"left out: {sum(prepared.removed.values()):,} images ({rules}), listed in removed.csv")
    size = f"{prepared.height} x {prepared.width} pixels" if prepared.height else "pictures of their own sizes"
    return [*lines, f"{size}, in {prepared.folder}"]


def _check(data_options, how):
    from tfwarpgan.data.doctor import examine
    from tfwarpgan.data.doctor.page import SAMPLES, write

    report = examine.examine(data_options, how.workers, samples=SAMPLES if how.page else 0)
    print(report.text(), end="")
    if how.page:
        write(how.page, report)
        print(f"Pictures: {how.page}")
    if report.is_fatal:
        sys.exit(1)


def cli():
    """The command."""
    run_command(main, Options, PrepareOptions)


if __name__ == "__main__":
    cli()
