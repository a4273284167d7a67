"""Scores a pipeline on the test pairs, beside the baselines that it must beat.

The pairs are read as a stream, in order, each once: the last, short batch counts like any other. A synthesized picture
is rounded to the 256 levels of a PNG before it is scored, so the numbers are those of the pictures that a user gets.
"""

import dataclasses

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from tfwarpgan.errors import InputError
from tfwarpgan.evaluation import baselines
from tfwarpgan.evaluation.l1 import PROTOCOL as L1_PROTOCOL
from tfwarpgan.evaluation.l1 import l1
from tfwarpgan.evaluation.mean_iou import confusion_matrix, iou_by_label, mean_iou
from tfwarpgan.evaluation.ssim import PROTOCOLS, ssim
from tfwarpgan.inference.pipeline import for_any_batch_size
from tfwarpgan.layers.pixels import from_pixels, to_pixels

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
    """One number of the model with its protocol and the same number of the baselines."""

    name: str
    protocol: str
    higher_is_better: bool
    model: float
    baselines: dict
    by_label: tuple = ()

    @property
    def beats_baselines(self):
        sign = 1 if self.higher_is_better else -1
        return all(sign * self.model > sign * value for value in self.baselines.values())


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """The metrics over all pairs, and those of each pair (`pairs[metric][who]`, float32 [pairs])."""

    metrics: tuple
    names: tuple
    pairs: dict

    def __len__(self):
        return len(self.names)

    def ranking(self, metric="ssim_gaussian"):
        """The positions of the pairs, the best first."""
        values = self.pairs[metric][MODEL]
        return np.argsort(values if metric == "l1" else -values, kind="stable")


def quantise(images):
    """Pictures in [-1, 1], rounded to the 256 levels of a PNG."""
    return from_pixels(to_pixels(images))


def image_metrics(batch, outputs, mean, protocols=("gaussian",)):
    """SSIM and L1 of each pair: name -> who (the model or a baseline) -> float32 [B]."""
    target = batch["target_image"]
    mean = tf.broadcast_to(quantise(mean)[tf.newaxis], tf.shape(target))
    contenders = {MODEL: quantise(outputs["image"]), COPY: baselines.copy_condition(batch), MEAN: mean}
    scores = {
        f"ssim_{protocol}": {who: ssim(target, images, protocol) for who, images in contenders.items()}
        for protocol in protocols
    }
    return {**scores, "l1": {who: l1(target, images) for who, images in contenders.items()}}


def parsing_confusions(batch, outputs):
    """Confusion matrices of the parsings over a batch: name -> who -> [20, 20].

    `warped` is the argmax of the condition's one-hot parsing sampled bilinearly by the matcher's grid. Without stage I
    (`parsing_source` ground_truth) only the labeled target is a reference.
    """
    parsings = {"target": batch["target_parsing"], "warped": tf.argmax(outputs["warped_parsing"], axis=-1)}
    if "parsing_logits" in outputs:
        parsings["synthesized"] = tf.argmax(outputs["parsing_logits"], axis=-1)
    return {
        name: {
            MODEL: confusion_matrix(parsings[reference], parsings[judged]),
            COPY: confusion_matrix(parsings[reference], batch["condition_parsing"]),
        }
        for name, (_, judged, reference) in PARSINGS.items()
        if judged in parsings and reference in parsings
    }


def evaluate(pipeline, dataset, mean, protocols=("gaussian",), max_pairs=None, total=None, progress=True):
    """Scores a pipeline and the baselines.

    Args:
        pipeline: Callable, batch -> dictionary of `image` [B, H, W, 3], `warped_parsing` [B, H, W, 20] and, from stage
            I, `parsing_logits` [B, H, W, 20]; `models.warping_gan.WarpingGAN`.
        dataset: Batches of test pairs, with names; read once.
        mean: The mean training image [H, W, 3] in [-1, 1].
        protocols: SSIM protocols; the first ranks the pairs in the report.
        max_pairs: Pairs to stop after; None: all.
        total: Pairs that the data set holds, for the progress bar.
        progress: Whether to draw a progress bar.

    Returns:
        An `Evaluation`.

    Raises:
        InputError: If there is no pair.
    """

    def score_batch(batch):
        outputs = pipeline(batch)
        return image_metrics(batch, outputs, mean, protocols), parsing_confusions(batch, outputs)

    score = for_any_batch_size(score_batch)
    names, pairs, confusions = [], [], None
    with tqdm(total=total, unit="pair", desc="evaluate", disable=not progress) as bar:
        for batch in limited(dataset, max_pairs):
            names += batch_names(batch)
            scores, counts = tf.nest.map_structure(np.asarray, score(tensors(batch)))
            pairs.append(scores)
            confusions = counts if confusions is None else tf.nest.map_structure(np.add, confusions, counts)
            bar.update(len(names) - bar.n)
    if not names:
        raise InputError("The test split contains no pairs: there is nothing to evaluate.")
    pairs = tf.nest.map_structure(lambda *parts: np.concatenate(parts), *pairs)
    return Evaluation(_metrics(pairs, confusions), tuple(names), pairs)


def _metrics(pairs, confusions):
    metrics = []
    for name, scores in pairs.items():
        protocol = L1_PROTOCOL if name == "l1" else f"{name[5:]}: {PROTOCOLS[name[5:]]}"
        means = {who: float(np.mean(values, dtype=np.float64)) for who, values in scores.items()}
        metrics.append(Metric(name, protocol, name != "l1", means.pop(MODEL), means))
    for name, counts in confusions.items():
        means = {who: float(mean_iou(matrix)) for who, matrix in counts.items()}
        by_label = tuple(np.asarray(iou_by_label(counts[MODEL])).tolist())
        protocol = f"{PARSINGS[name][0]}; {IOU_PROTOCOL}"
        metrics.append(Metric(name, protocol, True, means.pop(MODEL), means, by_label))
    return tuple(metrics)


def limited(dataset, max_pairs):
    """The batches of a data set up to exactly `max_pairs` pairs; the last may be cut."""
    left = max_pairs or np.inf
    for batch in dataset:
        size = int(batch["target_image"].shape[0])
        yield batch if size <= left else {key: value[: int(left)] for key, value in batch.items()}
        left -= size
        if left <= 0:
            return


def batch_names(batch):
    """The (condition, target) names of a batch's pairs."""
    columns = (np.asarray(batch[key]) for key in ("condition_name", "target_name"))
    return [tuple(name.decode() for name in pair) for pair in zip(*columns)]


def tensors(batch):
    """The batch without its names, which no device but the host takes."""
    return {key: value for key, value in batch.items() if not key.endswith("_name")}
