"""Speed of the full-size training step of the warping generator, against the same networks in PyTorch.

    python benchmarks/train_step.py [--batches=4,20] [--rounds=7] [--compile] [--precision=bfloat16] [--device=cuda]

Needs `pip install '.[benchmarks]'`. A step is the whole of it: frozen parser and matcher, generator, discriminator,
VGG19, both gradients, both Adam steps, in the loop that `tfwarpgan.train` runs. The two take turns in one process, and
the ratio is taken round by round, so that what else the machine does falls on both alike. With --device=cuda both
compute on a GPU; that was never run. Floating-point operations are those of all convolutions and matrix
products of the peer's step, forward and backward, as PyTorch counts them; their rate is set against a large float32
matrix product measured between the rounds (the faster library's).
"""

import functools
import time

import numpy as np
from absl import app, flags
from processor import processor

flags.DEFINE_list("batches", ["4", "20"], "Batch sizes.")
flags.DEFINE_integer("rounds", 7, "Measured rounds, after one that is not.", lower_bound=1)
flags.DEFINE_integer("height", 128, "Height of the pictures.")
flags.DEFINE_integer("width", 64, "Width of the pictures.")
flags.DEFINE_integer("network_width", 64, "Channels of each network's first convolution; 64 is the full size.")
flags.DEFINE_integer("matrix", 4096, "Rows of the square matrices of the product.")
flags.DEFINE_integer("threads", 0, "Threads of either framework; 0: as they choose.", lower_bound=0)
flags.DEFINE_bool("channels_last", False, "NHWC tensors in PyTorch.")
flags.DEFINE_bool("fused_adam", False, "PyTorch's fused Adam.")
flags.DEFINE_bool("compile", False, "PyTorch's networks through torch.compile; otherwise eager.")
flags.DEFINE_enum("precision", "float32", ["float32", "bfloat16"], "Mixed bfloat16 in TensorFlow, autocast in PyTorch.")
flags.DEFINE_enum("device", "cpu", ["cpu", "cuda"], "PyTorch's device; TensorFlow takes a GPU that it sees by itself.")
flags.DEFINE_bool("jit_compile", False, "XLA for TensorFlow's step.")
FLAGS = flags.FLAGS


def main(argv):
    """Prints a block of figures per batch size."""
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected argument '{argv[1]}'.")
    import tensorflow as tf
    import torch

    if FLAGS.threads:
        torch.set_num_threads(FLAGS.threads)
        tf.config.threading.set_intra_op_parallelism_threads(FLAGS.threads)
    if FLAGS.precision == "bfloat16":
        tf.keras.mixed_precision.set_global_policy("mixed_bfloat16")
    if FLAGS.device == "cpu":
        tf.config.set_visible_devices([], "GPU")
    elif not tf.config.list_physical_devices("GPU"):
        raise app.UsageError("TensorFlow sees no GPU: --device=cuda would compare its CPU with PyTorch's GPU.")
    compiled = " compiled" if FLAGS.compile else ""
    print(f"{processor()}; TensorFlow {tf.__version__}, PyTorch {torch.__version__}{compiled}, {FLAGS.precision}")
    for batch_size in map(int, FLAGS.batches):
        report(batch_size)


def benchmark_options(batch_size):
    """The options of configs/market.flags at the flags' sizes; the weights of VGG do not matter here."""
    from tfwarpgan.options import DataOptions, LossOptions, NetworkOptions, Options

    width = FLAGS.network_width
    networks = NetworkOptions(parser_width=width, matcher_width=width, generator_width=width, discriminator_width=width)
    data = DataOptions(height=FLAGS.height, width=FLAGS.width, batch_size=batch_size)
    return Options(data=data, networks=networks, losses=LossOptions(perceptual_weights="none"))


