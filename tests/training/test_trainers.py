"""The train step of each stage: it learns, it leaves out what has no weight, and replicas change nothing."""

import contextlib
import dataclasses
import itertools
import runpy

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.compat import variables_of
from tfwarpgan.models.catalog import build_network
from tfwarpgan.options import stages_of
from tfwarpgan.options.systems import SYSTEMS
from tfwarpgan.training import stages
from tfwarpgan.training.loop import run_steps
from tfwarpgan.training.optimization import make_optimizer

keras = tf.keras


@pytest.fixture(autouse=True)
def untrained(monkeypatch):
    """The stages before the generator's are as they were built, in place of a run's."""

    def frozen(options, stage):
        names = {"pose_guided_parser", "geometric_matcher"} & {*stages_of(options)}
        return {name: build_network(name, options) for name in sorted(names, reverse=True)}

    monkeypatch.setattr(stages, "frozen_networks", frozen)


PRECISIONS = ["float32", "mixed_bfloat16", "mixed_float16"]
STAGES = ["human_parser", *SYSTEMS["warpgan"].stages]
OTHERS = {model: SYSTEMS[model].stages[0] for model in SYSTEMS if model not in ("warpgan", "resnet")}


def make_trainer(stage, options):
    return stages.TRAINERS[stage](options)


def replaced(options, **parts):
    """The options with some fields of their parts replaced, as in `replaced(options, data={"seed": 1})`."""
    new = {name: dataclasses.replace(getattr(options, name), **fields) for name, fields in parts.items()}
    return dataclasses.replace(options, **new)


def batches(stage, batch):
    if stage == "human_parser":
        first = tf.range(4)[:, None, None] == 0  # a picture without a label
        parsing = tf.where(first, tf.constant(255, tf.uint8), batch["target_parsing"])
        batch = {"image": batch["target_image"], "parsing": parsing}
    return tf.data.Dataset.from_tensor_slices(batch).repeat().batch(4, drop_remainder=True)


def trained(stage, options, batch, strategy=None, steps=2, accumulate=1):
    """The logged means, and the weights and then the optimizers' variables on each replica, after some steps of Adam.

    Its epsilon is so large that a step is no mere sign of the gradient, which could amplify a difference of rounding.
    """

    def optimizer(name):
        adam = make_optimizer(options.train, steps, name)
        adam.epsilon = 0.1
        return adam

    keras.backend.clear_session()
    keras.utils.set_random_seed(0)
    with strategy.scope() if strategy else contextlib.nullcontext():
        trainer = make_trainer(stage, options)
        trainer.compile_networks(optimizer, accumulate=accumulate)
    before = [weight for network in trainer.networks.values() for weight in network.get_weights()]
    logs, _ = run_steps(trainer, batches(stage, batch), steps, strategy=strategy)
    assert trainer.steps_done == steps
    owners = [*trainer.networks.values(), *trainer.optimizers.values()]
    variables = [variable for owner in owners for variable in variables_of(owner)]
    replicas = [[np.asarray(value) for value in replica_values(variable, strategy)] for variable in variables]
    weights, kept = replicas[: len(before)], replicas[len(before) :]
    moved = max(np.abs(new[0] - old).max() for new, old in zip(weights, before, strict=True))
    assert moved > 1e-4  # many times what the comparison of two runs allows
    return {name: float(value) for name, value in logs.items()}, weights, kept


