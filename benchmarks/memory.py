"""Peak memory of a training step of the generator, and the largest batches that cards of several sizes hold.

    python benchmarks/memory.py [--configs=configs/market.flags] [--batches=1,6] [--ways=plain,recompute,...]

Each figure comes from a process of its own: its peak (VmHWM, so Linux) after its steps, less what it was before the
networks were built. The model: weights and Adam's two moments are always there, 12 bytes for each weight that is
trained and 4 for each that is not; beside them either the activations, when the backward pass begins, or the gradients,
4 bytes for each trained weight, when it ends. What a pair's activations take is read off the largest batch: a smaller
one may have its peak amid the backward pass. The graph is the one that a GPU would get (`core_ops_only`); what a GPU
needs beside (context, cuDNN's workspaces) is `--reserved` GiB of each card. Peaks do not depend on other programs.
"""

import json
import os
import subprocess
import sys

from absl import app, flags
from processor import processor
from train_step import FLAGS, make_trainer, random_batch

GIB = 2**30
POLICIES = {"bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}
# Large blocks go back to the system at once, as from an allocator that shares them: the peak is of what is in use.
ALLOCATOR = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}

flags.DEFINE_list("configs", ["configs/market.flags", "configs/deepfashion.flags"], "Flagfiles of trainings.")
flags.DEFINE_list(
    "ways", ["plain", "recompute", "bfloat16", "recompute+bfloat16"],
    "Ways to train: plain, or joined by +: recompute, and bfloat16 or float16.",
)  # fmt: skip
flags.DEFINE_list("cards", ["16", "24", "40", "80"], "GiB of the cards to predict for.")
flags.DEFINE_float("reserved", 1.0, "GiB of a card that are not the training's.")
flags.DEFINE_integer("steps", 2, "Steps of each process.", lower_bound=1)
flags.DEFINE_bool("child", False, "Measure the first config, way and batch size, and print the figures as JSON.")


def main(argv):
    """Prints a block of figures per flagfile, or measures one process."""
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected argument '{argv[1]}'.")
    if FLAGS.child:
        print(json.dumps(measure(FLAGS.configs[0], FLAGS.ways[0].split("+"), int(FLAGS.batches[0]))))
        return
    print(f"{processor()}; GiB of a step; then the largest batch on cards of {', '.join(FLAGS.cards)} GiB")
    for config in FLAGS.configs:
        print(f"\n{config}")
        for way in FLAGS.ways:
            report(way, {int(batch): in_a_process(config, way, batch) for batch in FLAGS.batches})


def in_a_process(config, way, batch):
    """The figures of `measure`, from a new process."""
    arguments = [f"--configs={config}", f"--ways={way}", f"--batches={batch}", f"--steps={FLAGS.steps}", "--child"]
    result = subprocess.run(
        [sys.executable, __file__, *arguments], env={**os.environ, **ALLOCATOR}, stdout=subprocess.PIPE, check=True
    )
    return json.loads(result.stdout.splitlines()[-1])


def read_options(path, batch_size, recompute):
    """The `Options` of a flagfile, changed for a batch of noise."""
    from dataclasses import replace

    from tfwarpgan.flags import define_flags, from_flags
    from tfwarpgan.options import Options

    values = flags.FlagValues()
    define_flags(Options, flag_values=values)
    values(["memory", f"--flagfile={path}"])
    options = from_flags(Options, values)
    return replace(
        options,
        data=replace(options.data, batch_size=batch_size),
        losses=replace(options.losses, perceptual_weights="none"),
        train=replace(options.train, recompute=recompute),
    )


def measure(config, way, batch_size):
    """Peak bytes of the steps, and numbers of weights that are trained and that are not."""
    import tensorflow as tf

    from tfwarpgan.layers.sampling import core_ops_only
    from tfwarpgan.training.loop import step_function

    tf.config.set_visible_devices([], "GPU")
    for name in set(way) & set(POLICIES):
        tf.keras.mixed_precision.set_global_policy(POLICIES[name])
    options = read_options(config, batch_size, "recompute" in way)
    batch = random_batch(batch_size, options.data.height, options.data.width)
    before = peak()
    trainer, networks = make_trainer(options)
    trained = sum(network.count_params() for network in trainer.networks.values())
    held = sum(network.count_params() for network in networks.values()) + trainer.perceptual.features.count_params()
    batches = iter(tf.data.Dataset.from_tensors(batch).repeat())
    with core_ops_only():
        step = step_function(trainer, tf.distribute.get_strategy())
        for _ in range(FLAGS.steps):
            step(batches, tf.constant(0.0))
    return {"peak": peak() - before, "trained": trained, "frozen": held - trained}


def peak():
    """Bytes that this process has held at most (VmHWM)."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))


def report(way, figures):
    """Prints the line of one way to train.

    Args:
        way: Its name.
        figures: Dictionary, batch size -> figures of `measure`.
    """
    peaks = {batch: figure["peak"] for batch, figure in sorted(figures.items())}
    batch, figure = max(figures.items())
    held = 12 * figure["trained"] + 4 * figure["frozen"]
    pair = (figure["peak"] - held) / batch
    rooms = [(float(card) - FLAGS.reserved) * GIB - held for card in FLAGS.cards]
    largest = [int(room // pair) if room > 4 * figure["trained"] else 0 for room in rooms]
    print(
        f"  {way:20s} {', '.join(f'{each}: {value / GIB:.2f}' for each, value in peaks.items())}; "
        f"{held / GIB:.2f} + {pair / GIB:.3f} a pair; batches {', '.join(map(str, largest))}",
        flush=True,
    )


if __name__ == "__main__":
    FLAGS.set_default("batches", ["1", "6"])
    app.run(main)
