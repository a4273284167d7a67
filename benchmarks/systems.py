"""Parameters, multiplications and pictures a second of each --model at its full size, as rows of a Markdown table.

    python benchmarks/systems.py                              # 128x64, untrained weights
    python benchmarks/systems.py --height=256 --width=256
    python benchmarks/systems.py --rounds=0                   # counts alone
    python benchmarks/systems.py --peer=true                  # pix2pix, PG2 and warpgan in PyTorch, too

Parameters are those that the graph of one picture reads, of all networks (AUNET's prior is not among them), and GMAC
the multiplications of its convolutions and dense layers, in thousands of millions. Pictures a second: the median of the
rounds (lowest to highest), one pair at a time, on all processors; with the peer, which takes turns with the graph, how
many times as fast the graph is as PyTorch, run eagerly. `--peer` needs `pip install '.[benchmarks]'`.
"""

import dataclasses
import math
import os
import time

from processor import processor
from serving import spread

from tfwarpgan.command_line import run_command
from tfwarpgan.options import NetworkOptions, Options, option, stages_of
from tfwarpgan.options.systems import SYSTEMS

WIDTHS = {"aunet": 32, "bodyroi7": 128, "pg2": 128}  # those of the papers; all others 64


@dataclasses.dataclass(frozen=True)
class BenchmarkOptions:
    """What is measured."""

    rounds: int = option(5, "Measured rounds, after one that is not; 0: counts alone.", minimum=0)
    systems: str = option(",".join(SYSTEMS), "Which of them.")
    peer: bool = option(False, "Compare with PyTorch where torch_systems.py has the system.")


def measure(options, benchmark):
    """Prints a row for each system."""
    from tfwarpgan.serving.service import allocator

    allocator.keep_freed_memory()
    os.environ["TF_ONEDNN_ASSUME_FROZEN_WEIGHTS"] = "1"  # as rendered servers do
    print(f"{processor()}, {options.data.height}x{options.data.width}, batch 1")
    print("| `--model` | parameters, M | GMAC | pictures/s | times PyTorch |\n|---|---|---|---|---|")
    for model in benchmark.systems.split(","):
        networks = NetworkOptions(model=model, generator_width=WIDTHS.get(model, 64))
        parameters, multiplications, times = figures(dataclasses.replace(options, networks=networks), benchmark)
        rate = spread([1 / own for own, _ in times]) if times else ""
        ratio = spread([theirs / own for own, theirs in times]) if times and times[0][1] else ""
        print(f"| `{model}` | {parameters / 1e6:.1f} | {multiplications / 1e9:.1f} | {rate} | {ratio} |", flush=True)


def figures(options, benchmark):
    """(parameters, multiplications, list of seconds of a picture here and in PyTorch) of a system's pipeline."""
    import tensorflow as tf
    from tensorflow import keras

    from tfwarpgan.layers.sampling import core_ops_only
    from tfwarpgan.models.catalog import build_network, build_pipeline

    keras.backend.clear_session()
    pipeline = build_pipeline({stage: build_network(stage, options) for stage in stages_of(options)}, options)
    height, width = options.data.height, options.data.width
    batch = {}
    for side in ("condition", "target"):
        batch[f"{side}_image"] = tf.random.stateless_uniform([1, height, width, 3], [1, 2], -1.0, 1.0)
        batch[f"{side}_parsing"] = tf.zeros([1, height, width], tf.uint8)
        batch[f"{side}_keypoints"] = tf.random.stateless_uniform([1, 18, 2], [3, 4]) * [float(height), float(width)]
        batch[f"{side}_visible"] = tf.ones([1, 18], tf.bool)
    with core_ops_only():
        answer = tf.function(pipeline).get_concrete_function({key: batch[key] for key in pipeline.inputs})
    graph = answer.graph
    parameters = sum(math.prod(variable.shape) for variable in graph.variables)
    inputs = {key: batch[key] for key in pipeline.inputs}
    theirs = peer_of(options, parameters) if benchmark.peer else None
    runs = [lambda: tf.nest.map_structure(lambda value: value.numpy(), answer(inputs)), *([theirs] if theirs else [])]
    times = []
    for _ in range(benchmark.rounds + 1 if benchmark.rounds else 0):
        times.append([seconds_of(run) for run in runs] + ([] if theirs else [None]))
    return parameters, sum(map(multiplications_of, graph.get_operations())), times[1:]


def peer_of(options, parameters):
    """Function that draws a picture in PyTorch, by as many parameters; None where no peer is written."""
    from torch_systems import peer

    draw, count = peer(options.networks.model, options)
    if draw and count != parameters:
        raise AssertionError(f"{options.networks.model}: {parameters} parameters here, {count} in PyTorch")
    return draw


def seconds_of(run):
    """How long a function takes."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def multiplications_of(operation):
    """How often an operation of a graph multiplies, if it is a convolution or a product of matrices."""
    if operation.type == "Conv2D":  # each result, by the part of the kernel that makes it
        return math.prod(operation.outputs[0].shape) * math.prod(operation.inputs[1].shape[:3])
    if operation.type == "Conv2DBackpropInput":  # a transposed convolution: each input, by what it goes to
        return math.prod(operation.inputs[2].shape) * math.prod(operation.inputs[1].shape[:3])
    if operation.type in ("MatMul", "BatchMatMulV2") and all(
        each.shape.is_fully_defined() for each in operation.inputs
    ):
        first, second = operation.inputs
        return math.prod(first.shape) * second.shape[-2 if operation.get_attr(_TURNED[operation.type]) else -1]
    return 0


_TURNED = {"MatMul": "transpose_b", "BatchMatMulV2": "adj_y"}


if __name__ == "__main__":
    run_command(measure, Options, BenchmarkOptions, takes=("height", "width"))
