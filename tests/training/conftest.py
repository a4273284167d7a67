"""A tiny system, batches for it, and processes that train it."""

import importlib
import pathlib
import sys

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.options import DataOptions, LossOptions, NetworkOptions, Options, TrainOptions


@pytest.fixture(scope="session")
def mirrored():
    """The one MirroredStrategy of the process: a second one would meet the keys of the first one's collectives."""
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


@pytest.fixture(scope="session")
def processes():
    """The module `worker_process`, under a name by which new processes find it too."""
    sys.path.append(str(pathlib.Path(__file__).parent))
    yield importlib.import_module("worker_process")
    sys.path.pop()


@pytest.fixture(scope="session")
def options():
    """The smallest options that keep every part of the system."""
    return Options(
        data=DataOptions(height=32, width=32, batch_size=4, pose_radius=2.0),
        networks=NetworkOptions(
            human_parser_weights="none", human_parser_width=8, parser_width=4, parser_blocks=1, matcher_width=4,
            matcher_scale=8, generator_width=4, generator_blocks=1, fusion_width=32, discriminator_width=4,
            warp_scales="8,4,2,1,image", warp_parts=6,
        ),
        losses=LossOptions(lambda_perceptual=0.0, matcher_lambda_image=1.0),
        train=TrainOptions(
            parser_steps=3, matcher_steps=3, matcher_pretraining_steps=1, generator_steps=3, log_every=1,
            pictures_every=2, checkpoint_every=2, ema=0.9, validate_every=0,
        ),
    )  # fmt: skip


@pytest.fixture
def batch():
    """A batch of four random pairs of 32x32 pictures, as the data pipeline gives it."""
    generator = np.random.default_rng(0)
    values = {}
    for side in ("condition", "target"):
        values[f"{side}_image"] = generator.uniform(-1, 1, [4, 32, 32, 3]).astype("float32")
        values[f"{side}_parsing"] = generator.integers(0, 20, [4, 8, 8]).astype("uint8").repeat(4, 1).repeat(4, 2)
        values[f"{side}_keypoints"] = generator.uniform(0, 32, [4, 18, 2]).astype("float32")
        values[f"{side}_visible"] = generator.uniform(size=[4, 18]) > 0.2
    return {name: tf.constant(value) for name, value in values.items()}
