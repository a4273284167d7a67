"""Trains and evaluates the rows of a table, each with several seeds, and writes the table.

    python -m tfwarpgan.compare --rows=configs/table1.compare --seeds=0,1,2,3,4,5

What is finished is not done again: the same command goes on where it was stopped.
"""

import dataclasses
import importlib.util
import os
import re
import shlex
import sys

from tfwarpgan.command_line import run_command
from tfwarpgan.comparison.jobs import plan, shell
from tfwarpgan.comparison.report import write_table
from tfwarpgan.comparison.rows import Row, read_rows
from tfwarpgan.comparison.running import run_jobs
from tfwarpgan.errors import InputError
from tfwarpgan.evaluation.statistics import MOST_SIGNS
from tfwarpgan.options import option


@dataclasses.dataclass(frozen=True)
class CompareOptions:
    """What is compared, and where it goes."""

    rows: str = option("", "File of the rows, [title] --flags of a training; docs/comparisons.md describes it.")
    seeds: str = option("0,1,2,3,4,5", "Seeds, separated by commas; every row is trained with each.")
    output_dir: str = option("", "Folder for the runs and the table; default: runs/NAME for NAME.compare.")
    only: str = option("", "Titles of the rows to run, separated by semicolons; the table has them all. Default: all.")
    jobs: int = option(1, "Trainings at the same time.", minimum=1)
    dry_run: bool = option(False, "Print the commands that are left, and run nothing.")
    train: str = option("", "Further flags of every training, such as '--perceptual_weights=FILE'.")
    evaluate: str = option("", "Further flags of every evaluation, such as '--max_pairs=500'.")
    columns: str = option("", "Metrics of the table, separated by commas; default: those with a number for each pair.")

    def __post_init__(self) -> None:
        if not self.rows:
            raise InputError("--rows is missing: name the file of the rows, such as configs/table1.compare.")
        seeds = self.seeds.split(",")
        if not re.fullmatch(r"[0-9]{1,9}(,[0-9]{1,9})*", self.seeds) or len(set(map(int, seeds))) < len(seeds):
            raise InputError(f"--seeds={self.seeds} must be whole numbers separated by commas, each once.")
        if len(seeds) > MOST_SIGNS:
            raise InputError(f"--seeds: at most {MOST_SIGNS}, for exact tests; {len(seeds)} are given.")
        if "," in self.folder:
            raise InputError(f"--output_dir={self.folder} must not have a comma in it.")

    @property
    def all_seeds(self) -> list[int]:
        """`seeds` as numbers."""
        return [int(seed) for seed in self.seeds.split(",")]

    @property
    def folder(self) -> str:
        """Where everything goes."""
        name = os.path.splitext(os.path.basename(self.rows))[0]
        return os.path.expanduser(self.output_dir or os.path.join("runs", name))

    def flags_of(self, name: str) -> list[str]:
        """The flags in `train` or `evaluate`.

        Raises:
            InputError: If they cannot be read.
        """
        try:
            return shlex.split(getattr(self, name))
        except ValueError as error:
            raise InputError(f"--{name}={getattr(self, name)} cannot be read ({error}).") from None

    def chosen(self, rows: list[Row]) -> list[Row]:
        """The rows that `only` names.

        Raises:
            InputError: If there is no such row.
        """
        titles = [title.strip() for title in self.only.split(";") if title.strip()]
        for title in titles:
            if title not in [row.title for row in rows]:
                known = "; ".join(row.title for row in rows)
                raise InputError(f"--only: {self.rows} has no row [{title}], only {known}.")
        return [row for row in rows if not titles or row.title in titles]


def main(compare: CompareOptions) -> None:
    """Runs what is left and writes the table; exits with 1 if something failed."""
    rows, seeds = read_rows(compare.rows, compare.flags_of("train")), compare.all_seeds
    evaluate = compare.flags_of("evaluate")
    jobs = plan(compare.chosen(rows), seeds, compare.folder, evaluate)
    if compare.dry_run:
        for job in jobs:
            print(f"# {job.name}: {len(job.left)} of {len(job.commands)} commands are left\n{shell(job)}")
        return
    columns = [name.strip() for name in compare.columns.split(",") if name.strip()]

    def write() -> str:
        return write_table(rows, seeds, compare.folder, evaluate, columns)

    if any(job.left for job in jobs) and not importlib.util.find_spec("tensorflow"):
        raise ModuleNotFoundError(name="tensorflow")
    went_well = run_jobs(jobs, compare.jobs, write)
    table = write()
    if table:
        print(f"\n{table}\nPage: {os.path.join(compare.folder, 'index.html')}")
    if not all(went_well.values()):
        sys.exit(1)


def cli() -> None:
    """The command."""
    run_command(main, CompareOptions)


if __name__ == "__main__":
    cli()
