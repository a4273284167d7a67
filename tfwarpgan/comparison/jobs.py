"""The trainings and evaluations of a comparison: what has to run, in which order, and running it.

A job is one or more commands in a folder of its own. Jobs are child processes; stopped or killed, each goes on where it
was when the same comparison is started again.
"""

import contextlib
import dataclasses
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from types import FrameType

from tfwarpgan.comparison.rows import Row
from tfwarpgan.options import stages_of
from tfwarpgan.storage.writing import write_atomically
from tfwarpgan.training.shared_stages import stage_hash

FINISHED = "finished.json"  # in a job's folder: the commands that it has done
LOG = "log.txt"
_POLL_SECONDS = 0.2


@dataclasses.dataclass(frozen=True)
class Job:
    """Commands (arguments of Python) to run in order in a folder, once the jobs of the folders in `needs` are done."""

    name: str
    folder: str
    commands: tuple[tuple[str, ...], ...]
    needs: tuple[str, ...] = ()

    @property
    def log(self) -> str:
        """The file with what its commands print."""
        return os.path.join(self.folder, LOG)

    @property
    def is_finished(self) -> bool:
        """Whether these very commands have been done."""
        try:
            with open(os.path.join(self.folder, FINISHED), encoding="utf-8") as file:
                return bool(json.load(file)["commands"] == [list(command) for command in self.commands])
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def finish(self) -> None:
        """Remembers that all is done."""
        content = json.dumps({"commands": self.commands}, indent=2) + "\n"
        write_atomically(os.path.join(self.folder, FINISHED), content)


def plan(rows: Sequence[Row], seeds: Sequence[int], folder: str) -> list[Job]:
    """The jobs of all rows and seeds; stages that rows share come once, in folders of their own, before them.

    Raises:
        InputError: If a flag of a row is wrong.
    """
    jobs: dict[str, Job] = {}
    for seed in seeds:
        for row in rows:
            if row.is_trained:
                for job in _jobs_of(row, seed, folder):
                    jobs.setdefault(job.folder, job)
    return list(jobs.values())


def run_folder(row: Row, seed: int, folder: str) -> str:
    """Where the run of a row and seed lies."""
    return row.given("run_dir", seed) or os.path.join(folder, row.folder, f"seed{seed}")


def _jobs_of(row: Row, seed: int, folder: str) -> Iterator[Job]:
    options = row.options(f"--seed={seed}")
    given = (*row.flags, f"--seed={seed}")
    needs = []
    for stage in stages_of(options)[:-1]:
        place = os.path.join(folder, "stages", f"{stage}-{stage_hash(options, stage)}")
        needs.append(place)
        yield Job(f"{stage} seed {seed}", place, (_train(*given, f"--stage={stage}", f"--run_dir={place}"),))
    run_dir = run_folder(row, seed, folder)
    taken = (f"--stages_from={','.join(needs)}",) if needs else ()
    evaluate = ("-m", "tfwarpgan.evaluate", f"--run_dir={run_dir}")
    commands = (_train(*given, f"--run_dir={run_dir}", *taken), evaluate)
    yield Job(f"{row.title} seed {seed}", run_dir, commands, tuple(needs))


def _train(*flags: str) -> tuple[str, ...]:
    return ("-m", "tfwarpgan.train", *flags)


def shell(job: Job) -> str:
    """The commands of a job as one would type them."""
    return "\n".join(shlex.join(("python", *command)) for command in job.commands)


def run_jobs(jobs: Sequence[Job], at_once: int = 1) -> dict[str, bool]:
    """Runs jobs, some at once, each after those that it needs; gives folder -> whether it went well.

    Ctrl-C or SIGTERM stops the trainings after a checkpoint and raises KeyboardInterrupt.
    """
    went_well = {job.folder: True for job in jobs if job.is_finished}
    waiting = [job for job in jobs if job.folder not in went_well]
    running: dict[Job, subprocess.Popen[bytes]] = {}
    with _stopping(running):
        while waiting or running:
            for job in [job for job in waiting if any(went_well.get(need) is False for need in job.needs)]:
                _tell(job, "left out: what it needs has failed")
                went_well[job.folder] = False
                waiting.remove(job)
            ready = [job for job in waiting if all(need in went_well for need in job.needs)]
            for job in ready[: at_once - len(running)]:
                waiting.remove(job)
                running[job] = _start(job)
            for job in [job for job, process in running.items() if process.poll() is not None]:
                code = running.pop(job).returncode
                went_well[job.folder] = code == 0
                _tell(job, "done" if code == 0 else f"failed with exit code {code}: {job.log}")
                if code == 0:
                    job.finish()
            time.sleep(_POLL_SECONDS if running else 0)
    return went_well


def _start(job: Job) -> "subprocess.Popen[bytes]":
    _tell(job, f"started, log in {job.log}")
    os.makedirs(job.folder, exist_ok=True)
    script = " && ".join(shlex.join((sys.executable, *command)) for command in job.commands)
    with open(job.log, "ab") as log:
        return subprocess.Popen(["sh", "-c", script], stdout=log, stderr=subprocess.STDOUT, start_new_session=True)


def _tell(job: Job, what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {job.name}: {what}", flush=True)


@contextlib.contextmanager
def _stopping(running: Mapping[Job, "subprocess.Popen[bytes]"]) -> Iterator[None]:
    """Stops the children if this process has to end, with the signal after which a training saves a checkpoint."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    except BaseException:
        for job, process in running.items():
            _tell(job, "stopping")
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in running.values():
            process.wait()
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
