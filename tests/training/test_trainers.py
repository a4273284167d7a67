"""The train step of each stage: it learns, it leaves out what has no weight, and replicas change nothing."""

import contextlib
import dataclasses
import itertools

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.models import networks as build
from tfwarpgan.models.pipeline import WarpingGAN
from tfwarpgan.training.geometric_matcher import GeometricMatcherTrainer
from tfwarpgan.training.human_parser import HumanParserTrainer
from tfwarpgan.training.optimization import make_optimizer
from tfwarpgan.training.pose_guided_parser import PoseGuidedParserTrainer
from tfwarpgan.training.stages import pose_guided_parser_trainer
from tfwarpgan.training.warping_generator import WarpingGeneratorTrainer

keras = tf.keras


def human_parser(options):
    return HumanParserTrainer({"human_parser": build.human_parser(options)})


def pose_guided_parser(options):
    return pose_guided_parser_trainer(options)


def geometric_matcher(options):
    networks = {"geometric_matcher": build.geometric_matcher(options)}
    return GeometricMatcherTrainer(networks, options.data, options.losses, pretraining_steps=0)


def warping_generator(options):
    networks = {
        "warping_generator": build.warping_generator(options),
        "discriminator": build.generator_discriminator(options),
    }
    frozen = {
        "pose_guided_parser": build.pose_guided_parser(options),
        "geometric_matcher": build.geometric_matcher(options),
    }
    pipeline = WarpingGAN({**frozen, "warping_generator": networks["warping_generator"]}, options.data)
    return WarpingGeneratorTrainer(networks, pipeline, options.losses)


PRECISIONS = ["float32", "mixed_bfloat16", "mixed_float16"]
STAGES = [human_parser, pose_guided_parser, geometric_matcher, warping_generator]


def batches(stage, batch):
    if stage is human_parser:
        batch = {"image": batch["target_image"], "parsing": batch["target_parsing"]}
    return tf.data.Dataset.from_tensor_slices(batch).repeat().batch(4, drop_remainder=True)


