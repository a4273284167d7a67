"""The systems that table 1 compares with: trained, resumed, scored, exported and drawn with by the same commands."""

import dataclasses
import functools
import types

import numpy as np
import pytest
import tensorflow as tf

import tfwarpgan
from tfwarpgan import evaluate, export
from tfwarpgan.errors import InputError
from tfwarpgan.inference.loading import load_pipeline
from tfwarpgan.models.catalog import build_network, build_pipeline
from tfwarpgan.options import LossOptions, NetworkOptions, check_places, stages_of
from tfwarpgan.options.systems import SYSTEMS
from tfwarpgan.serving.exporting.check import SavedModelSession
from tfwarpgan.training import previews, runs, stages
from tfwarpgan.training.optimization import make_optimizer
from tfwarpgan.viewing import drawing

BASELINES = [name for name, system in SYSTEMS.items() if system.module != "build"]


@pytest.fixture
def options_of(options):
    """Function of a system and flags of the networks -> the smallest options."""

    def make(model, **train):
        networks = NetworkOptions(model=model, generator_width=4, generator_blocks=1, discriminator_width=4)
        none = {name: 0.0 for name in ("lambda_pyramid", *SYSTEMS[model].without)}
        losses = dataclasses.replace(options.losses, adversarial="cross_entropy", content_layer="image", **none)
        return dataclasses.replace(
            options, networks=networks, losses=losses, train=dataclasses.replace(options.train, **train)
        )

    return make


@pytest.fixture
def on_market(options_of, market, tmp_path):
    """Function of a system -> options of a run of two steps per stage on the drawn data set."""

    def make(model):
        steps = {"generator_steps": 2, "coarse_steps": 2, "detector_steps": 2}
        options = options_of(model, run_dir=str(tmp_path / "run"), ema=0.0, **steps)
        data = dataclasses.replace(
            options.data, dataset="market1501", data_dir=str(market), prepared_dir=str(tmp_path / "prepared"), width=32,
            height=64,
        )  # fmt: skip
        return dataclasses.replace(options, data=data)

    return make


@functools.cache  # nothing here changes one
def pipeline_of(options):
    return build_pipeline({stage: build_network(stage, options) for stage in stages_of(options)}, options)


@pytest.mark.parametrize("model", BASELINES)
def test_a_pipeline_draws_from_its_inputs_alone(options_of, batch, model):
    pipeline = pipeline_of(options_of(model))
    image = np.asarray(pipeline({key: batch[key] for key in pipeline.inputs})["image"])
    assert image.shape == (4, 32, 32, 3) and image.dtype == np.float32 and np.abs(image).max() <= 1
    assert not any(key.endswith("parsing") for key in pipeline.inputs)
    alone = pipeline({key: batch[key][1:2] for key in pipeline.inputs})["image"]
    np.testing.assert_allclose(alone[0], image[1], atol=1e-4)


@pytest.mark.parametrize("model", BASELINES)
def test_the_target_pose_matters(options_of, batch, model):
    pipeline = pipeline_of(options_of(model))
    given = {key: batch[key] for key in pipeline.inputs}
    other = {**given, "target_keypoints": given["target_keypoints"][:, ::-1]}
    assert np.any(np.asarray(pipeline(given)["image"]) != np.asarray(pipeline(other)["image"]))


@pytest.mark.parametrize(
    "model, drawn",
    [
        ("aunet", {"stickman", "part crops"}),
        ("bodyroi7", {"condition mask", "regions"}),
        ("dscf", {"body parts"}),
        ("pg2", {"target mask"}),
        ("pix2pix", set()),
    ],
)
def test_previews_show_what_is_drawn_from_joints(options_of, batch, model, drawn):
    options = options_of(model)
    stage = stages_of(options)[-1]
    trainer = types.SimpleNamespace(pipeline=pipeline_of(options), averages=[])
    columns = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drawing, "grid", lambda found, scale: columns.update(found))
        previews.painter(stage, trainer, batch, options)()
    assert set(columns) == {"condition", "target pose", *drawn, "synthesized", "target"}
    assert all(len(pictures) == 4 and pictures[0].ndim == 3 for pictures in columns.values())


@pytest.mark.parametrize("model", BASELINES)
def test_a_step_trains_the_stage_and_its_discriminator_alone(options_of, batch, monkeypatch, model):
    options = options_of(model)
    before = {stage: build_network(stage, options) for stage in stages_of(options)[:-1]}
    monkeypatch.setattr(stages, "frozen_networks", lambda options, stage: before)
    trainer = stages.TRAINERS[stages_of(options)[-1]](options)
    trainer.compile_networks(lambda name: make_optimizer(options.train, 3, name))
    weights = {name: network.get_weights() for name, network in {**trainer.networks, **before}.items()}
    logged = trainer.train_step(batch)
    own = {"aunet": {"pixel", "divergence"}, "upis": {"adversarial", "discriminator", "pose", "content", "style"}}
    assert own.get(model, {"adversarial", "discriminator", "pixel"}) == set(logged)
    assert all(np.isfinite(float(value)) for value in logged.values())
    for name, network in {**trainer.networks, **before}.items():
        changed = [np.any(a != b) for a, b in zip(weights[name], network.get_weights())]
        assert not any(changed) if name in before else np.mean(changed) > 0.9, name


