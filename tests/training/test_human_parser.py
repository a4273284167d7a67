"""The human parser's trainer: what it measures, and that it learns only what it should."""

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.models.human_parser import HumanParser
from tfwarpgan.options import Options
from tfwarpgan.training.human_parser import HumanParserTrainer
from tfwarpgan.training.loop import run_steps
from tfwarpgan.training.validation import scorer

keras = tf.keras


@pytest.fixture
def trainer():
    keras.utils.set_random_seed(0)
    parser = HumanParser(width=8, frozen_blocks=5)
    parser({"image": tf.zeros([1, 16, 16, 3])})
    trainer = HumanParserTrainer({"human_parser": parser})
    trainer.compile_networks(lambda name: keras.optimizers.Adam(0.05))
    return trainer


def batches():
    image = np.where(np.arange(16)[None, None, :, None] < 8, -1.0, 1.0) * np.ones([2, 16, 16, 3])
    labels = np.where(image[..., 0] > 0, 5, 0)
    labels[:, :4] = 255
    batch = {"image": image.astype("float32"), "parsing": labels.astype("uint8")}
    return tf.data.Dataset.from_tensors(batch).repeat(6)


def test_it_learns_and_leaves_the_frozen_blocks(trainer):
    parser = trainer.networks["human_parser"]
    frozen = parser.backbone.get_layer("block1_conv1").get_weights()[0]
    losses = [float(run_steps(trainer, batches(), steps)[0]["cross_entropy"]) for steps in (6, 12, 18)]
    assert losses[-1] < 0.7 * losses[0]
    np.testing.assert_array_equal(frozen, parser.backbone.get_layer("block1_conv1").get_weights()[0])
    assert int(trainer.iterations) == 18


def test_the_losses_by_hand(trainer):
    parser = trainer.networks["human_parser"]
    # Always background: half of the counted pixels are right; IoU of 0 is 1/2, of 5 is 0.
    parser.classify.set_weights([np.zeros([1, 1, 4, 20]), 10.0 * np.eye(20)[0]])
    score = scorer("human_parser", trainer, Options(), batches().take(1))()
    assert score == {"validation_mean_iou": pytest.approx(0.25), "validation_pixel_accuracy": pytest.approx(0.5)}
    got = trainer.train_step(next(iter(batches())))
    # Ignored pixels (a quarter) count as 0, the wrong ones (three eighths) as about 10.
    assert float(got["cross_entropy"]) == pytest.approx(3 / 8 * 10, rel=1e-3)
    assert float(got["pixel_accuracy"]) == pytest.approx(0.5)