def means(trainer, dataset, steps, times, name):
    """The mean of that name over each of some stretches of steps."""
    found = []

    class Record(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if (batch + 1) % steps == 0:
                found.append(float(logs[name]))
                self.model.reset_metrics()

    run_steps(trainer, dataset, steps * times, [Record()])
    return found


def replica_values(variable, strategy):
    return strategy.experimental_local_results(variable) if strategy else [variable]


@pytest.fixture(scope="module")
def alone():
    """Stage -> what `trained` gives of it on one replica, kept for the tests that compare with it."""
    return {}


def of_one_replica(stage, options, batch, alone):
    if stage not in alone:
        alone[stage] = trained(stage, options, batch)
    return alone[stage]


@pytest.fixture
def all_terms(options):
    """Options with every loss term, and a learning rate that falls."""
    losses = {"lambda_perceptual": 10.0, "lambda_neighbor": 1.0, "lambda_ssim": 5.0}
    vgg = {"perceptual_network": "VGG16", "perceptual_weights": "none"}
    return replaced(options, losses={**losses, **vgg}, train={"learning_rate": 0.01, "decay_from": 0.0})


@pytest.mark.parametrize("stage", STAGES)
def test_one_replica_equals_two(stage, all_terms, batch, mirrored, alone):
    """Through both phases of the matcher, and with ignored pixels in one replica's half."""
    two, weights_of_two, kept = trained(stage, all_terms, batch, mirrored)
    one, weights_of_one, _ = of_one_replica(stage, all_terms, batch, alone)
    assert set(one) == set(make_trainer(stage, all_terms).means) - {"divergence"}  # which needs codes, as AUNET has
    check_replicas(two, weights_of_two, kept, one, weights_of_one)


@pytest.mark.parametrize("model", OTHERS)
def test_one_replica_equals_two_in_other_systems(model, options, batch, mirrored):
    """Three of them draw at random, for each row the same on any replica and, as one of them shows, in any part."""
    networks = {"model": model, "generator_width": 4, "discriminator_width": 4}
    none = dict.fromkeys(["lambda_pyramid", *SYSTEMS[model].without], 0.0)
    options = replaced(options, networks=networks, losses=none, train={"learning_rate": 0.01})
    one, weights_of_one, _ = trained(OTHERS[model], options, batch)
    check_replicas(*trained(OTHERS[model], options, batch, mirrored), one, weights_of_one)
    if model == "pix2pix":
        check_parts(trained(OTHERS[model], options, batch, accumulate=2), (one, weights_of_one))


def check_replicas(two, weights_of_two, kept, one, weights_of_one):
    assert set(one) == set(two)
    for name in one:
        np.testing.assert_allclose(two[name], one[name], rtol=2e-4, atol=1e-5, err_msg=name)
    for (want,), (first, _) in zip(weights_of_one, weights_of_two, strict=True):
        np.testing.assert_allclose(first, want, atol=1e-5)
    for first, second in weights_of_two + kept:
        np.testing.assert_array_equal(second, first)


@pytest.mark.parametrize("stage", STAGES)
def test_parts_of_a_batch_make_the_step_of_the_whole(stage, all_terms, batch, alone):
    """Through both phases of the matcher, and with ignored pixels in one part."""
    parts, whole = trained(stage, all_terms, batch, accumulate=2), of_one_replica(stage, all_terms, batch, alone)
    check_parts(parts, whole)


def test_parts_on_two_replicas_are_clipped_as_the_whole(options, batch, mirrored):
    options = replaced(options, train={"learning_rate": 0.01, "clip_norm": 1.0})
    whole = trained("geometric_matcher", options, batch)
    check_parts(trained("geometric_matcher", options, batch, mirrored, accumulate=2), whole)


def check_parts(parts, whole):
    assert set(whole[0]) == set(parts[0])
    for name in whole[0]:
        np.testing.assert_allclose(parts[0][name], whole[0][name], rtol=1e-5, atol=1e-5, err_msg=name)
    for want, have in zip(whole[1], parts[1], strict=True):
        np.testing.assert_allclose(have[0], want[0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("judge_background", [True, False])
def test_a_background_is_not_judged_where_it_is_not_asked_for(all_terms, batch, judge_background):
    trainer = make_trainer("warping_generator", replaced(all_terms, losses={"judge_background": judge_background}))
    inputs, real = trainer.pipeline.practice(batch)
    parsing = batch["target_parsing"]
    other = tf.where((parsing > 0)[..., None], real, 0.5)  # another background
    terms, discriminator_loss = trainer._terms(inputs, real, other, None, parsing)
    _, of_the_same = trainer._terms(inputs, real, real, None, parsing)
    assert terms["pixel"] > 0 and terms["ssim"] > 0
    for name in ("perceptual", "neighbor", "pyramid"):
        assert (terms[name] > 0) == judge_background, name
    assert (discriminator_loss != of_the_same) == judge_background


def test_shares_of_the_losses_are_those_of_the_training(all_terms, batch, root):
    """`tools/loss_shares.py` weighs the terms of the training; the perceptual loss's layers add up to it."""
    tool = runpy.run_path(str(root / "tools/loss_shares.py"))
    trainer = make_trainer("warping_generator", replaced(all_terms, losses={"judge_background": False}))
    norms = tool["norms"](trainer, batch)
    layers = trainer.perceptual.features.output_names
    assert set(norms) == {"adversarial", "pixel", "ssim", "neighbor", "pyramid", *layers}
    assert all(np.isfinite(norm) and norm > 0 for name, norm in norms.items() if name not in layers)
    inputs, real = trainer.pipeline.conditions(batch), batch["target_image"]
    fake = trainer.networks["warping_generator"](inputs, training=True)["image"]
    with tf.GradientTape() as tape:
        tape.watch(fake)
        terms, _ = trainer._terms(inputs, real, fake, None, batch["target_parsing"])
    whole = tf.norm(trainer.weights_of_terms["perceptual"] * tape.gradient(terms["perceptual"], fake))
    assert 0 < whole <= sum(norms[layer] for layer in layers) * (1 + 1e-5)


def test_parts_of_a_batch_in_half_precision(options, batch):
    """A part whose gradients are not finite makes the whole step void, and the scale of the loss falls."""
    options = replaced(options, train={"precision": "mixed_float16"})
    keras.mixed_precision.set_global_policy("mixed_float16")
    trainer = make_trainer("geometric_matcher", options)
    trainer.compile_networks(lambda name: make_optimizer(options.train, 20), accumulate=2)
    before = trainer.networks["geometric_matcher"].get_weights()
    history = trainer.fit(batches("geometric_matcher", batch), steps_per_epoch=12, epochs=1, verbose=0).history
    assert all(np.isfinite(values).all() for values in history.values())
    after = trainer.networks["geometric_matcher"].get_weights()
    assert any(np.any(first != second) for first, second in zip(before, after, strict=True))


@pytest.mark.parametrize(
    ("stage", "precision"),
    # VGG's convolutions in float16 take minutes on a processor; the other networks' blocks are the same.
    [pair for pair in itertools.product(STAGES, PRECISIONS) if pair != ("human_parser", "mixed_float16")],
)
def test_every_precision_trains(stage, precision, options, batch):
    keras.mixed_precision.set_global_policy(precision)
    try:
        trainer = make_trainer(stage, options)
        train = dataclasses.replace(options.train, precision=precision)
        trainer.compile_networks(lambda name: make_optimizer(train, 2))
        before = [weights.copy() for weights in next(iter(trainer.networks.values())).get_weights()]
        logs, _ = run_steps(trainer, batches(stage, batch), 2)
        assert trainer.steps_done == 2
        assert trainer.learning_rate == pytest.approx(train.learning_rate)  # of step 2, after which it is 0
        # The first scales of a loss in float16 are too large; its means have the losses alone, which are finite.
        assert all(np.isfinite(value) for value in logs.values())
        after = next(iter(trainer.networks.values())).get_weights()
        assert any(np.any(first != second) for first, second in zip(before, after, strict=True))
    finally:
        keras.mixed_precision.set_global_policy("float32")


def test_pose_guided_parser_learns_one_batch(options, batch):
    options = replaced(options, losses={"parser_lambda_adversarial": 0.0, "parser_lambda_pyramid": 0.0})
    trainer = stages.pose_guided_parser_trainer(options)
    trainer.compile_networks(lambda name: keras.optimizers.Adam(5e-3))
    losses = means(trainer, batches("pose_guided_parser", batch), 15, 4, "cross_entropy")
    assert losses[-1] < 0.7 * losses[0]


def test_terms_of_weight_zero_are_not_computed(options, batch):
    none = {"lambda_adversarial": 0.0, "lambda_pyramid": 0.0, "parser_lambda_pyramid": 0.0}
    options = replaced(options, losses=none)
    trainer = stages.image_generator_trainer(options)
    trainer.compile_networks(lambda name: keras.optimizers.SGD(0.01))
    assert set(trainer.train_step(batch)) == {"pixel", "gate", "gate_4", "gate_2", "gate_1", "gate_image"}
    parser = stages.pose_guided_parser_trainer(options)
    parser.compile_networks(lambda name: keras.optimizers.SGD(0.01))
    assert set(parser.train_step(batch)) == {"cross_entropy", "adversarial", "discriminator", "pixel_accuracy"}


def test_generator_step_leaves_the_frozen_stages_alone(options, batch):
    trainer = stages.image_generator_trainer(options)
    trainer.compile_networks(lambda name: keras.optimizers.SGD(0.1))
    frozen = trainer.pipeline.parser.get_weights() + trainer.pipeline.matcher.get_weights()
    trainer.train_step(batch)
    after = trainer.pipeline.parser.get_weights() + trainer.pipeline.matcher.get_weights()
    for first, second in zip(frozen, after, strict=True):
        np.testing.assert_array_equal(first, second)


def test_each_player_moves_by_its_own_loss_only(options, batch):
    """The shared discriminator pass gives the gradients of two separate passes."""
    trainer = stages.image_generator_trainer(options)
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
    options = replaced(options, train={"matcher_steps": 1000, "matcher_pretraining_steps": 1000})
    keras.utils.set_random_seed(0)  # six short epochs from unlucky weights may learn too little
    trainer = stages.geometric_matcher_trainer(options)
    trainer.compile_networks(lambda name: keras.optimizers.Adam(2e-3))
    values = means(trainer, batches("geometric_matcher", batch), 25, 6, "transformed_grid")
    assert values[-1] < 0.8 * values[0]
