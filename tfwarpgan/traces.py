"""Reads profiles without TensorBoard.

    python -m tfwarpgan.traces --logdir=RUN

A profile is written by a training with `--profile_steps`, or recorded from a server's `--profile_port`
(docs/profiling.md). Its steps are marked: "train" by the training, "predict" by the service.
"""

import collections
import dataclasses
import glob
import os
from collections.abc import Iterator, Sequence
from typing import Any

from tfwarpgan.command_line import run_command
from tfwarpgan.errors import InputError
from tfwarpgan.options import option

MARKERS = ("train", "predict")
PICOSECONDS = 1e-9  # in milliseconds


@dataclasses.dataclass(frozen=True)
class TraceOptions:
    """Which profile is read."""

    logdir: str = option("", "Folder of a run or of a recorded profile; the newest profile in it is read.")
    operations: int = option(15, "Number of operations to list, the slowest first.", minimum=0)


def newest(logdir: str) -> list[str]:
    """The trace files of the newest profile below a folder.

    Raises:
        InputError: If there is none.
    """
    sessions = glob.glob(os.path.join(glob.escape(logdir), "**", "plugins", "profile", "*"), recursive=True)
    for session in sorted(sessions, key=os.path.basename, reverse=True):
        files = sorted(glob.glob(os.path.join(glob.escape(session), "*.xplane.pb")))
        if files:
            return files
    raise InputError(f"--logdir={logdir} contains no profile; record one with --profile_steps or --profile_port.")


def events(files: Sequence[str]) -> Iterator[tuple[str, float, dict[str, int]]]:
    """Yields (name, milliseconds, dictionary of its numbers) for each event of the host."""
    from tensorflow.tsl.profiler.protobuf.xplane_pb2 import XSpace

    for path in files:
        with open(path, "rb") as file:
            space = XSpace.FromString(file.read())
        for plane in space.planes:
            if plane.name == "/host:CPU":
                for event in (event for line in plane.lines for event in line.events):
                    yield _event(plane, event)


def _event(plane: Any, event: Any) -> tuple[str, float, dict[str, int]]:
    numbers = {
        plane.stat_metadata[stat.metadata_id].name: stat.int64_value or stat.uint64_value for stat in event.stats
    }
    return plane.event_metadata[event.metadata_id].name, event.duration_ps * PICOSECONDS, numbers


def steps(files: Sequence[str]) -> dict[str, dict[int, float]]:
    """The marked steps: dictionary by marker of dictionaries, step -> milliseconds."""
    found: dict[str, dict[int, float]] = {}
    for name, milliseconds, numbers in events(files):
        if name in MARKERS and "step_num" in numbers:
            found.setdefault(name, {})[numbers["step_num"]] = milliseconds
    return {name: dict(sorted(times.items())) for name, times in sorted(found.items())}


def operations(files: Sequence[str]) -> tuple[Any, collections.Counter[str]]:
    """Time in the operations of the graph: `Counter` of milliseconds by type, and of their number."""
    times: Any = collections.Counter()
    counts: collections.Counter[str] = collections.Counter()
    for name, milliseconds, _ in events(files):
        node, _, kind = name.rpartition(":")  # TensorFlow names the event of an operation "node:type"
        if node and not node.endswith(":") and kind.isidentifier():
            times[kind] += milliseconds
            counts[kind] += 1
    return times, counts


def main(options: TraceOptions) -> None:
    """Prints the steps and the operations of a profile."""
    files = newest(os.path.expanduser(options.logdir))
    print(f"Profile: {os.path.dirname(files[0])}")
    for name, found in steps(files).items():
        values = sorted(found.values())
        print(
            f"{name}: {len(values)} steps, {min(found)} to {max(found)}; median {values[len(values) // 2]:.1f} ms "
            f"({values[0]:.1f} to {values[-1]:.1f})"
        )
    times, counts = operations(files)
    for kind, milliseconds in times.most_common(options.operations):
        print(f"  {milliseconds:10.1f} ms  {counts[kind]:7d} x {kind}")


def cli() -> None:
    """The command."""
    run_command(main, TraceOptions)


if __name__ == "__main__":
    cli()
