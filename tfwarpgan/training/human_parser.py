"""Training of the human parser: pixel-wise softmax cross-entropy (paper section 3.1)."""

import tensorflow as tf

from tfwarpgan.evaluation.mean_iou import MeanIoU
from tfwarpgan.training.losses import parsing_cross_entropy, pixel_accuracy
from tfwarpgan.training.trainer import Trainer


class HumanParserTrainer(Trainer):
    """Trains `human_parser` on batches {"image": [B, H, W, 3] in [-1, 1], "parsing": [B, H, W] labels, 255 ignored}.

    Args:
        networks: Dictionary of `human_parser`.
    """

    means = ("cross_entropy", "pixel_accuracy")

    def __init__(self, networks):
        super().__init__(networks)
        self.mean_iou = MeanIoU()

    @property
    def metrics(self):
        return [*super().metrics, self.mean_iou]

    def train_step(self, batch):
        with tf.GradientTape() as tape:
            logits = self.networks["human_parser"](batch, training=True)["parsing_logits"]
            loss = parsing_cross_entropy(batch["parsing"], logits)
        self.minimize("human_parser", tape, loss)
        return self.log(cross_entropy=loss, pixel_accuracy=pixel_accuracy(batch["parsing"], logits))

    def test_step(self, batch):
        logits = self.networks["human_parser"](batch, training=False)["parsing_logits"]
        self.mean_iou.update_state(batch["parsing"], tf.argmax(logits, axis=-1))
        loss, accuracy = parsing_cross_entropy(batch["parsing"], logits), pixel_accuracy(batch["parsing"], logits)
        return {**self.log(cross_entropy=loss, pixel_accuracy=accuracy), "mean_iou": self.mean_iou.result()}
