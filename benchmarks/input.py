"""Pairs a second of the input pipeline alone, beside a plain loop that only decodes the same files with Pillow.

    python benchmarks/input.py --dataset=people --seconds=5
    python benchmarks/input.py --dataset=market1501 --data_dir=DIR --copies=10 --flip

Both are timed in turns, so that what else the machine does falls on both; the median of the turns is given with the
lowest and the highest. The loop uses one core, as a Python loop does; the pipeline uses what tf.data gives it. Its
processor time says what it would do on a machine that has nothing else to do. Memory is the most that this process has
had up to the pipeline's first turn, TensorFlow and preparing included; the data set can be taken several times over,
to see that it does not grow.
"""

import contextlib
import dataclasses
import io
import resource
import statistics
import tempfile
import time

from copies import copied

from tfwarpgan.command_line import run_command
from tfwarpgan.options import DataOptions, option


@dataclasses.dataclass(frozen=True)
class BenchmarkOptions:
    """How long is measured."""

    seconds: float = option(3.0, "Seconds of a turn.", minimum=0.1)
    turns: int = option(5, "Turns of each of the two.", minimum=1)
    copies: int = option(1, "How many times over the data set is taken.", minimum=1, maximum=99)
    consumed: float = option(0.0, "Pairs a second that a training step consumes, to compare with; 0: none.", minimum=0)


def decoded_pairs(prepared):
    """The plain loop: yields once a pair, after decoding its two pictures and its two label maps."""
    import numpy as np
    from PIL import Image

    while True:
        for record in prepared.records("train").take(50).as_numpy_iterator():
            for pair in record["pairs"]:
                for file in (*record["images"][pair], *record["parsings"][pair]):
                    np.asarray(Image.open(io.BytesIO(file)))
                yield


def rate(iterator, items, seconds):
    """Items a second of an endless iterator that gives `items` at a time."""
    start, count = time.perf_counter(), 0
    while (passed := time.perf_counter() - start) < seconds:
        next(iterator)
        count += items
    return count / passed


def measure(benchmark, data):
    """Prints the rates and their ratio.

    Args:
        benchmark: `BenchmarkOptions`.
        data: `DataOptions`.
    """
    with contextlib.ExitStack() as stack:
        if benchmark.copies > 1:
            data_dir = stack.enter_context(copied(data.dataset, data.data_dir, benchmark.copies))
            prepared_dir = stack.enter_context(tempfile.TemporaryDirectory())
            data = dataclasses.replace(data, data_dir=data_dir, prepared_dir=prepared_dir)
        rates, busy, memory = _rates(benchmark, data)
    for way, values in rates.items():
        print(f"{way}: {statistics.median(values):,.0f} pairs/s ({min(values):,.0f} to {max(values):,.0f})")
    median = statistics.median(rates["pipeline"])
    print(f"ratio: {median / statistics.median(rates['Pillow loop']):.2f}")
    print(f"pipeline by processor time: {statistics.median(busy):,.0f} pairs/s a core")
    print(f"peak memory: {memory / 2**30:.2f} GiB")
    if benchmark.consumed:
        print(f"times what a training step consumes: {median / benchmark.consumed:.1f}")


def _rates(benchmark, data):
    from tfwarpgan.data.batches import pairs
    from tfwarpgan.data.records import preparation

    prepared = preparation.prepare(data)
    ways = {
        "pipeline": (iter(pairs.pairs_dataset(prepared, data)), data.batch_size),
        "Pillow loop": (decoded_pairs(prepared), 1),
    }
    rates, busy, memory = {way: [] for way in ways}, [], 0
    for turn in range(benchmark.turns + 1):
        for way, (iterator, items) in ways.items():
            before = time.process_time()
            value = rate(iterator, items, benchmark.seconds)
            if turn and way == "pipeline":
                busy.append(value * benchmark.seconds / (time.process_time() - before))
            memory = memory or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
            if turn:  # the first turn fills buffers and caches
                rates[way].append(value)
    return rates, busy, memory


if __name__ == "__main__":
    run_command(measure, BenchmarkOptions, DataOptions)
