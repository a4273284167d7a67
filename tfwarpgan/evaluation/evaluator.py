"""Scores a pipeline on the test pairs, beside the baselines that it must beat.

The pairs are read as a stream, in order, each once: the last, short batch counts like any other. A synthesized image
is rounded to the 256 levels of a PNG before it is scored, so the numbers are those of the images that a user gets.
"""

import dataclasses
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from tqdm import tqdm

from tfwarpgan.errors import InputError
from tfwarpgan.evaluation import baselines, colors
from tfwarpgan.evaluation.detail import PROTOCOL as DETAIL_PROTOCOL
from tfwarpgan.evaluation.detail import TEXTURE_PROTOCOL, detail, texture
from tfwarpgan.evaluation.l1 import PERSON_PROTOCOL as L1_PERSON_PROTOCOL
from tfwarpgan.evaluation.l1 import PROTOCOL as L1_PROTOCOL
from tfwarpgan.evaluation.l1 import l1, l1_person
from tfwarpgan.evaluation.mean_iou import confusion_matrix, iou_by_label, mean_iou
from tfwarpgan.evaluation.person import person_of
from tfwarpgan.evaluation.pose_change import pose_change
from tfwarpgan.evaluation.ssim import PERSON_PROTOCOL, PROTOCOLS, ssim, ssim_person
from tfwarpgan.inference.pipeline import for_any_batch_size
from tfwarpgan.layers.pixels import from_pixels, to_pixels
from tfwarpgan.typing import Array, Arrays, Batch, Image, Tensor, Tensors

# Metrics of a pair whose goal is not "higher".
GOALS = {"l1": "lower", "l1_person": "lower", "texture": "one"}
PAIR_PROTOCOLS = {
    **{f"ssim_{name}": f"{name}: {protocol}" for name, protocol in PROTOCOLS.items()},
    "l1": L1_PROTOCOL,
    "ssim_person": PERSON_PROTOCOL,
    "l1_person": L1_PERSON_PROTOCOL,
    "detail": DETAIL_PROTOCOL,
    "texture": TEXTURE_PROTOCOL,
}
MODEL, COPY, MEAN = "model", *baselines.NAMES
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


@dataclasses.dataclass(frozen=True)
class Metric:
    """One number of the model with its protocol and the same number of the baselines.

    `goal` says what is better: "higher", "lower", or "one", a number near 1.
    """

    name: str
    protocol: str
    goal: str
    model: float
    baselines: dict[str, float]
    by_label: tuple[float, ...] = ()

    @property
    def beats_baselines(self) -> bool:
        return all(self._distance(self.model) < self._distance(value) for value in self.baselines.values())

    def _distance(self, value: float) -> float:
        return {"higher": -value, "lower": value, "one": abs(value - 1.0)}[self.goal]


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """The metrics over all pairs, and those of each pair (`pairs[metric][who]`, float32 [pairs]).

    `pose_change` is the size of each pair's change of pose, float32 [pairs], see `pose_change`.
    """

    metrics: tuple[Metric, ...]
    names: tuple[tuple[str, str], ...]
    pairs: dict[str, dict[str, Array]]
    pose_change: Array

    def __len__(self) -> int:
        return len(self.names)

    def ranking(self, metric: str = "ssim_gaussian") -> npt.NDArray[np.intp]:
        """The positions of the pairs, the best first."""
        values = self.pairs[metric][MODEL]
        return np.argsort(values if GOALS.get(metric) == "lower" else -values, kind="stable")


def quantize(images: Image) -> Image:
    """Images in [-1, 1], rounded to the 256 levels of a PNG."""
    return from_pixels(to_pixels(images))


def contenders(batch: Batch, outputs: Tensors, mean: Tensor | None) -> dict[str, Image]:
    """The images that are scored: who (the model or a baseline) -> float [B, H, W, 3] in [-1, 1]."""
    images = {MODEL: quantize(outputs["image"]), COPY: baselines.copy_condition(batch)}
    if mean is not None:
        images[MEAN] = tf.broadcast_to(quantize(mean)[tf.newaxis], tf.shape(batch["target_image"]))
    return images


def image_metrics(
    batch: Batch, images_of: Mapping[str, Image], protocols: Sequence[str] = ("gaussian",)
) -> dict[str, dict[str, Tensor]]:
    """The metrics of each pair: name -> who -> float32 [B]; see `contenders`."""
    target, parsing = batch["target_image"], batch["target_parsing"]
    person = person_of(parsing)
    metrics: dict[str, Callable[[Image, Image], Tensor]] = {
        f"ssim_{protocol}": functools.partial(ssim, protocol=protocol) for protocol in protocols
    }
    metrics |= {
        "l1": l1,
        "ssim_person": functools.partial(ssim_person, person=person),
        "l1_person": functools.partial(l1_person, person=person),
        "detail": functools.partial(detail, person=person),
        "texture": functools.partial(texture, parsing=parsing),
    }
    return {
        name: {who: metric(target, images) for who, images in images_of.items()} for name, metric in metrics.items()
    }


