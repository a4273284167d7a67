"""Runs jobs as child processes, some at once. Stopped or killed, they go on where they were when started again."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import FrameType
from typing import TypeAlias

from tfwarpgan.comparison.jobs import Job
from tfwarpgan.errors import InputError
from tfwarpgan.storage import locks

Process: TypeAlias = "subprocess.Popen[bytes]"
_POLL_SECONDS = 0.2


def run_jobs(jobs: Sequence[Job], at_once: int = 1, on_end: Callable[[], object] = lambda: None) -> dict[str, bool]:
    """Runs what is left of jobs, each after those that it needs; gives folder -> whether it went well.

    Ctrl-C or SIGTERM stops the trainings, after a checkpoint, and raises KeyboardInterrupt.

    Args:
        jobs: In their order.
        at_once: The most child processes.
        on_end: Called after each job.
    """
    went_well = {job.folder: True for job in jobs if not job.left}
    waiting = [job for job in jobs if job.left]
    running: dict[Job, Process] = {}
    with _stopping(running):
        while waiting or running:
            for job in [job for job in waiting if any(went_well.get(need) is False for need in job.needs)]:
                _tell(job, "left out, for what it needs has failed")
                waiting.remove(job)
                went_well[job.folder] = False
            ready = [job for job in waiting if all(need in went_well for need in job.needs)]
            for job in ready[: at_once - len(running)]:
                waiting.remove(job)
                running[job] = _start(job)
            for job in [job for job, process in running.items() if process.poll() is not None]:
                if (ended := _go_on(job, running)) is not None:
                    went_well[job.folder] = ended
                    on_end()
            time.sleep(_POLL_SECONDS if running else 0)
    return went_well


def _go_on(job: Job, running: dict[Job, Process]) -> bool | None:
    """After a command has ended: starts the next one (None), or tells whether the job went well."""
    code = running.pop(job).returncode
    if code:
        _tell(job, f"failed with exit code {code}: {job.log}")
        return False
    job.remember(len(job.left) - 1)
    if job.left:
        running[job] = _start(job)
        return None
    _tell(job, "done")
    return True


def _start(job: Job) -> Process:
    """Starts the next command; it holds the job's folder as long as it lives, even if this process is killed."""
    command = job.left[0]
    _tell(job, f"{command[1].rpartition('.')[2]}, log in {job.log}")
    os.makedirs(job.folder, exist_ok=True)
    try:
        held = locks.hold(job.folder)
    except BlockingIOError:
        raise InputError(
            f"{job.folder} is in use: another comparison, or a training that an earlier one has left, still runs there "
            f"({job.log}); wait for its end, or stop it."
        ) from None
    with contextlib.ExitStack() as stack:
        if held is not None:
            stack.callback(os.close, held)
        log = stack.enter_context(open(job.log, "ab"))
        return subprocess.Popen(
            [sys.executable, *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            pass_fds=() if held is None else (held,),
        )  # fmt: skip


def _tell(job: Job, what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {job.name}: {what}", flush=True)


@contextlib.contextmanager
def _stopping(running: Mapping[Job, Process]) -> Iterator[None]:
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
