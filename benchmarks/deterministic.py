"""What --deterministic costs, and the check of every step for numbers that are not finite, on the generator's step.

    python benchmarks/deterministic.py [--batches=8] [--network_width=16] [--rounds=9]

Determinism is set for a whole process, so each way of training has one of its own; they take turns, step by step. Wall
time and the processor's time (all threads together) are medians over the rounds: on a machine that does other things
too, the latter says more.
"""

import subprocess
import sys
import time

import numpy as np
from absl import app, flags
from train_step import FLAGS, benchmark_options, make_trainer, random_batch

flags.DEFINE_enum("way", "", ["", "plain", "no check", "deterministic"], "What this process measures; empty: all.")


def main(argv):
    """Prints a line per way of training, or measures one."""
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected argument '{argv[1]}'.")
    if FLAGS.way:
        measure(FLAGS.way)
        return
    command = [sys.executable, __file__, *sys.argv[1:]]
    ways = {
        way: subprocess.Popen([*command, f"--way={way}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for way in ("plain", "no check", "deterministic")
    }
    rounds = [{way: turn(process) for way, process in ways.items()} for _ in range(FLAGS.rounds + 1)][1:]
    for way, process in ways.items():
        process.communicate("", timeout=60)
        wall, processor = np.median([times[way] for times in rounds], axis=0)
        plain = np.median([times[way][1] / times["plain"][1] for times in rounds])
        print(f"{way:14} {wall:7.3f} s a step, {processor:7.3f} s of the processor, {plain:.3f} of plain")


def turn(process):
    """One step of a process: its wall time and its processor's time in seconds."""
    print(file=process.stdin, flush=True)
    return tuple(map(float, process.stdout.readline().split()))


def measure(way):
    """Takes a step for every line read, and prints its times."""
    import tensorflow as tf

    from tfwarpgan.training import optimization
    from tfwarpgan.training.loop import step_function

    if way == "deterministic":
        tf.keras.utils.set_random_seed(0)
        tf.config.experimental.enable_op_determinism()
    if way == "no check":
        optimization.all_finite = lambda gradients: tf.constant(True)
    options = benchmark_options(int(FLAGS.batches[0]))
    trainer, _ = make_trainer(options)
    step = step_function(trainer, tf.distribute.get_strategy())
    batch = random_batch(options.data.batch_size, FLAGS.height, FLAGS.width)
    batches = iter(tf.data.Dataset.from_tensors(batch).repeat())
    for _ in sys.stdin:
        start = time.perf_counter(), time.process_time()
        logs, _ = step(batches, tf.constant(0.0))
        assert all(np.isfinite(float(value)) for value in logs.values())
        print(time.perf_counter() - start[0], time.process_time() - start[1], flush=True)


if __name__ == "__main__":
    FLAGS.set_default("batches", ["8"])
    FLAGS.set_default("network_width", 16)
    FLAGS.set_default("rounds", 9)
    app.run(main)
