"""Trains and evaluates the rows of a table, each with several seeds, and writes the table.

    python -m tfwarpgan.compare --rows=configs/table1.compare --seeds=0,1,2

What is finished is not done again: the same command goes on where it was stopped.
"""

import dataclasses
import os
import re

from tfwarpgan.command_line import run_command
from tfwarpgan.comparison.jobs import plan, run_jobs, shell
from tfwarpgan.comparison.rows import read_rows
from tfwarpgan.errors import InputError
from tfwarpgan.options import option


@dataclasses.dataclass(frozen=True)
class CompareOptions:
    """What is compared, and where it goes."""

    rows: str = option("", "File of the rows: [title] --flags of a training, see docs/comparisons.md.")
    seeds: str = option("0,1,2,3,4,5", "Seeds, separated by commas; every row is trained with each.")
    output_dir: str = option("", "Folder for the runs and the table; default: runs/NAME for NAME.compare.")
    only: str = option("", "Titles of the rows to run, separated by semicolons; default: all.")
    jobs: int = option(1, "Trainings at the same time.", minimum=1)
    dry_run: bool = option(False, "Print the commands that would run, and run nothing.")

    def __post_init__(self) -> None:
        if not self.rows:
            raise InputError("--rows is missing: name the file of the rows, such as configs/table1.compare.")
        if not re.fullmatch(r"[0-9]{1,9}(,[0-9]{1,9})*", self.seeds) or len(set(self.all_seeds)) < len(self.all_seeds):
            raise InputError(f"--seeds={self.seeds} must be whole numbers separated by commas, each once.")

    @property
    def all_seeds(self) -> list[int]:
        """`seeds` as numbers."""
        return [int(seed) for seed in self.seeds.split(",")]

    @property
    def folder(self) -> str:
        """Where everything goes."""
        name = os.path.splitext(os.path.basename(self.rows))[0]
        return os.path.expanduser(self.output_dir or os.path.join("runs", name))


def main(compare: CompareOptions) -> None:
    """Runs what is missing and writes the table."""
    rows = read_rows(compare.rows)
    titles = [title.strip() for title in compare.only.split(";") if title.strip()]
    unknown = [title for title in titles if title not in [row.title for row in rows]]
    if unknown:
        raise InputError(f"--only: {compare.rows} has no row [{unknown[0]}], but {', '.join(r.title for r in rows)}.")
    chosen = [row for row in rows if not titles or row.title in titles]
    jobs = plan(chosen, compare.all_seeds, compare.folder)
    if compare.dry_run:
        for job in jobs:
            print(f"# {job.name}{' (finished)' if job.is_finished else ''}\n{shell(job)}")
        return
    run_jobs(jobs, compare.jobs)


def cli() -> None:
    """The command."""
    run_command(main, CompareOptions)


if __name__ == "__main__":
    cli()
