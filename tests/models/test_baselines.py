"""The systems that table 1 compares with: parameters counted from their authors' code, and what they see."""

import pytest
import tensorflow as tf

from tfwarpgan.layers.draws import seeds_from
from tfwarpgan.layers.weight_normalized import WeightNormalizedConvolution
from tfwarpgan.models.catalog import build_discriminator, build_network, build_pipeline
from tfwarpgan.options import DataOptions, NetworkOptions, Options, stages_of
from tfwarpgan.options.systems import SYSTEMS

SIZES = {"market": (128, 64), "deepfashion": (256, 256)}


def options_of(model, size, **networks):
    height, width = SIZES[size]
    return Options(data=DataOptions(height=height, width=width), networks=NetworkOptions(model=model, **networks))


# System, flags, stage -> parameters at 128x64 and 256x256.
COUNTS = {
    ("pg2", "coarse_generator"): ({"generator_width": 128}, 70_795_075, 122_103_235),
    ("pg2", "image_generator"): ({"generator_width": 128}, 6_058_883, 12_696_067),
    ("pg2", "discriminator"): ({}, 4_324_737, 10_896_257),
    ("bodyroi7", "image_generator"): (
        {"generator_width": 128},
        47_352_736 + 71_197_123,
        58_140_832 + 82_088_387,
    ),
    ("dscf", "image_generator"): ({}, 61_109_085, 82_080_611),
    ("dscf", "discriminator"): ({}, 2_803_782, 2_803_782),
    ("upis", "unpaired_generator"): ({}, 11_434_627, 11_434_627),
    ("upis", "pose_detector"): ({}, 11_425_234, 11_425_234),
    ("upis", "discriminator"): ({}, 2_764_737, 2_764_737),
    ("pix2pix", "image_generator"): ({}, 29_263_043, 54_432_963),
    ("pix2pix", "discriminator"): ({}, 2_788_033, 2_788_033),
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("model, stage", COUNTS)
def test_parameters_to_the_digit(model, stage, size):
    flags, *counts = COUNTS[model, stage]
    options = options_of(model, size, **flags)
    with tf.Graph().as_default():  # where variables have shapes and no memory
        network = build_discriminator(options) if stage == "discriminator" else build_network(stage, options)
        assert network.count_params() == dict(zip(SIZES, counts))[size]


@pytest.mark.parametrize(
    "size, count, codes",
    [
        ((256, 256), 47_272_966, [(4, 4), (8, 8)]),
        ((128, 128), 47_419_270, [(2, 2), (4, 4)]),
        ((128, 64), 45_318_534, [(4, 2), (8, 4)]),
    ],
)
def test_aunets_parameters_and_codes(size, count, codes):
    height, width = size
    options = Options(
        data=DataOptions(height=height, width=width), networks=NetworkOptions(model="aunet", generator_width=32)
    )
    with tf.Graph().as_default():
        network = build_network("image_generator", options)
        assert network.count_params() == count
        crops = tf.zeros([1, *build_pipeline({}, options).crop_size, 24])
        means, _ = network.encoder(crops, seeds=seeds_from(None))
    assert [tuple(mean.shape[1:3]) for mean in means] == codes


@pytest.mark.parametrize(
    "size, crops", [((256, 256), (64, 64)), ((128, 64), (64, 32)), ((64, 32), (32, 16)), ((272, 144), (136, 72))]
)
def test_size_of_aunets_crops(size, crops):
    height, width = size
    options = Options(data=DataOptions(height=height, width=width), networks=NetworkOptions(model="aunet"))
    assert build_pipeline({}, options).crop_size == crops


@pytest.mark.parametrize(
    "model, size, score_map",
    [
        ("pix2pix", "market", (14, 6)),
        ("pix2pix", "deepfashion", (30, 30)),
        ("upis", "market", (10, 2)),
        ("upis", "deepfashion", (26, 26)),
    ],
)
def test_scores_of_patches(model, size, score_map):
    height, width = SIZES[size]
    judge = build_discriminator(options_of(model, size, discriminator_width=4))
    inputs = {"condition_image": 3, "target_pose": 18, "image": 3}
    (scores,) = judge({name: tf.zeros([1, height, width, count]) for name, count in inputs.items()})["scores"]
    assert tuple(scores.shape) == (1, *score_map, 1)


@pytest.mark.parametrize("model", SYSTEMS)
def test_networks_are_built_by_one_call(model, monkeypatch):
    options = options_of(model, "market", generator_width=4, parser_width=4, matcher_width=4, discriminator_width=4)
    eagerly = []
    for convolution in (tf.keras.layers.Conv2D, WeightNormalizedConvolution):

        def call(layer, inputs, call=convolution.call):
            eagerly.append(tf.executing_eagerly())
            return call(layer, inputs)

        monkeypatch.setattr(convolution, "call", call)
    networks = [build_network(stage, options) for stage in stages_of(options)]
    if "lambda_adversarial" not in SYSTEMS[model].without:
        networks.append(build_discriminator(options))
    assert len(eagerly) > len(networks) and all(eagerly)  # Keras 3 builds what has no `build` by calls on symbols
