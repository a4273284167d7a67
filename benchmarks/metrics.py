"""Time of the default metrics against that of the synthesis whose pictures they measure, and of a Frechet distance.

    python benchmarks/metrics.py [--weights=people] [--batch_size=20] [--rounds=5] [--features=2048]

Each round synthesizes a batch and measures it, in turn, so that what else the machine does falls on both; the ratio is
taken round by round (below 1: the metrics cost less). Measured are the pictures of the model alone, and those of the
model and both baselines, as `evaluate` does. `--features=0` leaves out the Frechet distance of 3,000 random pictures'
features, by whose size eigenvectors and a nuclear norm are taken.
"""

import time

import numpy as np
from absl import app, flags

flags.DEFINE_string("weights", "people", "Released weights, or a run.")
flags.DEFINE_integer("batch_size", 20, "Pairs at once.", lower_bound=1)
flags.DEFINE_integer("rounds", 5, "Measured rounds, after one that is not.", lower_bound=1)
flags.DEFINE_integer("features", 2048, "Features of the Frechet distance.", lower_bound=0)
FLAGS = flags.FLAGS


def main(argv):
    """Prints the table."""
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected argument '{argv[1]}'.")
    synthesize, batch, pairs_of = steps()
    metrics = {"model": 1, "model and baselines": 3}
    times = {name: [] for name in ("synthesis", *metrics)}
    for round_number in range(FLAGS.rounds + 1):
        found = {"synthesis": timed(lambda: synthesize(batch))}
        for name, contenders in metrics.items():
            found[name] = timed(lambda contenders=contenders: measure(pairs_of, contenders))
        if round_number:
            for name, seconds in found.items():
                times[name].append(seconds)
    for name, seconds in times.items():
        ratio = np.median(np.divide(seconds, times["synthesis"]))
        quartiles = np.percentile(1e3 * np.array(seconds), [25, 50, 75])
        print(
            f"{name:20s} {quartiles[1]:8.1f} ms [{quartiles[0]:.1f}, {quartiles[2]:.1f}]  {ratio:.3f} of the synthesis"
        )
    if FLAGS.features:
        print(f"Frechet distance of {FLAGS.features} features: {timed(frechet_distance):.1f} s")


def timed(step):
    """Seconds that a step takes."""
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def steps():
    """(function of a batch that synthesizes, a batch, its pairs as the metrics take them)."""
    from tfwarpgan.evaluation.metrics.metric import Pairs
    from tfwarpgan.flagfiles import run_options
    from tfwarpgan.inference.loading import load_pipeline
    from tfwarpgan.inference.pipeline import for_any_batch_size
    from tfwarpgan.inference.released import released_folder

    options = run_options(released_folder(FLAGS.weights))
    height, width, count = options.data.height, options.data.width, FLAGS.batch_size
    random = np.random.default_rng(0)
    batch = {
        "condition_image": random.uniform(-1, 1, (count, height, width, 3)).astype(np.float32),
        "condition_parsing": random.integers(0, 20, (count, height, width), np.uint8),
        "target_keypoints": random.uniform(0, 60, (count, 18, 2)).astype(np.float32),
        "target_visible": np.ones((count, 18), bool),
    }
    batch |= {"target_parsing": batch["condition_parsing"]}
    pipeline = load_pipeline(options, FLAGS.weights)
    draw = for_any_batch_size(lambda batch: pipeline(batch)["image"])
    pictures = random.integers(0, 256, (2, count, height, width, 3), np.uint8)
    pairs = Pairs([("", "")] * count, *pictures, batch["target_parsing"])
    print(f"{count} pairs of {height} x {width}")
    return lambda batch: draw(batch).numpy(), batch, pairs


def measure(pairs, contenders):
    """The default metrics of a batch, for a number of contenders."""
    from tfwarpgan.evaluation.metrics.catalog import chosen_metrics
    from tfwarpgan.evaluation.metrics.ids import DEFAULT, OF_PARSINGS
    from tfwarpgan.options import MetricOptions

    for metric in chosen_metrics(DEFAULT + OF_PARSINGS):
        for _ in range(contenders):
            accumulator = metric.start(MetricOptions())
            accumulator.update(pairs)
            accumulator.result()


def frechet_distance():
    """Of two sets of 3,000."""
    from tfwarpgan.evaluation.metrics import fid

    random = np.random.default_rng(0)
    sets = (random.normal(size=(3000, FLAGS.features)) for _ in range(2))
    fid.frechet_distance(*map(fid.gaussian, sets))


if __name__ == "__main__":
    app.run(main)
