"""The validation of a stage: its score on a fixed part of the test pairs, the best checkpoint, the early stop.

A score is made of sums over the pairs, so that several workers can share the pairs: each adds up its own, and all get
the same total and with it the same decision.
"""

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
import tensorflow as tf
from tensorflow import keras

from tfwarpgan.body.labels import NUM_LABELS
from tfwarpgan.compat import variables_of
from tfwarpgan.evaluation.metrics.mean_iou import confusion_matrix, mean_iou
from tfwarpgan.evaluation.metrics.ssim import ssim
from tfwarpgan.inference.checkpoints import BEST, average_of, checkpoints_in, stage_folder
from tfwarpgan.inference.pipeline import for_any_batch_size
from tfwarpgan.inference.scores import read_scores, write_scores
from tfwarpgan.layers.label_maps import binomial_filter
from tfwarpgan.layers.pixels import to_pixels
from tfwarpgan.models.human_parser import label_probabilities
from tfwarpgan.models.inputs import dense_inputs
from tfwarpgan.models.warping_gan import WarpingGAN
from tfwarpgan.options import Options
from tfwarpgan.training.callbacks import Logs
from tfwarpgan.training.checkpoints import remove_checkpoint, write_checkpoint
from tfwarpgan.training.pose_detector import share_found
from tfwarpgan.training.trainer import Trainer
from tfwarpgan.typing import Array, Batch, Tensor

Sums: TypeAlias = Mapping[str, Array]  # over pairs, by name
Total: TypeAlias = Callable[[Sums], Sums]  # this worker's sums -> those of all workers


def scorer(
    stage: str, trainer: Any, options: Options, batches: Iterable[Batch], total: Total = lambda sums: sums
) -> Callable[[], dict[str, float]]:
    """A function without arguments that scores the stage's current state; the first of its scores decides.

    The parsers and the matcher are scored by the mean IoU of their parsing, the pose detector by the share of joints
    that it finds, and what makes images by SSIM (`gaussian`).

    Args:
        stage: Name of the stage.
        trainer: Its trainer.
        options: `Options`.
        batches: Of the validation pairs, this worker's part of them; gone through each time.
        total: Adds up the workers' sums.
    """
    sums = for_any_batch_size(_summing(stage, trainer, options))
    measured = ("joints_found",) if stage == "pose_detector" else ("ssim", "l1")
    images = dict.fromkeys((*measured, "pairs"), np.zeros([]))
    of_labels = stage in ("human_parser", "pose_guided_parser", "geometric_matcher")
    none = {"confusions": np.zeros([NUM_LABELS] * 2)} if of_labels else images

    def score() -> dict[str, float]:
        found = none
        with averaged(trainer):
            for batch in batches:
                found = {name: found[name] + np.asarray(value, np.float64) for name, value in sums(batch).items()}
        return _scores(total(found))

    return score


def _summing(stage: str, trainer: Any, options: Options) -> Callable[[Batch], dict[str, Tensor]]:
    """A function of a batch that gives the sums of the stage: confusions of labels, or the metrics of images."""

    def human_parser(batch: Batch) -> dict[str, Tensor]:
        found = label_probabilities(trainer.networks[stage], batch["image"], average_flip=False)
        return _confusions(batch["parsing"], found)

    def pose_guided_parser(batch: Batch) -> dict[str, Tensor]:
        logits = trainer.networks[stage](dense_inputs(batch, options.data))["parsing_logits"]
        return _confusions(batch["target_parsing"], binomial_filter(logits))

    def geometric_matcher(batch: Batch) -> dict[str, Tensor]:
        pipeline = WarpingGAN(trainer.networks, options.data, "ground_truth")
        return _confusions(batch["target_parsing"], pipeline.warped(pipeline.conditions(batch))["warped_parsing"])

    def pose_detector(batch: Batch) -> dict[str, Tensor]:
        maps = trainer.networks[stage]({"image": batch["condition_image"]})["pose"]
        found = share_found(maps, batch["condition_keypoints"], batch["condition_visible"])
        return {"joints_found": tf.reduce_sum(found), "pairs": tf.shape(maps)[0]}

    def image_generator(batch: Batch) -> dict[str, Tensor]:
        image, target = trainer.pipeline(batch)["image"], batch["target_image"]
        distance = tf.reduce_mean(tf.abs(target - image), axis=[1, 2, 3])
        metrics = {"ssim": ssim(to_pixels(target), to_pixels(image)), "l1": distance}
        return {name: tf.reduce_sum(values) for name, values in metrics.items()} | {"pairs": tf.shape(target)[0]}

    return {
        "human_parser": human_parser,
        "pose_guided_parser": pose_guided_parser,
        "geometric_matcher": geometric_matcher,
        "pose_detector": pose_detector,
    }.get(stage, image_generator)


