"""The score of a human parser: intersection over union by label, on the validation images of LIP."""

import json
import os
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from tfwarpgan.body.labels import LABELS
from tfwarpgan.evaluation.metrics.mean_iou import confusion_matrix, iou_by_label, mean_iou
from tfwarpgan.storage.writing import write_atomically
from tfwarpgan.typing import Batch, Image, Tensor


def evaluate_human_parser(
    parse: Callable[[Image], Tensor], dataset: Iterable[Batch], progress: bool = True
) -> dict[str, Any]:
    """Scores a human parser.

    Args:
        parse: Function of images [B, H, W, 3] in [-1, 1] -> scores of the labels [B, H, W, 20].
        dataset: Batches of `image` and `parsing` [B, H, W], 255 ignored, that end.
        progress: Whether to draw a progress bar.

    Returns:
        Dictionary: `mean_iou`, over the labels that occur; `iou`, by name of the label, None where it does not occur;
        `pixel_accuracy`; `pixels`.
    """
    matrix = np.zeros([len(LABELS)] * 2)
    for batch in tqdm(dataset, desc="evaluating", unit="batch", mininterval=1.0, disable=not progress):
        matrix += confusion_matrix(batch["parsing"], tf.argmax(parse(batch["image"]), axis=-1)).numpy()
    values = [None if np.isnan(value) else float(value) for value in iou_by_label(matrix).numpy()]
    return {
        "mean_iou": float(mean_iou(matrix)),
        "iou": dict(zip(LABELS, values, strict=True)),
        "pixel_accuracy": float(np.trace(matrix) / matrix.sum()),
        "pixels": int(matrix.sum()),
    }


def write_human_parser_report(metrics: dict[str, Any], folder: str) -> tuple[str, str]:
    """Writes metrics.json into the folder; gives its path and a readable table."""
    path = os.path.join(folder, "metrics.json")
    write_atomically(path, json.dumps(metrics, indent=2) + "\n")
    rows = [(label, "-" if value is None else f"{value:.3f}") for label, value in metrics["iou"].items()]
    rows += [("mean", f"{metrics['mean_iou']:.3f}"), ("pixel accuracy", f"{metrics['pixel_accuracy']:.3f}")]
    return path, "\n".join(f"{name:15} {value:>6}" for name, value in rows)
