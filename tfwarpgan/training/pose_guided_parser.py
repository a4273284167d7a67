"""Training of stage I: cross-entropy, least-squares adversarial and pyramidal-hierarchy losses (section 3.1)."""

from collections.abc import Mapping

import tensorflow as tf
from tensorflow import keras

from tfwarpgan.models.inputs import dense_inputs
from tfwarpgan.options import DataOptions, LossOptions
from tfwarpgan.training.adversarial import adversarial_terms, weighted_sum
from tfwarpgan.training.losses import parsing_cross_entropy, pixel_accuracy
from tfwarpgan.training.trainer import Losses, Trainer
from tfwarpgan.typing import Batch, Logits, OneHot, Scalar, Tensors


class PoseGuidedParserTrainer(Trainer):
    """Trains `pose_guided_parser`, against `discriminator` where a loss needs one.

    Args:
        networks: Dictionary of `pose_guided_parser` and, unless both adversarial weights are 0, `discriminator`.
        data_options: `DataOptions`.
        losses: `LossOptions`.
    """

    means = ("cross_entropy", "adversarial", "pyramid", "discriminator", "pixel_accuracy")

    def __init__(self, networks: Mapping[str, keras.Model], data_options: DataOptions, losses: LossOptions) -> None:
        super().__init__(networks)
        self.data_options, self.alphas = data_options, losses.pyramid_alphas
        self.weights_of_terms = {
            "cross_entropy": losses.parser_lambda_cross_entropy,
            "adversarial": losses.parser_lambda_adversarial,
            "pyramid": losses.parser_lambda_pyramid,
        }

    def losses(self, batch: Batch) -> Losses:
        inputs = dense_inputs(batch, self.data_options)
        real = inputs["target_parsing"]
        with tf.GradientTape() as parser_tape, tf.GradientTape() as discriminator_tape:
            logits = self.networks["pose_guided_parser"](inputs, training=True)["parsing_logits"]
            terms, discriminator_loss = self._terms(batch, inputs, real, logits)
            total = weighted_sum(terms, self.weights_of_terms)
        losses = {"pose_guided_parser": (total, parser_tape)}
        if discriminator_loss is not None:
            losses["discriminator"] = (discriminator_loss, discriminator_tape)
            terms["discriminator"] = discriminator_loss
        accuracy, counted = pixel_accuracy(batch["target_parsing"], logits)
        return Losses(losses, {**terms, "pixel_accuracy": accuracy}, {"pixel_accuracy": counted})

    def _terms(
        self, batch: Batch, inputs: Tensors, real: OneHot, logits: Logits
    ) -> tuple[dict[str, Scalar], Scalar | None]:
        terms = {"cross_entropy": parsing_cross_entropy(batch["target_parsing"], logits)}
        if "discriminator" not in self.networks:
            return terms, None
        more, discriminator_loss = adversarial_terms(
            self.networks["discriminator"], inputs, "parsing", real, tf.nn.softmax(logits),
            self.weights_of_terms, self.alphas,
        )  # fmt: skip
        return {**terms, **more}, discriminator_loss
