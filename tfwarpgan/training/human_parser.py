"""Training of the human parser: pixel-wise softmax cross-entropy (paper section 3.1)."""

import tensorflow as tf

from tfwarpgan.training.losses import parsing_cross_entropy, pixel_accuracy
from tfwarpgan.training.trainer import Trainer
from tfwarpgan.typing import Batch, Scalar


class HumanParserTrainer(Trainer):
    """Trains `human_parser` on batches {"image": [B, H, W, 3] in [-1, 1], "parsing": [B, H, W] labels, 255 ignored}.

    Args:
        networks: Dictionary of `human_parser`.
    """

    means = ("cross_entropy", "pixel_accuracy")

    def train_step(self, batch: Batch) -> dict[str, Scalar]:
        with tf.GradientTape() as tape:
            logits = self.networks["human_parser"](batch, training=True)["parsing_logits"]
            loss = parsing_cross_entropy(batch["parsing"], logits)
        self.minimize("human_parser", tape, loss)
        accuracy, counted = pixel_accuracy(batch["parsing"], logits)
        return self.log({"pixel_accuracy": counted}, cross_entropy=loss, pixel_accuracy=accuracy)