def parsing_confusions(batch: Batch, outputs: Tensors) -> dict[str, dict[str, Tensor]]:
    """Confusion matrices of the parsings over a batch: name -> who -> [20, 20].

    `warped` is the argmax of the condition's one-hot parsing sampled bilinearly by the matcher's grid. Without stage I
    (`parsing_source` ground_truth) only the labeled target is a reference.
    """
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
    protocols: Sequence[str] = ("gaussian",),
    max_pairs: int | None = None,
    total: int | None = None,
    progress: bool = True,
) -> Evaluation:
    """Scores a pipeline and the baselines.

    Args:
        pipeline: Callable, batch -> dictionary of `image` [B, H, W, 3] and, where they are made, `warped_parsing`
            [B, H, W, 20] and, from stage I, `parsing_logits` [B, H, W, 20]; `models.warping_gan.WarpingGAN`.
        dataset: Batches of test pairs, with names; read once.
        mean: The mean training image [H, W, 3] in [-1, 1]; None: there is none, and so not that baseline.
        protocols: SSIM protocols; the first ranks the pairs in the report.
        max_pairs: Pairs to stop after; None: all.
        total: Pairs that the data set holds, for the progress bar.
        progress: Whether to draw a progress bar.

    Returns:
        An `Evaluation`.

    Raises:
        InputError: If there is no pair.
    """

    def score_batch(batch: Batch) -> tuple[dict[str, Any], dict[str, dict[str, Tensor]]]:
        outputs = pipeline(batch)
        images_of = contenders(batch, outputs, mean)
        shown = {**images_of, "target": batch["target_image"]}
        means = {who: colors.part_means(images, batch["target_parsing"]) for who, images in shown.items()}
        scores = {
            "pairs": image_metrics(batch, images_of, protocols),
            "colors": means,
            "pose_change": pose_change(batch, batch["target_image"].shape[1]),
        }
        return scores, parsing_confusions(batch, outputs)

    score = for_any_batch_size(score_batch)
    names: list[tuple[str, str]] = []
    parts: list[dict[str, Any]] = []
    confusions: dict[str, Arrays] = {}
    with tqdm(total=total, unit="pair", desc="evaluate", disable=not progress) as bar:
        for batch in limited(dataset, max_pairs):
            names += batch_names(batch)
            scores, counts = tf.nest.map_structure(np.asarray, score(tensors(batch)))
            parts.append(scores)
            confusions = tf.nest.map_structure(np.add, confusions, counts) if confusions else counts
            bar.update(len(names) - bar.n)
    if not names:
        raise InputError("The test split contains no pairs: there is nothing to evaluate.")
    scores = tf.nest.map_structure(lambda *values: np.concatenate(values), *parts)
    pairs = scores["pairs"]
    metrics = [*_pair_metrics(pairs), *_color_metrics(scores["colors"]), *_parsing_metrics(confusions)]
    return Evaluation(tuple(metrics), tuple(names), pairs, scores["pose_change"])


def _pair_metrics(pairs: Mapping[str, Arrays]) -> Iterator[Metric]:
    for name, scores in pairs.items():
        means = {who: _mean(values) for who, values in scores.items()}
        yield Metric(name, PAIR_PROTOCOLS[name], GOALS.get(name, "higher"), means.pop(MODEL), means)


def _mean(values: Array) -> float:
    """The mean of those that are numbers: a pair without a person has no mean over it."""
    values = values[np.isfinite(values)]
    return float(np.mean(values, dtype=np.float64)) if len(values) else float("nan")


def _color_metrics(means: Arrays) -> Iterator[Metric]:
    slopes = {who: colors.slopes(means["target"], values) for who, values in means.items() if who != "target"}
    for axis, axis_name in enumerate(colors.AXIS_NAMES):
        for part, (part_name, labels) in enumerate(colors.PARTS.items()):
            found = {who: float(values[part, axis]) for who, values in slopes.items()}
            protocol = colors.PROTOCOL.format(axis=axis_name, labels=", ".join(map(str, labels)))
            yield Metric(f"color_{part_name}_{axis_name}", protocol, "one", found.pop(MODEL), found)


def _parsing_metrics(confusions: Mapping[str, Arrays]) -> Iterator[Metric]:
    for name, counts in confusions.items():
        means = {who: float(mean_iou(matrix)) for who, matrix in counts.items()}
        by_label = tuple(np.asarray(iou_by_label(counts[MODEL])).tolist())
        protocol = f"{PARSINGS[name][0]}; {IOU_PROTOCOL}"
        yield Metric(name, protocol, "higher", means.pop(MODEL), means, by_label)


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
