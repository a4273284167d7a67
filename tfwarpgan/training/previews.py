"""What each stage shows of itself while it trains: a picture grid, always of the same test pictures."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tfwarpgan.body.labels import NUM_LABELS
from tfwarpgan.data.records.preparation import Prepared
from tfwarpgan.evaluation.metrics.pose_change import pose_change
from tfwarpgan.layers.label_maps import binomial_filter
from tfwarpgan.models.inputs import dense_inputs, pose_of
from tfwarpgan.models.warping_gan import WarpingGAN
from tfwarpgan.options import Options
from tfwarpgan.storage.pixels import to_pixels
from tfwarpgan.training.validation import averaged
from tfwarpgan.typing import Batch, Picture
from tfwarpgan.viewing import drawing
from tfwarpgan.viewing.joint_maps import joint_map_columns

ROWS = 8
Columns: TypeAlias = dict[str, Any]  # title -> uint8 pictures


def spread(prepared: Prepared, count: int = ROWS) -> list[int]:
    """Test pairs that show what the whole split is like: other people each, from the least change of pose to the most.

    Args:
        prepared: `preparation.Prepared`, of pairs.
        count: Of pairs; a split with fewer gives all.

    Returns:
        Positions in the test split, ascending: one in each of `count` stretches of equal length, its change of pose
        ranking in its stretch as the stretch does among all.
    """
    height = prepared.height or 1  # the ranks are what counts
    changes = np.concatenate([_pose_changes(person, height) for person in prepared.records("test")])
    stretches = np.array_split(np.arange(len(changes)), min(count, len(changes)))
    ranked = [stretch[np.argsort(changes[stretch], kind="stable")] for stretch in stretches]
    return [int(places[number * len(places) // len(ranked)]) for number, places in enumerate(ranked)]


def _pose_changes(person: Batch, height: int) -> npt.NDArray[np.float32]:
    sides = {
        f"{role}_{name}": tf.gather(person[name], person["pairs"][:, place])
        for place, role in enumerate(("condition", "target"))
        for name in ("keypoints", "visible")
    }
    return np.nan_to_num(pose_change(sides, height))


def painter(stage: str, trainer: Any, batch: Batch, options: Options) -> Callable[[], Picture]:
    """A function without arguments that draws the stage's current state, with the running mean of its weights if kept.

    Args:
        stage: Name of the stage.
        trainer: Its trainer.
        batch: Of the test split, drawn each time.
        options: `Options`.

    Returns:
        Function -> uint8 [H, W, 3].
    """
    columns = {
        "human_parser": _human_parser,
        "pose_guided_parser": _pose_guided_parser,
        "geometric_matcher": _geometric_matcher,
        "warping_generator": _images,
        "coarse_generator": _images,
        "image_generator": _images,
        "pose_detector": _pose_detector,
        "unpaired_generator": _images,
    }[stage]

    def paint() -> Picture:
        with averaged(trainer):
            return drawing.grid(columns(trainer, batch, options), scale=max(1, 192 // options.data.height))

    return paint


def _labels(scores: npt.ArrayLike) -> npt.NDArray[np.uint8]:
    return drawing.color_parsing(np.argmax(scores, axis=-1))


def _human_parser(trainer: Any, batch: Batch, options: Options) -> Columns:
    del options
    logits = trainer.networks["human_parser"]({"image": batch["image"]})["parsing_logits"]
    labels = np.asarray(batch["parsing"])
    known = np.where(labels < NUM_LABELS, labels, 0)  # what is ignored is shown as background
    return {
        "picture": to_pixels(batch["image"]),
        "parsing": _labels(logits),
        "labels": drawing.color_parsing(known),
    }


def _pose_guided_parser(trainer: Any, batch: Batch, options: Options) -> Columns:
    logits = trainer.networks["pose_guided_parser"](dense_inputs(batch, options.data))["parsing_logits"]
    return {
        "condition": to_pixels(batch["condition_image"]),
        "condition parsing": drawing.color_parsing(batch["condition_parsing"]),
        "target pose": drawing.skeletons(batch),
        "synthesized parsing": _labels(binomial_filter(logits)),
        "target parsing": drawing.color_parsing(batch["target_parsing"]),
    }


def _geometric_matcher(trainer: Any, batch: Batch, options: Options) -> Columns:
    pipeline = WarpingGAN(trainer.networks, options.data, "ground_truth")
    warped = pipeline.warped(pipeline.conditions(batch))
    return {
        "condition": to_pixels(batch["condition_image"]),
        "condition parsing": drawing.color_parsing(batch["condition_parsing"]),
        "warped parsing": _labels(warped["warped_parsing"]),
        "target parsing": drawing.color_parsing(batch["target_parsing"]),
        "warped condition": to_pixels(warped["warped_image"]),
        "target": to_pixels(batch["target_image"]),
    }


def _pose_detector(trainer: Any, batch: Batch, options: Options) -> Columns:
    """The maps of all joints in one: their largest value."""
    images = {"picture": to_pixels(batch["condition_image"])}
    found = trainer.networks["pose_detector"]({"image": batch["condition_image"]})["pose"]
    for title, maps in {"detected": found, "pose": pose_of(batch, "condition", options.data)}.items():
        images[title] = np.repeat(to_pixels(2.0 * np.max(maps, axis=-1, keepdims=True) - 1.0), 3, axis=-1)
    return images


def _images(trainer: Any, batch: Batch, options: Options) -> Columns:
    """Samples, and behind the target pose what the system draws from joints."""
    del options
    pipeline = trainer.pipeline
    maps, weights = dict(pipeline.conditions(batch)), pipeline.pixel_weights(batch)
    if weights is not None:
        maps["target_mask"] = weights[..., tf.newaxis] - 1.0
    drawn = joint_map_columns(maps, to_pixels(batch["condition_image"]))
    columns = drawing.sample_columns(batch, pipeline(batch))
    first = {title: columns.pop(title) for title in ("condition", "target pose")}
    return {**first, **drawn, **columns}
