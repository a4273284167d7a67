"""Runs of the generators of table 1's ablations: trained, evaluated, exported, drawn with; what they do not see."""

import dataclasses
import os
import shutil

import numpy as np
import pytest
import tensorflow as tf

import tfwarpgan
from tfwarpgan import evaluate, export
from tfwarpgan.errors import InputError
from tfwarpgan.evaluation.evaluator import parsing_confusions
from tfwarpgan.inference.loading import load_labeler, load_pipeline
from tfwarpgan.models import build
from tfwarpgan.models.warping_gan import WarpingGAN
from tfwarpgan.serving.exporting.check import SavedModelSession, sample_inputs
from tfwarpgan.training import runs, stages
from tfwarpgan.training.optimization import make_optimizer
from tfwarpgan.viewing.drawing import GATE_TITLES, sample_columns

IMAGE_POSE = {"model": "resnet", "generator_inputs": "image,pose"}
# Flags of the networks -> the columns of its pictures, and what is measured of parsings.
ABLATIONS = {
    "no parsing": (IMAGE_POSE, set(), set()),
    "one encoder": ({"model": "resnet"}, {"synthesized parsing"}, {"parsing_miou"}),
    "no block": ({"warp": "none"}, {"synthesized parsing"}, {"parsing_miou"}),
    "unwarped": (
        {"warp": "identity"},
        {"synthesized parsing", "warped condition", *GATE_TITLES.values()},
        {"parsing_miou", "matcher_miou_target", "matcher_miou_synthesized"},
    ),
}


@pytest.fixture
def ablated(options):
    """Function of flags of the networks -> the smallest options."""

    def make(**networks):
        return dataclasses.replace(options, networks=dataclasses.replace(options.networks, **networks))

    return make


@pytest.fixture
def pipeline_of(monkeypatch):
    """Function of options -> the untrained pipeline."""

    def make(options):
        networks = {"pose_guided_parser": build.pose_guided_parser(options)}
        monkeypatch.setattr(stages, "frozen_networks", lambda options, stage: networks)
        networks = {**networks, "warping_generator": build.warping_generator(options)}
        return WarpingGAN(networks, options.data, keys=options.networks.generator_keys)

    return make


@pytest.mark.parametrize("flags, columns, measured", ABLATIONS.values(), ids=list(ABLATIONS))
def test_a_pipeline_gives_and_learns_what_its_generator_uses(ablated, pipeline_of, batch, flags, columns, measured):
    options = ablated(**flags)
    outputs = pipeline_of(options)(batch)
    assert set(parsing_confusions(batch, outputs)) == measured
    assert {"condition", "target pose", "synthesized", "target"} | columns == set(sample_columns(batch, outputs))
    if "warped_image" in outputs:  # unwarped
        np.testing.assert_allclose(outputs["warped_image"], batch["condition_image"], atol=1e-5)
    judged = build.generator_discriminator(options).keys
    assert ("condition_parsing" in judged) == ("target_parsing" in judged) == (flags is not IMAGE_POSE)


def test_the_two_encoders_without_a_block_learn(ablated, pipeline_of, batch):
    options = ablated(warp="none")
    pipeline_of(options)
    trainer = stages.image_generator_trainer(options)
    trainer.compile_networks(lambda name: make_optimizer(options.train, 3, name))
    before = trainer.networks["warping_generator"].get_weights()
    logged = trainer.train_step(batch)
    assert all(np.isfinite(float(value)) for value in logged.values())
    assert {"adversarial", "pixel", "pyramid", "discriminator"} == set(logged)
    changed = [np.any(a != b) for a, b in zip(before, trainer.networks["warping_generator"].get_weights())]
    assert np.mean(changed) > 0.9


def test_without_parsings_no_label_map_has_an_effect(ablated, pipeline_of, batch):
    pipeline = pipeline_of(ablated(**IMAGE_POSE))
    assert set(pipeline.conditions(batch)) == {"condition_image", "target_pose"}
    other = {**batch, "condition_parsing": tf.zeros_like(batch["condition_parsing"])}
    np.testing.assert_array_equal(pipeline(batch)["image"], pipeline(other)["image"])


def test_a_human_parser_has_no_effect_without_parsings(ablated):
    with pytest.raises(InputError, match="--human_parser_run_dir=runs/lip has no effect"):
        load_labeler(ablated(**IMAGE_POSE), "runs/lip")


def test_a_run_without_parsings_from_training_to_export(ablated, market, tmp_path, capsys):
    shutil.rmtree(market / "parsing")  # which it does not need
    options = ablated(**IMAGE_POSE)
    data = dataclasses.replace(
        options.data, dataset="market1501", data_dir=str(market), prepared_dir=str(tmp_path / "prepared"), flip=True
    )
    train = dataclasses.replace(options.train, run_dir=str(tmp_path / "run"), generator_steps=2)
    options = dataclasses.replace(options, data=data, train=train)
    assert runs.train(options)
    assert not {"pose_guided_parser", "geometric_matcher"} & {*os.listdir(tmp_path / "run")}

    evaluate.main(options, evaluate.EvaluateOptions(report_pairs=1))
    out = capsys.readouterr().out
    assert "ssim" in out and not {"parsing_miou", "ssim_person", "color_"} & {*out.split()}
    with pytest.raises(InputError, match="ssim/person needs label maps"):
        evaluate.main(options, evaluate.EvaluateOptions(metrics="ssim/person"))
    shown = os.listdir(tmp_path / "run/evaluation/even_pairs")
    assert {"00_condition.png", "00_synthesized.png", "00_target.png"} <= {*shown}

    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    joints = np.random.default_rng(1).uniform(0, 32, (18, 2))
    people = tfwarpgan.load(str(tmp_path / "run"))
    assert people.signature == ("image", "joints")
    drawn = people.synthesize(image, joints)

    export.main(options, export.ExportOptions(export_dir=str(tmp_path / "model"), version=1, batch_sizes=""))
    with SavedModelSession(str(tmp_path / "model/1")) as served:
        assert set(served.signatures) == {"serving_default", "encoded"}
        assert set(served.signatures["encoded"].inputs) == {"image_bytes", "target_keypoints", "target_visible"}
        inputs = {key: value[:1] for key, value in sample_inputs(32, 32).items()}
        inputs |= {"image": image[None], "target_keypoints": joints[None].astype(np.float32)}
        inputs["target_visible"] = np.ones((1, 18), bool)
        np.testing.assert_allclose(served("serving_default", inputs)["image"][0], drawn, atol=1)
    assert load_pipeline(options).parser is None
