"""Training of what makes the images: adversarial, pixel, perceptual and pyramidal-hierarchy losses (equation 3).

The `ImagePipeline` of the system says what its networks see in training and which image they are to make; the weights
of the terms are those of the options.
"""

import functools
from collections.abc import Callable, Mapping

import tensorflow as tf
from tensorflow import keras

from tfwarpgan.models.image_pipeline import ImagePipeline
from tfwarpgan.models.perceptual import PerceptualFeatures
from tfwarpgan.options import LossOptions
from tfwarpgan.training.adversarial import adversarial_terms, weighted_sum
from tfwarpgan.training.divergence import divergence_weight, unit_divergence
from tfwarpgan.training.losses import (
    nearest_neighbor_loss,
    on_background_of,
    perceptual_loss,
    pixel_loss,
    pixel_weights,
    ssim_loss,
)
from tfwarpgan.training.trainer import Losses, Trainer
from tfwarpgan.typing import Batch, Image, Labels, Scalar, Tensor, Tensors

GATES = ("gate", "gate_4", "gate_2", "gate_1", "gate_image")


class ImageGeneratorTrainer(Trainer):
    """Trains a stage that makes images, against `discriminator` where a loss needs one.

    Args:
        networks: Dictionary of the stage's network, by its name, and, unless both adversarial weights are 0,
            `discriminator`.
        pipeline: The `ImagePipeline` that holds the same network behind the frozen stages.
        losses: `LossOptions`.
        perceptual: `PerceptualFeatures`, or None where that loss has weight 0.
        neighbor: `PerceptualFeatures` of one layer, or None where the nearest-neighbor loss has weight 0.
        steps: Length of the stage, over which the weight of a divergence rises.
    """

    means = ("adversarial", "pixel", "ssim", "perceptual", "neighbor", "pyramid", "divergence", "discriminator", *GATES)

    def __init__(
        self,
        networks: Mapping[str, keras.Model],
        pipeline: ImagePipeline,
        losses: LossOptions,
        perceptual: PerceptualFeatures | None = None,
        neighbor: PerceptualFeatures | None = None,
        steps: int = 1,
    ) -> None:
        super().__init__(networks)
        self.stage, self.neighbor, self.neighbor_size = next(iter(networks)), neighbor, losses.neighbor_size
        self.pipeline, self.perceptual, self.alphas = pipeline, perceptual, losses.pyramid_alphas
        self.steps, self.judge_background = steps, losses.judge_background
        self.perceptual_form, self.adversarial_form = losses.perceptual_form, losses.adversarial
        self.pixel_weights = functools.partial(
            pixel_weights, person_weight=losses.person_weight, head_weight=losses.head_weight
        )
        self.weights_of_terms = {
            "adversarial": losses.lambda_adversarial,
            "pixel": losses.lambda_pixel,
            "ssim": losses.lambda_ssim,
            "perceptual": losses.lambda_perceptual,
            "neighbor": losses.lambda_neighbor,
            "pyramid": losses.lambda_pyramid,
            "divergence": losses.lambda_divergence,
        }

    def start(self, draw: Callable[[], Batch]) -> None:
        self.pipeline.start(draw)
        super().start(draw)

    def with_draws(self, batch: Batch) -> Batch:
        """The batch with the number of each pair among those of all replicas, of which random numbers are drawn."""
        size = tf.shape(batch["condition_image"])[0]
        first = size * tf.distribute.get_replica_context().replica_id_in_sync_group
        return {**batch, "row": first + tf.range(size)}

    def losses(self, batch: Batch) -> Losses:
        inputs, real = self.pipeline.practice(batch)
        parsing = batch.get(f"{self.pipeline.made}_parsing")
        weights = self.pipeline.pixel_weights(batch)
        if weights is None:
            weights = self.pixel_weights(parsing)
        seed = tf.stack([tf.cast(self.iterations, tf.int32), batch["row"][0] if "row" in batch else 0])
        with tf.GradientTape() as generator_tape, tf.GradientTape() as discriminator_tape:
            synthesized = self.pipeline.generate(inputs, training=True, seed=seed)
            terms, discriminator_loss = self._terms(inputs, real, synthesized["image"], weights, parsing)
            weights_of_terms = dict(self.weights_of_terms)
            if "priors" in synthesized and self.weights_of_terms["divergence"]:
                terms["divergence"] = unit_divergence(synthesized["means"], synthesized["priors"])
                weights_of_terms["divergence"] *= divergence_weight(self.iterations, self.steps)
            total = weighted_sum(terms, weights_of_terms)
        losses = {self.stage: (total, generator_tape)}
        if discriminator_loss is not None:
            losses["discriminator"] = (discriminator_loss, discriminator_tape)
            terms["discriminator"] = discriminator_loss
        gates = {name: tf.reduce_mean(tf.cast(synthesized[name], tf.float32)) for name in GATES if name in synthesized}
        return Losses(losses, {**terms, **gates})

    def _terms(
        self, inputs: Tensors, real: Image, fake: Image, weights: Tensor | None, parsing: Labels | None
    ) -> tuple[dict[str, Scalar], Scalar | None]:
        terms, discriminator_loss = {}, None
        if self.weights_of_terms["pixel"]:
            terms["pixel"] = pixel_loss(real, fake, weights)
        if self.weights_of_terms["ssim"]:
            terms["ssim"] = ssim_loss(real, fake, weights)
        if not self.judge_background:
            fake = on_background_of(real, fake, parsing)
        if self.perceptual is not None:
            features = self.perceptual(real), self.perceptual(fake)
            terms["perceptual"] = perceptual_loss(*features, self.perceptual.alphas, self.perceptual_form)
        if self.neighbor is not None:
            (of_real,), (of_fake,) = (tf.nest.flatten(self.neighbor(images)) for images in (real, fake))
            terms["neighbor"] = nearest_neighbor_loss(of_real, of_fake, self.neighbor_size)
        if "discriminator" in self.networks:
            more, discriminator_loss = adversarial_terms(
                self.networks["discriminator"], inputs, "image", real, fake, self.weights_of_terms, self.alphas,
                self.adversarial_form, [inputs[name] for name in self.pipeline.also_fake],
            )  # fmt: skip
            terms.update(more)
        return terms, discriminator_loss
