"""Prepares a data set for training: checks every file, resizes, and writes records.

    python -m tfwarpgan.prepare
    python -m tfwarpgan.prepare --dataset=market1501 --data_dir=~/data/Market-1501
    python -m tfwarpgan.prepare --dataset=market1501 --data_dir=~/data/Market-1501 --check --page=look.html
    python -m tfwarpgan.prepare --list_prepared

Training does this itself if needed; this command does nothing else, and prints what the data set contains. With --check
it reads everything, writes nothing but the page of samples, and reports all problems at once; the exit code is 1 if
training would fail.
"""

import contextlib
import dataclasses
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tfwarpgan.command_line import run_command
from tfwarpgan.data.layouts.opening import open_source
from tfwarpgan.errors import InputError
from tfwarpgan.options import DATA_SET, DataOptions, Options, SizeOptions, check_data_place, option

if TYPE_CHECKING:
    from tfwarpgan.data.records.copies import Copy
    from tfwarpgan.data.records.preparation import Prepared


@dataclasses.dataclass(frozen=True)
class PrepareOptions:
    """How the work is done."""

    check: bool = option(False, "Check the data set, report all problems and write nothing.")
    page: str = option("", "With --check: HTML file to write, with 40 samples and their joints and label maps.")
    list_prepared: bool = option(False, "List the prepared data sets in --prepared_dir, and do nothing else.")
    remove_prepared: bool = option(False, "Remove the prepared data sets in --prepared_dir, and do nothing else.")
    workers: int = option(0, "Processes that read and encode images; 0 uses one per core.", minimum=0, maximum=1024)
    beam_runner: str = option(
        "", "Runner of Apache Beam, such as DirectRunner; default: no Beam, on this machine alone."
    )
    beam_options: str = option("", "Options of the runner, as name=value,name=value.")

    def __post_init__(self) -> None:
        if self.page and not self.check:
            raise InputError("--page needs --check.")
        if self.beam_runner and self.check:
            raise InputError("Give either --check or --beam_runner, not both.")
        if sum((self.check, bool(self.beam_runner), self.list_prepared, self.remove_prepared)) > 1:
            raise InputError("Give only one of --check, --beam_runner, --list_prepared and --remove_prepared.")
        if self.beam_options and not self.beam_runner:
            raise InputError("--beam_options needs --beam_runner.")


def main(options: Options, how: PrepareOptions) -> None:
    """Prepares the data set and prints what it contains and where it is; or checks it.

    Args:
        options: `Options`, those of the data; the flagfile of a training can be used unchanged.
        how: `PrepareOptions`.
    """
    if how.list_prepared or how.remove_prepared:
        from tfwarpgan.data.records import copies

        what = copies.remove_copies if how.remove_prepared else copies.list_copies
        for line in copies_text(what(options.data.prepared_dir), options.data.prepared_dir, how.remove_prepared):
            print(line)
        return
    if how.check:
        _check(options.data, how)
        return
    source = open_source(options.data)
    from tfwarpgan.data.records import beam, preparation  # TensorFlow, which a wrong flag should not wait for

    runner, beam_options = beam.runner(how.beam_runner, how.beam_options) if how.beam_runner else (None, None)
    prepared = preparation.prepare(options.data, how.workers, runner, beam_options, source)
    for line in summary(prepared):
        print(line)


def copies_text(found: "Sequence[Copy]", prepared_dir: str, removed: bool) -> list[str]:
    """What the `copies.Copy` are that were listed or removed, as lines of text."""
    lines = [
        f"{copy.folder}  {', '.join(copy.sizes) or 'unfinished'}  {copy.size / 1e6:,.1f} MB  "
        f"{time.strftime('%Y-%m-%d %H:%M', time.localtime(copy.changed))}"
        for copy in found
    ]
    count, size = len(found), sum(copy.size for copy in found)
    what = f"{count} prepared data set{'s' if count != 1 else ''}, {size / 1e6:,.1f} MB, in {prepared_dir}"
    return [*lines, f"Removed {what}." if removed else f"{what[0].upper()}{what[1:]}."]


def summary(prepared: "Prepared") -> list[str]:
    """What a `preparation.Prepared` contains, as lines of text."""
    counts = {"persons": prepared.num_persons, "images": prepared.num_images, "pairs": prepared.num_pairs}
    lines = []
    for split in prepared.num_images:
        held = ", ".join(f"{count[split]:,} {what}" for what, count in counts.items() if split in count)
        lines.append(f"{split}: {held}")
    if prepared.removed:
        rules = ", ".join(f"{count:,} by --{rule}" for rule, count in prepared.removed.items())
        lines.append(f"left out: {sum(prepared.removed.values()):,} images ({rules}), listed in removed.csv")
    lines += [f"note: {note}" for note in prepared.notes]
    size = f"{prepared.height} x {prepared.width} pixels" if prepared.height else "images of their own sizes"
    return [*lines, f"{size}, in {prepared.folder}"]


def _check(data_options: DataOptions, how: PrepareOptions) -> None:
    check_data_place(data_options)
    from tfwarpgan.data.doctor import examine
    from tfwarpgan.data.doctor.page import SAMPLES, no_more, write

    report = examine.examine(data_options, how.workers, samples=SAMPLES if how.page else 0)
    print(report.text(), end="")
    if how.page:
        more = no_more
        with contextlib.suppress(ImportError):  # of TensorFlow, which alone draws them
            from tfwarpgan.data.batches.joint_maps import pictures_of_joints

            more = pictures_of_joints
        write(how.page, report, more)
        print(f"Pictures: {how.page}")
    if report.is_fatal:
        sys.exit(1)


def cli() -> None:
    """The command."""
    run_command(main, Options, PrepareOptions, takes=(*DATA_SET, SizeOptions))


if __name__ == "__main__":
    cli()
