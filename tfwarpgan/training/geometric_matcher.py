"""Training of the geometric matcher on parsings.

First on random warps, whose grid is known (the transformed-grid loss of Rocco et al. 2017); then on real pairs, where
the warped condition parsing has to cover the target parsing and the grid has to stay smooth: overlap alone is known
to tear the grid.
"""

from collections.abc import Mapping

import tensorflow as tf
from tensorflow import keras

from tfwarpgan.layers.label_maps import one_hot
from tfwarpgan.layers.transforms import affine_grid, compose, sample
from tfwarpgan.models.inputs import dense_inputs
from tfwarpgan.options import DataOptions, LossOptions
from tfwarpgan.training.losses import grid_smoothness, person_l1, soft_iou_loss, transformed_grid_loss
from tfwarpgan.training.trainer import Losses, Trainer
from tfwarpgan.typing import Affine, Batch, Spline, Tensor

# Half ranges of the random warps: rotation in radians, the rest in normalized coordinates.
ROTATION, SHEAR, SCALE, SHIFT, BEND = 0.25, 0.15, 0.25, 0.25, 0.15


def random_warp(batch_size: Tensor, control_points: int, seed: Tensor) -> tuple[Affine, Spline]:
    """Random affine parameters [B, 6] and spline offsets [B, control_points**2, 2], around the identity.

    The same for the same integer `seed` [2], so that a resumed run draws what an uninterrupted one would.
    """
    seeds = tf.random.experimental.stateless_split(seed, 5)
    angle = tf.random.stateless_uniform([batch_size], seeds[0], -ROTATION, ROTATION)
    shear = tf.random.stateless_uniform([batch_size], seeds[1], -SHEAR, SHEAR)
    scale = 1.0 + tf.random.stateless_uniform([2, batch_size], seeds[2], -SCALE, SCALE)
    shift = tf.random.stateless_uniform([2, batch_size], seeds[3], -SHIFT, SHIFT)
    cosine, sine = tf.cos(angle), tf.sin(angle)
    theta = tf.stack(
        [
            scale[0] * cosine, scale[1] * (shear * cosine - sine), shift[0],
            scale[0] * sine, scale[1] * (shear * sine + cosine), shift[1],
        ],
        axis=1,
    )  # fmt: skip
    return theta, tf.random.stateless_uniform([batch_size, control_points**2, 2], seeds[4], -BEND, BEND)


class GeometricMatcherTrainer(Trainer):
    """Trains `geometric_matcher`: the first `pretraining_steps` on random warps, the rest on the pairs.

    `miou_before` and `miou_after` are the overlap of the condition parsing and of the warped one with the target
    parsing: intersection over union of an image, averaged over the labels of its target.
    """

    means = ("transformed_grid", "soft_iou", "smoothness", "image", "miou_before", "miou_after")

    def __init__(
        self,
        networks: Mapping[str, keras.Model],
        data_options: DataOptions,
        losses: LossOptions,
        pretraining_steps: int,
    ) -> None:
        super().__init__(networks)
        self.data_options = data_options
        self.smooth_weight, self.image_weight = losses.matcher_lambda_smooth, losses.matcher_lambda_image
        self.pretraining_steps = pretraining_steps

    def with_draws(self, batch: Batch) -> Batch:
        """The batch with a random warp of each pair: its rows of what is drawn for the batches of all replicas."""
        replica, size = tf.distribute.get_replica_context(), tf.shape(batch["condition_image"])[0]
        seed = tf.stack([tf.cast(self.iterations, tf.int32), self.data_options.seed % 2**31])
        control_points = self.networks["geometric_matcher"].control_points
        affine, tps = random_warp(size * replica.num_replicas_in_sync, control_points, seed)
        first = size * replica.replica_id_in_sync_group
        return {**batch, "true_affine": affine[first : first + size], "true_tps": tps[first : first + size]}

    def losses(self, batch: Batch) -> Losses:
        inputs = dense_inputs(batch, self.data_options)
        matcher, condition = self.networks["geometric_matcher"], inputs["condition_parsing"]
        pretraining = self.iterations < self.pretraining_steps
        true_affine, true_tps = batch["true_affine"], batch["true_tps"]
        true_grid = compose(true_affine, true_tps, self.data_options.height, self.data_options.width)
        target = tf.cond(pretraining, lambda: sample(condition, true_grid), lambda: inputs["target_parsing"])

        with tf.GradientTape() as tape:
            warp = matcher({"condition_parsing": condition, "target_parsing": target}, training=True)
            warped = sample(condition, warp["grid"])
            affine = affine_grid(warp["theta_affine"], self.data_options.height, self.data_options.width)
            known = transformed_grid_loss(warp["person_grid"], true_grid) + transformed_grid_loss(
                affine, affine_grid(true_affine, self.data_options.height, self.data_options.width)
            )
            terms = {"soft_iou": soft_iou_loss(warped, target), "smoothness": grid_smoothness(warp["person_grid"])}
            total = terms["soft_iou"] + self.smooth_weight * terms["smoothness"]
            if self.image_weight:
                image = sample(inputs["condition_image"], warp["grid"])
                terms["image"] = person_l1(batch["target_image"], image, batch["target_parsing"] > 0)
                total += self.image_weight * terms["image"]
            total = tf.where(pretraining, known, total)
        logged = {
            "transformed_grid": known,
            **terms,
            "miou_before": 1.0 - soft_iou_loss(condition, target),
            "miou_after": 1.0 - soft_iou_loss(one_hot(tf.argmax(warped, axis=-1)), target),
        }
        return Losses(
            {"geometric_matcher": (total, tape)}, logged, {"transformed_grid": tf.cast(pretraining, tf.float32)}
        )