def trained(stage, options, batch, strategy=None, steps=3):
    """The logged means and the weights after some steps of plain gradient descent, which no sign can amplify."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(0)
    with strategy.scope() if strategy else contextlib.nullcontext():
        trainer = stage(options)
        trainer.compile_networks(lambda name: keras.optimizers.SGD(0.01))
    history = trainer.fit(batches(stage, batch), steps_per_epoch=steps, epochs=1, verbose=0).history
    weights = [weight for network in trainer.networks.values() for weight in network.get_weights()]
    assert trainer.steps_done == steps
    return {name: values[-1] for name, values in history.items()}, weights


@pytest.mark.parametrize("stage", STAGES)
def test_one_replica_equals_two(stage, options, batch, mirrored):
    one, weights_of_one = trained(stage, options, batch)
    two, weights_of_two = trained(stage, options, batch, mirrored)
    assert one.keys() == two.keys()
    for name in one:
        np.testing.assert_allclose(two[name], one[name], rtol=2e-4, atol=1e-5, err_msg=name)
    for first, second in zip(weights_of_one, weights_of_two, strict=True):
        np.testing.assert_allclose(second, first, atol=2e-5)


@pytest.mark.parametrize(
    ("stage", "precision"),
    # VGG's convolutions in float16 take minutes on a processor; the other networks' blocks are the same.
    [pair for pair in itertools.product(STAGES, PRECISIONS) if pair != (human_parser, "mixed_float16")],
)
def test_every_precision_trains(stage, precision, options, batch):
    keras.mixed_precision.set_global_policy(precision)
    try:
        trainer = stage(options)
        train = dataclasses.replace(options.train, precision=precision)
        trainer.compile_networks(lambda name: make_optimizer(train, 10))
        before = [weights.copy() for weights in next(iter(trainer.networks.values())).get_weights()]
        steps = 12 if precision == "mixed_float16" else 2  # the first scales of the loss are too large
        history = trainer.fit(batches(stage, batch), steps_per_epoch=steps, epochs=1, verbose=0).history
        assert all(np.isfinite(values).all() for values in history.values())
        after = next(iter(trainer.networks.values())).get_weights()
        assert any(np.any(first != second) for first, second in zip(before, after, strict=True))
    finally:
        keras.mixed_precision.set_global_policy("float32")


def test_pose_guided_parser_learns_one_batch(options, batch):
    losses = dataclasses.replace(options.losses, parser_lambda_adversarial=0.0, parser_lambda_pyramid=0.0)
    trainer = PoseGuidedParserTrainer({"pose_guided_parser": build.pose_guided_parser(options)}, options.data, losses)
    trainer.compile_networks(lambda name: keras.optimizers.Adam(5e-3))
    losses = [
        trainer.fit(batches(pose_guided_parser, batch), steps_per_epoch=15, epochs=1, verbose=0).history[
            "cross_entropy"
        ]
        for _ in range(4)
    ]
    assert losses[-1][0] < 0.7 * losses[0][0]


def test_terms_of_weight_zero_are_not_computed(options, batch):
    losses = dataclasses.replace(options.losses, lambda_adversarial=0.0, lambda_pyramid=0.0, parser_lambda_pyramid=0.0)
    options = dataclasses.replace(options, losses=losses)
    trainer = warping_generator(options)
    trainer.networks.pop("discriminator")
    trainer.compile_networks(lambda name: keras.optimizers.SGD(0.01))
    assert set(trainer.train_step(batch)) == {"pixel", "gate"}
    parser = pose_guided_parser(options)
    parser.compile_networks(lambda name: keras.optimizers.SGD(0.01))
    assert set(parser.train_step(batch)) == {"cross_entropy", "adversarial", "discriminator", "pixel_accuracy"}


def test_generator_step_leaves_the_frozen_stages_alone(options, batch):
    trainer = warping_generator(options)
    trainer.compile_networks(lambda name: keras.optimizers.SGD(0.1))
    frozen = trainer.pipeline.parser.get_weights() + trainer.pipeline.matcher.get_weights()
    trainer.train_step(batch)
    after = trainer.pipeline.parser.get_weights() + trainer.pipeline.matcher.get_weights()
    for first, second in zip(frozen, after, strict=True):
        np.testing.assert_array_equal(first, second)


def test_each_player_moves_by_its_own_loss_only(options, batch):
    """The shared discriminator pass gives the gradients of two separate passes."""
    trainer = warping_generator(options)
    trainer.compile_networks(lambda name: keras.optimizers.SGD(1.0))
    generator, discriminator = trainer.networks["warping_generator"], trainer.networks["discriminator"]
    inputs, real = trainer.pipeline.conditions(batch), batch["target_image"]
    before = [weight.numpy() for weight in discriminator.trainable_variables]
    fake = tf.stop_gradient(generator(inputs)["image"])
    with tf.GradientTape() as tape:
        on_real = discriminator({**inputs, "image": real})["scores"][0]
        on_fake = discriminator({**inputs, "image": fake})["scores"][0]
        loss = 0.5 * (tf.reduce_mean((on_real - 1) ** 2) + tf.reduce_mean(on_fake**2))
    gradients = tape.gradient(loss, discriminator.trainable_variables)
    trainer.train_step(batch)
    for old, gradient, new in zip(before, gradients, discriminator.trainable_variables, strict=True):
        np.testing.assert_allclose(new, old - gradient, atol=1e-5)


def test_matcher_pretraining_learns_known_warps(options, batch):
    networks = {"geometric_matcher": build.geometric_matcher(options)}
    trainer = GeometricMatcherTrainer(networks, options.data, options.losses, pretraining_steps=1000)
    trainer.compile_networks(lambda name: keras.optimizers.Adam(2e-3))
    values = [
        trainer.fit(batches(geometric_matcher, batch), steps_per_epoch=25, epochs=1, verbose=0).history[
            "transformed_grid"
        ]
        for _ in range(6)
    ]
    assert values[-1][0] < 0.8 * values[0][0]
