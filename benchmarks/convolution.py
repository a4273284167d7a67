"""Speed of a convolution as oneDNN computes it and as Winograd's minimal filtering, forward and both gradients.

    python benchmarks/convolution.py [--shapes=4x16x8x1024,20x16x8x1024,8x16x8x512,8x32x16x256] [--rounds=9]

Each round runs both in turn; ratios are taken round by round. `WINOGRAD_CHANNELS` in tfwarpgan/layers/convolution.py is
chosen from these figures. One thread by default, so that the figures are of the arithmetic, not of the scheduler.
"""

import time

import numpy as np
from absl import app, flags

flags.DEFINE_list(
    "shapes",
    ["4x16x8x1024", "20x16x8x1024", "8x16x8x512", "8x32x16x256", "8x64x32x128"],
    "Features as BxHxWxC; as many channels come out.",
)
flags.DEFINE_integer("rounds", 9, "Measured rounds, after two that are not.", lower_bound=1)
flags.DEFINE_integer("threads", 1, "Threads of TensorFlow.", lower_bound=1)
FLAGS = flags.FLAGS


def main(argv):
    """Prints a line per shape."""
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected argument '{argv[1]}'.")
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(FLAGS.threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    print(f"TensorFlow {tf.__version__}, {FLAGS.threads} threads; median GFLOP/s, and its speed-up")
    for text in FLAGS.shapes:
        report(text, [int(size) for size in text.split("x")])


def steps(shape):
    """Name -> function that runs a 3x3 convolution of `shape` forward and backward once."""
    import tensorflow as tf

    from tfwarpgan.layers.winograd import winograd_convolution

    inputs = tf.random.normal(shape)
    kernel = tf.random.normal([3, 3, shape[-1], shape[-1]], stddev=0.01)

    def step(convolve):
        @tf.function
        def run():
            outputs = convolve(inputs, kernel)
            return [tf.reduce_sum(gradient) for gradient in tf.gradients(outputs, [inputs, kernel], outputs)]

        return lambda: [value.numpy() for value in run()]

    return {
        "convolution": step(lambda inputs, kernel: tf.nn.conv2d(inputs, kernel, 1, "SAME")),
        "winograd": step(winograd_convolution),
    }


def report(text, shape):
    """Measures one shape and prints its line."""
    runs = steps(shape)
    times = {name: [] for name in runs}
    for _ in range(FLAGS.rounds + 2):
        for name, run in runs.items():
            start = time.process_time()
            run()
            times[name].append(time.process_time() - start)
    times = {name: np.array(values[2:]) for name, values in times.items()}
    batch, height, width, channels = shape
    operations = 3 * 2 * batch * height * width * 9 * channels**2
    rates = ", ".join(f"{name} {operations / np.median(values) / 1e9:6.1f}" for name, values in times.items())
    print(f"{text:14s} {rates}, x {np.median(times['convolution'] / times['winograd']):.2f}", flush=True)


if __name__ == "__main__":
    app.run(main)
