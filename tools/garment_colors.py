"""How well garments keep their colors, along the principal axes of color.

    python tools/garment_colors.py --run_dir=runs/demo
    python tools/garment_colors.py --weights=people

Over all test pairs, the mean color of each garment (where the target's labeled parsing shows it) in the synthesized
picture against that in the target: the slope of the line through them, 1 where colors are kept and 0 where they do not
depend on the person, and their correlation. SSIM hardly sees color, and L1 is mostly pose and background.
"""

import dataclasses

import numpy as np

from tfwarpgan.command_line import run_command
from tfwarpgan.options import DatasetOptions, Options, option

GARMENTS = ("upper-clothes", "dress", "coat", "pants", "jumpsuits", "skirt")
LEAST_SHARE = 0.01  # of the picture's pixels that a garment must cover
AXES = ("lightness", "red against blue", "green against purple")


@dataclasses.dataclass(frozen=True)
class BenchmarkOptions:
    """Which networks."""

    weights: str = option("", "Released weights instead of those of --run_dir.")


def garment_means(images, parsing, label):
    """Mean colors [n, 3] of those of the pictures [B, H, W, 3] that show enough of a label."""
    mask = (parsing == label)[..., np.newaxis]
    counts = mask.sum(axis=(1, 2))
    there = counts[:, 0] >= LEAST_SHARE * parsing[0].size
    return (images * mask).sum(axis=(1, 2))[there] / counts[there]


def measure(options, benchmark):
    """Measures and prints."""
    from tfwarpgan.body.labels import LABELS
    from tfwarpgan.data.batches.pairs import pairs_dataset
    from tfwarpgan.data.records.preparation import prepare
    from tfwarpgan.inference.loading import load_pipeline
    from tfwarpgan.inference.pipeline import for_any_batch_size
    from tfwarpgan.layers.colors import decorrelate_colors

    synthesize = for_any_batch_size(load_pipeline(options, benchmark.weights))
    means = {"synthesized": [], "target": []}
    for batch in pairs_dataset(prepare(options.data), options.data, split="test"):
        pictures = {"synthesized": synthesize(batch)["image"], "target": batch["target_image"]}
        for who, images in pictures.items():
            axes = decorrelate_colors(images).numpy()
            for garment in GARMENTS:
                means[who].append(garment_means(axes, batch["target_parsing"].numpy(), LABELS.index(garment)))
    synthesized, target = (np.concatenate(means[who]) for who in ("synthesized", "target"))
    print(f"{len(target)} garments of test pairs")
    for axis, name in enumerate(AXES):
        slope, _ = np.polyfit(target[:, axis], synthesized[:, axis], 1)
        correlation = np.corrcoef(target[:, axis], synthesized[:, axis])[0, 1]
        print(f"{name}: slope {slope:.2f}, correlation {correlation:.2f}")


if __name__ == "__main__":
    run_command(measure, Options, BenchmarkOptions, takes=("run_dir", "batch_size", DatasetOptions), reads_run=True)
