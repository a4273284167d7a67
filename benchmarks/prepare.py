"""Images a second that `python -m tfwarpgan.prepare` prepares, beside a plain loop that only decodes the same JPEGs.

    python benchmarks/prepare.py --dataset=market1501 --data_dir=DIR --copies=10

The command is run whole, from the start of Python to the last byte, and the loop, which uses one core, in turns with
it. Processor time says what a core does that has nothing else to do. Memory is that of the command and all its
processes, what they share counted once, sampled while they run.
"""

import dataclasses
import glob
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from copies import copied
from PIL import Image

from tfwarpgan.command_line import run_command
from tfwarpgan.data.workers import count_workers
from tfwarpgan.options import DataOptions, option


@dataclasses.dataclass(frozen=True)
class BenchmarkOptions:
    """How much is measured."""

    copies: int = option(10, "Copies of the data set to prepare at once.", minimum=1, maximum=99)
    turns: int = option(3, "Turns per side.", minimum=1)
    workers: int = option(0, "Processes; 0 uses one per core.", minimum=0)


def prepare(data, workers):
    """Runs the command once: (seconds, seconds of processor time, peak memory in bytes)."""
    with tempfile.TemporaryDirectory() as prepared_dir:
        flags = {name: getattr(data, name) for name in ("dataset", "data_dir", "height", "width")}
        flags |= {"prepared_dir": prepared_dir, "workers": workers}
        command = [sys.executable, "-m", "tfwarpgan.prepare", *(f"--{name}={value}" for name, value in flags.items())]
        before, start = _processor_seconds(), time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        peak = [0]
        watch = threading.Thread(target=_watch, args=(process, peak))
        watch.start()
        if process.wait():
            sys.exit(f"failed: {' '.join(command)}")
        seconds, processor = time.perf_counter() - start, _processor_seconds() - before
        watch.join()
    return seconds, processor, peak[0]


def _processor_seconds():
    """Of the ended children and theirs."""
    times = os.times()
    return times.children_user + times.children_system


def _watch(process, peak):
    while process.poll() is None:
        peak[0] = max(peak[0], sum(_memory(pid) for pid in _family(process.pid)))
        time.sleep(0.1)


def _family(pid):
    yield pid
    try:
        for path in glob.glob(f"/proc/{pid}/task/*/children"):
            with open(path) as file:
                for child in file.read().split():
                    yield from _family(int(child))
    except OSError:
        return


def _memory(pid):
    """Bytes of a process, shared ones by their share."""
    try:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            return sum(int(line.split()[1]) for line in file if line.startswith("Pss:")) * 1024
    except OSError:
        return 0


def decode(paths):
    """The plain loop over all pictures: (seconds, seconds of processor time)."""
    start, before = time.perf_counter(), time.process_time()
    for path in paths:
        with Image.open(path) as image:
            image.load()
    return time.perf_counter() - start, time.process_time() - before


def measure(benchmark, data):
    """Prints the rates, their ratio and the memory.

    Args:
        benchmark: `BenchmarkOptions`.
        data: `DataOptions`.
    """
    cores = count_workers(benchmark.workers)
    with copied(data.dataset, data.data_dir, benchmark.copies) as folder:
        data = dataclasses.replace(data, data_dir=folder)
        paths = glob.glob(os.path.join(folder, "**/*.jpg"), recursive=True)
        paths = [path for path in paths if "query" not in path]
        runs, loops = [], []
        for _ in range(benchmark.turns):
            runs.append(prepare(data, benchmark.workers))
            loops.append(decode(paths))
    rates = [len(paths) / seconds / cores for seconds, _, _ in runs]
    busy = [len(paths) / processor for _, processor, _ in runs]
    plain, plain_busy = ([len(paths) / value for value in values] for values in zip(*loops))
    for name, values, unit in (
        (f"prepare, {len(paths):,} images by {cores} processes", rates, "images/s/core"),
        ("the same, by processor time", busy, "images/s/core"),
        ("Pillow loop, decoding only", plain, "images/s"),
        ("the same, by processor time", plain_busy, "images/s"),
    ):
        print(f"{name}: {statistics.median(values):,.0f} {unit} ({min(values):,.0f} to {max(values):,.0f})")
    ratio, ratio_busy = (statistics.median(a) / statistics.median(b) for a, b in ((rates, plain), (busy, plain_busy)))
    print(f"ratio of one core to the loop: {ratio:.2f}, by processor time {ratio_busy:.2f}")
    print(f"peak memory: {max(peak for _, _, peak in runs) / 2**30:.2f} GiB")


if __name__ == "__main__":
    run_command(measure, BenchmarkOptions, DataOptions)