def random_batch(batch_size, height, width):
    """A batch as the data pipeline gives it, of noise, as NumPy arrays."""
    generator = np.random.default_rng(0)
    batch = {}
    for side in ("condition", "target"):
        labels = generator.integers(0, 20, [batch_size, height // 8, width // 8], np.uint8)
        batch[f"{side}_image"] = generator.uniform(-1, 1, [batch_size, height, width, 3]).astype(np.float32)
        batch[f"{side}_parsing"] = labels.repeat(8, axis=1).repeat(8, axis=2)
        batch[f"{side}_keypoints"] = generator.uniform(0, [height, width], [batch_size, 18, 2]).astype(np.float32)
        batch[f"{side}_visible"] = generator.uniform(size=[batch_size, 18]) > 0.2
    return batch


def make_trainer(options):
    """The trainer that `tfwarpgan.train` uses, on stages that were not trained."""
    from tfwarpgan.models import build
    from tfwarpgan.models.perceptual import PerceptualFeatures
    from tfwarpgan.models.warping_gan import WarpingGAN
    from tfwarpgan.training.image_generator import ImageGeneratorTrainer
    from tfwarpgan.training.optimization import make_optimizer

    names = ("pose_guided_parser", "geometric_matcher", "warping_generator")
    built = {name: getattr(build, name)(options) for name in names}
    networks = {
        "warping_generator": built["warping_generator"],
        "discriminator": build.generator_discriminator(options),
    }
    perceptual = PerceptualFeatures(options.losses.perceptual_network, options.losses.perceptual_weights)
    trainer = ImageGeneratorTrainer(networks, WarpingGAN(built, options.data), options.losses, perceptual)
    optimizer = functools.partial(make_optimizer, options.train, options.train.generator_steps)
    trainer.compile_networks(optimizer, FLAGS.jit_compile)
    return trainer, {**networks, **built}


def tensorflow_step(options, batch):
    """(function that runs one step of the real trainer, numbers of parameters by network)."""
    import tensorflow as tf

    from tfwarpgan.training.loop import step_function

    trainer, networks = make_trainer(options)
    step = step_function(trainer, tf.distribute.get_strategy())
    batches = iter(tf.data.Dataset.from_tensors(batch).repeat())

    def run():
        logs, _ = step(batches, tf.constant(0.0))
        return {name: float(value) for name, value in logs.items()}

    return run, {name: network.count_params() for name, network in networks.items()}


def torch_step(options, batch):
    """(function that runs one step of the peer, numbers of parameters by network)."""
    from torch_peer import TorchPeer

    peer = TorchPeer(options.networks, FLAGS.height, FLAGS.width, FLAGS.channels_last, FLAGS.fused_adam, FLAGS.device)
    if FLAGS.compile:
        peer.compile()
    peer.half = FLAGS.precision == "bfloat16"
    tensors = peer.tensors(batch)
    return lambda: peer.step(tensors), peer.parameters()


def matrix_products():
    """Two functions that multiply large matrices, one per framework."""
    import tensorflow as tf
    import torch

    a, b = (np.random.default_rng(seed).normal(size=[FLAGS.matrix] * 2).astype(np.float32) for seed in (0, 1))
    tf_a, tf_b = tf.constant(a), tf.constant(b)
    torch_a, torch_b = (torch.from_numpy(each).to(FLAGS.device) for each in (a, b))
    # Its last element tells that a product is done, also where it is computed on a GPU.
    return {"TensorFlow": lambda: float((tf_a @ tf_b)[-1, -1]), "PyTorch": lambda: float((torch_a @ torch_b)[-1, -1])}


def counted_operations(step):
    """Floating-point operations of one step of the peer."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        step()
    return counter.get_total_flops()


def seconds(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def report(batch_size):
    """Measures one batch size and prints its figures."""
    options = benchmark_options(batch_size)
    batch = random_batch(batch_size, FLAGS.height, FLAGS.width)
    tensorflow, tensorflow_sizes = tensorflow_step(options, batch)
    torch, torch_sizes = torch_step(options, batch)
    check_sizes(tensorflow_sizes, torch_sizes)
    operations = counted_operations(torch)  # the peer's first step; it is not measured
    tensorflow()
    products = matrix_products()
    runs = {"tensorflow": tensorflow, "torch": torch, **products}
    times = {name: [] for name in runs}
    for _ in range(FLAGS.rounds):
        for name, run in runs.items():
            times[name].append(seconds(run))
    print_figures(batch_size, operations, {name: np.array(values) for name, values in times.items()})


def check_sizes(tensorflow, torch):
    """Refuses to compare networks of different sizes."""
    same = {
        "generator": "warping_generator", "discriminator": "discriminator",
        "parser": "pose_guided_parser", "matcher": "geometric_matcher",
    }  # fmt: skip
    for ours, theirs in same.items():
        if torch[ours] != tensorflow[theirs]:
            raise RuntimeError(f"{theirs}: {tensorflow[theirs]} parameters in TensorFlow, {torch[ours]} in PyTorch.")


def print_figures(batch_size, operations, times):
    """Prints medians with the least and the greatest value.

    Args:
        batch_size: Pictures in a step.
        operations: Floating-point operations of a step.
        times: Seconds per round, by what was run.
    """
    products = {name: 2 * FLAGS.matrix**3 / times[name] / 1e9 for name in ("TensorFlow", "PyTorch")}
    fastest = max(products.values(), key=np.median)
    print(f"\nBatch {batch_size}: {operations / batch_size / 1e9:.1f} GFLOP per picture, {FLAGS.rounds} rounds")
    for name in ("tensorflow", "torch"):
        rate = operations / times[name] / 1e9
        print(f"  {name:10s} {spread(batch_size / times[name])} pictures/s, {spread(rate)} GFLOP/s, ", end="")
        print(f"{spread(100 * rate / fastest)} % of the matrix product")
    print(f"  ratio      {spread(times['torch'] / times['tensorflow'])}")
    for name, rate in products.items():
        print(f"  matrix product, {name}: {spread(rate)} GFLOP/s", flush=True)


def spread(values):
    """'median [least, greatest]'."""
    return f"{np.median(values):.2f} [{values.min():.2f}, {values.max():.2f}]"


if __name__ == "__main__":
    app.run(main)