@pytest.mark.parametrize("model", ["aunet", "bodyroi7"])
def test_what_only_reconstructs_reads_no_target(options_of, batch, model):
    pipeline = pipeline_of(options_of(model))
    conditions, image = pipeline.practice(batch)
    other = {key: tf.zeros_like(value) if key.startswith("target") else value for key, value in batch.items()}
    for one, two in zip(tf.nest.flatten([conditions, image]), tf.nest.flatten(pipeline.practice(other))):
        np.testing.assert_array_equal(one, two)


def test_the_image_in_the_target_pose_changes_no_loss_of_upis(options_of, batch, monkeypatch):
    options = options_of("upis")
    monkeypatch.setattr(
        stages, "frozen_networks", lambda *_: {"pose_detector": build_network("pose_detector", options)}
    )
    other = {**batch, "target_image": -batch["target_image"], "target_parsing": 0 * batch["target_parsing"]}
    for stage in stages_of(options):
        trainer = stages.TRAINERS[stage](options)
        one, two = (trainer.losses(given).logged for given in (batch, other))
        assert one and {name: float(loss) for name, loss in one.items()} == {name: float(two[name]) for name in two}


@pytest.mark.parametrize("model", ["aunet", "pix2pix"])
def test_what_is_drawn_differs_between_steps_and_not_on_replay(options_of, batch, model):
    pipeline = pipeline_of(options_of(model))
    conditions = pipeline.conditions(batch)
    draw = [np.asarray(pipeline.generate(conditions, True, tf.constant([step, 0]))["image"]) for step in (1, 1, 2)]
    np.testing.assert_array_equal(draw[0], draw[1])
    assert np.any(draw[0] != draw[2])


@pytest.mark.parametrize("model", ["aunet", "pg2", "upis"])
def test_a_run_from_training_to_export(on_market, model, tmp_path, capsys):
    options = on_market(model)
    assert runs.train(options)
    assert f"--model={model}" in (tmp_path / "run/options.flags").read_text()
    other = dataclasses.replace(options.networks, model="resnet", generator_inputs="image,pose")
    with pytest.raises(InputError, match=f"contains a run with --model={model}"):
        runs.train(dataclasses.replace(options, networks=other))
    longer = dataclasses.replace(options, train=dataclasses.replace(options.train, generator_steps=3))
    assert runs.train(longer) and (tmp_path / "run" / stages_of(options)[-1] / "ckpt-3.index").exists()

    evaluate.main(longer, evaluate.EvaluateOptions(report_pairs=1))
    assert "ssim" in capsys.readouterr().out

    random = np.random.default_rng(0)
    image = random.integers(0, 256, (64, 32, 3), np.uint8)
    own, joints = random.uniform(0, [64, 32], (2, 18, 2)).astype(np.float32)
    people, given = tfwarpgan.load(str(tmp_path / "run")), {}
    if "condition_keypoints" in SYSTEMS[model].more_inputs:
        with pytest.raises(InputError, match="image_joints is missing"):
            people.synthesize(image, joints)
        given = {"image_joints": own}
    drawn = people.synthesize(image, joints, **given)
    assert drawn.shape == (64, 32, 3)

    export.main(longer, export.ExportOptions(export_dir=str(tmp_path / "model"), version=1, batch_sizes="1"))
    with SavedModelSession(str(tmp_path / "model/1")) as served:
        assert set(served.signatures) == {"serving_default", "encoded"}
        assert set(served.signatures["serving_default"].inputs) == {"image", *load_pipeline(longer).inputs[1:]}
    exported = tfwarpgan.load(str(tmp_path / "model"))
    assert exported.signature == people.signature
    np.testing.assert_allclose(exported.synthesize(image, joints, **given), drawn, atol=1)


@pytest.mark.parametrize(
    "model, losses, message",
    [
        ("aunet", {"lambda_pyramid": 0.0}, "aunet has no such losses: give --lambda_adversarial=0.$"),
        ("upis", {"lambda_perceptual": 0.0}, "give --lambda_pixel=0 --lambda_pyramid=0.$"),
    ],
)
def test_losses_that_a_system_lacks_are_refused(options_of, model, losses, message):
    options = options_of(model, run_dir="runs/x")
    with pytest.raises(InputError, match=message):
        check_places(dataclasses.replace(options, losses=LossOptions(**losses)))


def test_a_stage_of_another_system_is_refused(options_of):
    with pytest.raises(InputError, match="--stage=geometric_matcher is no stage of --model=pg2; .*coarse_generator"):
        check_places(options_of("pg2", run_dir="runs/x", stage="geometric_matcher"))
