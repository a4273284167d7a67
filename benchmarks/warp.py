"""Speed of the three sampling paths, forward and backward, and of instance normalization.

    python benchmarks/warp.py [--shapes=12x32x32x512,20x16x8x512] [--gradients=both --gradients=grid] [--rounds=15]

Each round runs every path once, in turn, so that what else the machine does falls on all alike; ratios are taken round
by round. A line holds, for each path, the median milliseconds with their quartiles, and the median ratio of the
gathers' time to the path's (above 1: faster than gathers). `MATRIX_POSITIONS` and `RESAMPLER_CHANNELS` in
tfwarpgan/layers/sampling.py, and `FUSED_ELEMENTS` in normalization.py, are chosen from these figures.
"""

import time

import numpy as np
from absl import app, flags

flags.DEFINE_list(
    "shapes", ["12x32x32x512", "20x16x8x512", "12x256x256x20", "20x128x64x20"], "Features as BxHxWxC; grids as BxHxW."
)
flags.DEFINE_multi_enum(
    "gradients", ["both", "features"], ["both", "features", "grid", "none"], "Gradients taken; may be given repeatedly."
)
flags.DEFINE_list("normalization_shapes", ["20x128x64x64", "20x16x8x1024"], "Features for instance normalization.")
flags.DEFINE_integer("rounds", 15, "Measured rounds, after two that are not.", lower_bound=1)
FLAGS = flags.FLAGS


def main(argv):
    """Prints the tables."""
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected argument '{argv[1]}'.")
    shapes = {text: parse_shape(text) for text in FLAGS.shapes + FLAGS.normalization_shapes}
    import tensorflow as tf

    print(f"TensorFlow {tf.__version__}, {FLAGS.rounds} rounds; median ms [quartiles], speed against the first")
    for text in FLAGS.shapes:
        for gradients in FLAGS.gradients:
            report(f"{text:14s} {gradients:8s}", sampling_steps(shapes[text], gradients))
    for text in FLAGS.normalization_shapes:
        report(f"{text:14s} {'norm':8s}", normalization_steps(shapes[text]))


def parse_shape(text):
    """'20x16x8x512' -> [20, 16, 8, 512]."""
    try:
        shape = [int(size) for size in text.split("x")]
    except ValueError:
        shape = []
    if len(shape) != 4 or min(shape) < 1:
        raise app.UsageError(f"'{text}' is not a shape; write BxHxWxC, as 20x16x8x512.")
    return shape


def sampling_steps(shape, gradients):
    """{path: function that runs one step} for features of `shape` and a mild warp at the same size."""
    import tensorflow as tf

    from tfwarpgan.compat import tensorflow_addons
    from tfwarpgan.layers import sampling, transforms

    paths = {"gather": sampling.sample_by_gather}
    if tensorflow_addons is not None:
        paths["resampler"] = sampling.sample_by_resampler
    if shape[1] * shape[2] <= 1024:
        paths["matrix"] = sampling.sample_by_matrix

    features, upstream = tf.random.normal(shape), tf.random.normal(shape)
    theta = tf.constant(transforms.IDENTITY_AFFINE) + tf.random.uniform([shape[0], 6], -0.2, 0.2)
    grid = transforms.compose(theta, tf.random.uniform([shape[0], 9, 2], -0.1, 0.1), *shape[1:3])
    sources = {"both": (0, 1), "features": (0,), "grid": (1,), "none": ()}[gradients]
    return {name: step(path, [features, grid], sources, upstream) for name, path in paths.items()}


def normalization_steps(shape):
    """{kind: function that runs one step} for features of `shape`."""
    import tensorflow as tf

    from tfwarpgan.layers import normalization

    kinds = {
        "GroupNormalization": tf.keras.layers.GroupNormalization(-1, epsilon=1e-5, center=False, scale=False),
        "closed form": lambda x: normalization.normalize_closed_form(x, 1e-5),
        "fused": lambda x: normalization.normalize_fused(x, 1e-5),
    }
    return {name: step(kind, [tf.random.normal(shape)], (0,), tf.random.normal(shape)) for name, kind in kinds.items()}


def step(function, inputs, sources, upstream):
    """A traced forward and backward pass; the gradients that `sources` does not name are pruned from it."""
    import tensorflow as tf

    @tf.function
    def traced(*inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            output = function(*inputs)
        gradients = tape.gradient(output, [inputs[source] for source in sources], upstream)
        return [output, *gradients]

    return lambda: [tensor.numpy() for tensor in traced(*inputs)]  # on a CPU no copy, but waits for the results


def report(title, steps):
    """Runs the steps in turn and prints one line."""
    times = np.zeros([FLAGS.rounds + 2, len(steps)])
    for row in times:
        for column, run in enumerate(steps.values()):
            start = time.perf_counter()
            run()
            row[column] = 1000 * (time.perf_counter() - start)
    times = times[2:]
    low, median, high = np.percentile(times, [25, 50, 75], axis=0)
    ratio = np.median(times[:, :1] / times, axis=0)
    cells = [f"{name} {median[i]:.1f} [{low[i]:.1f}, {high[i]:.1f}] x{ratio[i]:.2f}" for i, name in enumerate(steps)]
    print(title, " | ".join(cells), flush=True)


if __name__ == "__main__":
    app.run(main)
