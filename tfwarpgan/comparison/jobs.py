"""The trainings and evaluations of a comparison: what has to run, and in which order.

A job is one or more commands and a folder of its own, which remembers what is done.
"""

import dataclasses
import json
import os
import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from tfwarpgan.comparison import provenance
from tfwarpgan.comparison.results import EVALUATION
from tfwarpgan.comparison.rows import Row
from tfwarpgan.errors import InputError
from tfwarpgan.flagfiles import is_run, run_options
from tfwarpgan.inference.released import WEIGHTS_FILE, released_folder
from tfwarpgan.options import stages_of
from tfwarpgan.storage.writing import write_atomically
from tfwarpgan.training.shared_stages import stage_hash

Command = tuple[str, ...]  # arguments of Python


@dataclasses.dataclass(frozen=True)
class Job:
    """Commands to run in order in a folder, once the jobs of the folders in `needs` are done."""

    name: str
    folder: str
    commands: tuple[Command, ...]
    needs: tuple[str, ...] = ()

    @property
    def log(self) -> str:
        """The file with what its commands print."""
        return os.path.join(self.folder, "log.txt")

    @property
    def evaluation(self) -> str:
        """The folder of its evaluation."""
        return os.path.join(self.folder, EVALUATION)

    @property
    def left(self) -> tuple[Command, ...]:
        """The commands that are not done yet: the first that is new or has changed, and those after it."""
        done = self._remembered().get("commands", [])
        same = 0
        while same < min(len(done), len(self.commands)) and list(self.commands[same]) == done[same]:
            same += 1
        return self.commands[same:]

    @property
    def facts(self) -> dict[str, str]:
        """Hashes of the flags and weights of a finished job."""
        return dict(self._remembered().get("facts") or self._new_facts())

    def remember(self, left: int) -> None:
        """Notes that all but the last `left` commands are done."""
        done = self.commands[: len(self.commands) - left]
        content = {"commands": done, "facts": {} if left else self._new_facts()}
        write_atomically(self._memory, json.dumps(content, indent=2) + "\n")

    @property
    def _memory(self) -> str:
        return os.path.join(self.folder, "finished.json")

    def _remembered(self) -> dict[str, Any]:
        try:
            with open(self._memory, encoding="utf-8") as file:
                return dict(json.load(file))
        except (OSError, ValueError, TypeError):
            return {}

    def _new_facts(self) -> dict[str, str]:
        given = {flag.partition("=")[0]: flag.partition("=")[2] for flag in self.commands[-1]}
        if "--pictures" in given:
            return {"flags": provenance.text_hash(" ".join(self.commands[-1]))}
        if "--weights" in given:
            folder = released_folder(given["--weights"])
            weights = provenance.files_hash([os.path.join(folder, WEIGHTS_FILE)])
        else:
            folder = os.path.expanduser(given.get("--run_dir", self.folder))
            weights = provenance.weights_hash(folder)
        return {"flags": provenance.flags_hash(run_options(folder)), "weights": weights}


def plan(rows: Sequence[Row], seeds: list[int], folder: str, evaluate: Sequence[str] = ()) -> list[Job]:
    """The jobs of all rows and seeds; stages that rows share come once, in folders of their own, before them.

    Args:
        rows: See `read_rows`.
        seeds: All seeds.
        folder: Of the comparison.
        evaluate: Further flags of every evaluation.

    Raises:
        InputError: If a flag of a row is wrong, or something that it names is missing.
    """
    jobs: dict[str, Job] = {}
    for seed in seeds:
        for row in rows:
            if seed in row.seeds(seeds):
                for job in _jobs_of(row, seed, folder, evaluate):
                    jobs.setdefault(job.folder, job)
    return list(jobs.values())


def job_of(row: Row, seed: int, folder: str, evaluate: Sequence[str] = ()) -> Job:
    """The job that gives a row's numbers for a seed."""
    return list(_jobs_of(row, seed, folder, evaluate))[-1]


def _jobs_of(row: Row, seed: int, folder: str, evaluate: Sequence[str]) -> Iterator[Job]:
    name, place, flags = f"[{row.title}] seed {seed}", os.path.join(folder, row.folder, f"seed{seed}"), row.flags(seed)
    if not row.is_trained:
        _check_finished(row, seed)
        output = f"--output_dir={os.path.join(place, EVALUATION)}"
        yield Job(name, place, (("-m", "tfwarpgan.evaluate", *flags, *evaluate, output),))
        return
    options, needs = row.options(seed), []
    for stage in stages_of(options)[:-1]:
        needs.append(os.path.join(folder, "stages", f"{stage}-{stage_hash(options, stage)}"))
        yield Job(f"{stage} seed {seed}", needs[-1], (_train(flags, f"--stage={stage}", f"--run_dir={needs[-1]}"),))
    taken = (f"--stages_from={','.join(needs)}",) if needs else ()
    scored = ("-m", "tfwarpgan.evaluate", f"--run_dir={place}", *evaluate)
    yield Job(name, place, (_train(flags, f"--run_dir={place}", *taken), scored), tuple(needs))


def _train(flags: Sequence[str], *more: str) -> Command:
    return ("-m", "tfwarpgan.train", *flags, *more)


def _check_finished(row: Row, seed: int) -> None:
    """Refuses a finished row that names nothing that is there."""
    place = {name: row.given(name).replace("{seed}", str(seed)) for name in ("run_dir", "pictures", "weights")}
    if place["run_dir"] and not is_run(place["run_dir"]):
        raise InputError(f"{row.where}: {place['run_dir']} contains no run.")
    if place["pictures"] and not os.path.isdir(os.path.expanduser(place["pictures"])):
        raise InputError(f"{row.where}: {place['pictures']} is not a folder.")
    if place["weights"]:
        released_folder(place["weights"])


def shell(job: Job) -> str:
    """The commands of a job as one would type them."""
    return "\n".join(shlex.join(("python", *command)) for command in job.commands)
