"""Training of the human parser: pixel-wise softmax cross-entropy (paper section 3.1)."""

import tensorflow as tf

from tfwarpgan.training.losses import parsing_cross_entropy, pixel_accuracy
from tfwarpgan.training.trainer import Losses, Trainer
from tfwarpgan.typing import Batch


class HumanParserTrainer(Trainer):
    """Trains `human_parser` on batches {"image": [B, H, W, 3] in [-1, 1], "parsing": [B, H, W] labels, 255 ignored}.

    Args:
        networks: Dictionary of `human_parser`.
    """

    means = ("cross_entropy", "pixel_accuracy")

    def losses(self, batch: Batch) -> Losses:
        with tf.GradientTape() as tape:
            logits = self.networks["human_parser"](batch, training=True)["parsing_logits"]
            loss = parsing_cross_entropy(batch["parsing"], logits)
        accuracy, counted = pixel_accuracy(batch["parsing"], logits)
        logged = {"cross_entropy": loss, "pixel_accuracy": accuracy}
        return Losses({"human_parser": (loss, tape)}, logged, {"pixel_accuracy": counted})
