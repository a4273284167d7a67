"""Scores a pipeline on the test pairs, beside the baselines that it must beat.

The pairs are read as a stream, in order, each once: the last, short batch counts like any other. A synthesized image
is rounded to the 256 levels of a PNG before it is scored, so the numbers are those of the images that a user gets.
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from tqdm import tqdm

from tfwarpgan.errors import InputError
from tfwarpgan.evaluation import baselines
from tfwarpgan.evaluation.metrics import colors
from tfwarpgan.evaluation.metrics.mean_iou import confusion_matrix, iou_by_label, mean_iou
from tfwarpgan.evaluation.metrics.metric import NO_SOURCES, Metric, Pairs
from tfwarpgan.evaluation.metrics.pose_change import pose_change
from tfwarpgan.evaluation.results import MODEL, Evaluation, Measurement, PictureHash, Result
from tfwarpgan.evaluation.scoreboard import Scoreboard
from tfwarpgan.inference.pipeline import for_any_batch_size
from tfwarpgan.layers.pixels import from_pixels, to_levels, to_pixels
from tfwarpgan.options import MetricOptions
from tfwarpgan.typing import Arrays, Batch, Image, Tensor, Tensors

COPY, MEAN = baselines.NAMES
SIDES = ("target", "condition")
IOU_PROTOCOL = "intersection over union of all test pixels, mean over the LIP labels that occur in the reference"
# Name -> (what is compared, the judged parsing, the reference); the baseline is the condition parsing as it is.
PARSINGS = {
    "parsing_miou": ("stage I's parsing against the labeled target parsing", "synthesized", "target"),
    "matcher_miou_target": (
        "the condition parsing after warping (copy_condition: before) against the labeled target parsing",
        "warped",
        "target",
    ),
    "matcher_miou_synthesized": (
        "the condition parsing after warping (copy_condition: before) against stage I's parsing",
        "warped",
        "synthesized",
    ),
}


def quantize(images: Image, quantization: str = "round") -> Tensor:
    """Images in [-1, 1] as the 256 levels of a PNG, uint8: rounded, or truncated as pose-gan and CFLD do."""
    if quantization == "round":
        return to_pixels(images)
    return tf.cast(tf.clip_by_value(to_levels(tf.cast(images, tf.float32)), 0.0, 255.0), tf.uint8)


def contenders(batch: Batch, outputs: Tensors, mean: Tensor | None, quantization: str = "round") -> dict[str, Tensor]:
    """The pictures that are scored: who (the model or a baseline) -> uint8 [B, H, W, 3]."""
    pictures = {MODEL: quantize(outputs["image"], quantization), COPY: to_pixels(baselines.copy_condition(batch))}
    if mean is not None:
        pictures[MEAN] = tf.broadcast_to(to_pixels(mean)[tf.newaxis], tf.shape(batch["target_image"]))
    return pictures


def parsing_confusions(batch: Batch, outputs: Tensors) -> dict[str, dict[str, Tensor]]:
    """Confusion matrices of the parsings over a batch: name -> who -> [20, 20].

    `warped` is the argmax of the condition's one-hot parsing sampled bilinearly by the matcher's grid. Without stage I
    (`parsing_source` ground_truth) only the labeled target is a reference. A batch without label maps has none.
    """
    if "target_parsing" not in batch:
        return {}
    scores = {"warped": "warped_parsing", "synthesized": "parsing_logits"}
    parsings = {name: tf.argmax(outputs[key], axis=-1) for name, key in scores.items() if key in outputs}
    parsings["target"] = batch["target_parsing"]
    return {
        name: {
            MODEL: confusion_matrix(parsings[reference], parsings[judged]),
            COPY: confusion_matrix(parsings[reference], batch["condition_parsing"]),
        }
        for name, (_, judged, reference) in PARSINGS.items()
        if judged in parsings and reference in parsings
    }


def evaluate(
    pipeline: Callable[[Batch], Tensors],
    dataset: Iterable[Batch],
    mean: npt.NDArray[np.float32] | None,
    metrics: Sequence[Metric],
    sources: MetricOptions = NO_SOURCES,
    max_pairs: int | None = None,
    total: int | None = None,
    progress: bool = True,
    quantization: str = "round",
    has_parsings: bool = True,
) -> Evaluation:
    """Scores a pipeline and the baselines.

    Args:
        pipeline: Callable, batch -> dictionary of `image` [B, H, W, 3] and, where they are made, `warped_parsing`
            [B, H, W, 20] and, from stage I, `parsing_logits` [B, H, W, 20]; `models.warping_gan.WarpingGAN`.
        dataset: Batches of test pairs, with names; read once.
        mean: The mean training image [H, W, 3] in [-1, 1]; None: there is none, and so not that baseline.
        metrics: What to measure beside the colors and the parsings; see `metrics.catalog`.
        sources: Files that some metrics need.
        max_pairs: Pairs to stop after; None: all.
        total: Pairs that the data set holds, for the progress bar.
        progress: Whether to draw a progress bar.
        quantization: "round" or "truncate", see `quantize`.
        has_parsings: Whether the pairs have label maps; the colors of parts are not measured without.

    Returns:
        An `Evaluation`.

    Raises:
        InputError: If there is no pair.
    """
    draw = for_any_batch_size(lambda batch: _draw(pipeline, batch, mean, quantization))
    board, seen = Scoreboard(metrics, sources, (*(["parsing"] if has_parsings else []), *SIDES)), PictureHash()
    names: list[tuple[str, str]] = []
    parts: list[dict[str, Any]] = []
    confusions: dict[str, Arrays] = {}
    with tqdm(total=total, unit="pair", desc="evaluate", disable=not progress) as bar:
        for batch in limited(dataset, max_pairs):
            drawn = tf.nest.map_structure(np.asarray, draw(tensors(batch)))
            pictures = drawn.pop("pictures")
            names += batch_names(batch)
            _score(board, batch, pictures)
            seen.update(pictures["target"])
            counts = drawn.pop("confusions")
            confusions = tf.nest.map_structure(np.add, confusions, counts) if confusions else counts
            parts.append(drawn)
            bar.update(len(names) - bar.n)
    if not names:
        raise InputError("The test split contains no pairs: there is nothing to evaluate.")
    height, width = pictures["target"].shape[1:3]
    measurement = Measurement(height, width, quantization, "of the test list", str(seen))
    found = tf.nest.map_structure(lambda *values: np.concatenate(values), *parts)
    extra = [*_color_metrics(found["colors"]), *_parsing_metrics(confusions)] if has_parsings else []
    results = [*board.results(measurement), *(_measured(result, measurement, len(names)) for result in extra)]
    return Evaluation(tuple(results), tuple(names), board.pairs(), found["pose_change"], measurement)


def _draw(
    pipeline: Callable[[Batch], Tensors], batch: Batch, mean: npt.NDArray[np.float32] | None, quantization: str
) -> dict[str, Any]:
    """What is computed of a batch in the graph: the pictures of all contenders, and what only a pipeline has."""
    outputs = pipeline(batch)
    pictures = {**contenders(batch, outputs, mean, quantization), "target": to_pixels(batch["target_image"])}
    of_parts: dict[str, Any] = {}
    if "target_parsing" in batch:
        labels = batch["target_parsing"]
        of_parts = {who: colors.part_means(from_pixels(levels), labels) for who, levels in pictures.items()}
    return {
        "pictures": pictures,
        "colors": of_parts,
        "confusions": parsing_confusions(batch, outputs),
        "pose_change": pose_change(batch, batch["target_image"].shape[1]),
    }


def _score(board: Scoreboard, batch: Batch, pictures: Arrays) -> None:
    poses = {
        side: (np.asarray(batch[f"{side}_keypoints"]), np.asarray(batch[f"{side}_visible"])) for side in SIDES
    }  # fmt: skip
    labels = np.asarray(batch["target_parsing"]) if "target_parsing" in batch else None
    for who, generated in pictures.items():
        if who != "target":
            board.update(who, Pairs(batch_names(batch), pictures["target"], generated, labels, poses))


def _measured(result: Result, measurement: Measurement, count: int) -> Result:
    return dataclasses.replace(result, measured=measurement.of(result.id), count=count)


def _color_metrics(means: Arrays) -> Iterator[Result]:
    slopes = {who: colors.slopes(means["target"], values) for who, values in means.items() if who != "target"}
    for axis, axis_name in enumerate(colors.AXIS_NAMES):
        for part, (part_name, labels) in enumerate(colors.PARTS.items()):
            found = {who: float(values[part, axis]) for who, values in slopes.items()}
            protocol = colors.PROTOCOL.format(axis=axis_name, labels=", ".join(map(str, labels)))
            name = f"color_{part_name}_{axis_name}"
            yield Result(name, f"color/{part_name}_{axis_name}", protocol, "one", found.pop(MODEL), found)


def _parsing_metrics(confusions: Mapping[str, Arrays]) -> Iterator[Result]:
    for name, counts in confusions.items():
        means = {who: float(mean_iou(matrix)) for who, matrix in counts.items()}
        by_label = tuple(np.asarray(iou_by_label(counts[MODEL])).tolist())
        protocol = f"{PARSINGS[name][0]}; {IOU_PROTOCOL}"
        id = "miou/" + name.replace("_miou", "")
        yield Result(name, id, protocol, "higher", means.pop(MODEL), means, by_label)


def limited(dataset: Iterable[Batch], max_pairs: int | None) -> Iterator[Batch]:
    """The batches of a data set up to exactly `max_pairs` pairs; the last may be cut."""
    left = max_pairs or np.inf
    for batch in dataset:
        size = int(batch["target_image"].shape[0])
        yield batch if size <= left else {key: value[: int(left)] for key, value in batch.items()}
        left -= size
        if left <= 0:
            return


def batch_names(batch: Batch) -> list[tuple[str, str]]:
    """The (condition, target) names of a batch's pairs."""
    columns = (np.asarray(batch[key]) for key in ("condition_name", "target_name"))
    return [tuple(name.decode() for name in pair) for pair in zip(*columns)]


def tensors(batch: Batch) -> dict[str, Tensor]:
    """The batch without its names, which no device but the host takes."""
    return {key: value for key, value in batch.items() if not key.endswith("_name")}