def _confusions(labels: Tensor, scores: Tensor) -> dict[str, Tensor]:
    return {"confusions": confusion_matrix(labels, tf.argmax(scores, axis=-1))}


def _scores(sums: Sums) -> dict[str, float]:
    if "confusions" in sums:
        matrix = sums["confusions"]
        found = {"mean_iou": float(mean_iou(matrix)), "pixel_accuracy": float(np.trace(matrix) / matrix.sum())}
    else:
        found = {name: float(value / sums["pairs"]) for name, value in sums.items() if name != "pairs"}
    return {f"validation_{name}": value for name, value in found.items()}


@contextlib.contextmanager
def averaged(trainer: Trainer) -> Iterator[None]:
    """Within it, the stage's own network has the running mean of its weights, if one is kept: what others will use."""
    variables = variables_of(next(iter(trainer.networks.values()))) if trainer.averages else []
    own = [tf.identity(variable) for variable in variables]
    try:
        for variable, average in zip(variables, trainer.averages, strict=True):
            variable.assign(tf.identity(average))
        yield
    finally:
        for variable, value in zip(variables, own, strict=True):
            variable.assign(value)


class Validation(keras.callbacks.Callback):
    """Scores the stage every `validate_every` steps and at its end, keeps the best checkpoint, and stops early.

    Args:
        stage: Name of the stage.
        options: `Options`.
        score: From `scorer`.
        watch: Function of a step and its scores, which logs them.
        writes: Whether this worker is the one that writes.
    """

    def __init__(
        self,
        stage: str,
        options: Options,
        score: Callable[[], dict[str, float]],
        watch: Callable[[int, dict[str, float]], None],
        writes: bool = True,
    ) -> None:
        super().__init__()
        self.stage, self.train = stage, options.train
        self.folder = stage_folder(options.train.run_dir, stage)
        self.score, self.watch, self.writes = score, watch, writes
        self.scores = read_scores(self.folder)

    def on_train_begin(self, logs: Logs = None) -> None:
        self.scores = self.scores.until(self.model.steps_done)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        if self.model.steps_done % self.train.validate_every == 0:
            self._validate()

    def on_train_end(self, logs: Logs = None) -> None:
        if self.model.steps_done >= self.train.steps_of(self.stage):
            self._validate()

    def _validate(self) -> None:
        step = self.model.steps_done
        if step in self.scores.values:  # a step that a scaled loss made void, or the last one
            return
        found = self.score()
        measure, score = next(iter(found.items()))
        improves = self.scores.improves(score)
        self.scores = self.scores.added(measure, step, score)
        if self.writes:
            self.watch(step, found)
            if improves:
                keep_best(self.model, self.folder)
            write_scores(self.folder, self.scores)
        if self.scores.ended(self.train, self.stage) and not self.model.stop_training:
            self.model.stop_training = True
            best_step, best = self.scores.best or (step, score)
            print(
                f"{self.stage}: finished early at step {step}: {self.train.patience} validations in a row were no "
                f"better than the {measure} of {best:.4f} at step {best_step}.",
                flush=True,
            )


def keep_best(trainer: Trainer, folder: str) -> None:
    """Writes the stage's own network, and the running mean of its weights, as the best; the former best goes."""
    stage, network = next(iter(trainer.networks.items()))
    objects = {stage: variables_of(network)}
    if trainer.averages:
        objects[average_of(stage)] = list(trainer.averages)
    path = os.path.join(folder, BEST, f"ckpt-{trainer.steps_done}")
    write_checkpoint(path, objects)
    for other in checkpoints_in(os.path.join(folder, BEST)):
        if other != path:
            remove_checkpoint(other)
