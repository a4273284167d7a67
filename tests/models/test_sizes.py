"""Parameters of the full-size networks, counted by hand from the paper's architecture."""

import dataclasses

import pytest
import tensorflow as tf

from tfwarpgan.models import (
    GeometricMatcher,
    PoseGuidedParser,
    PyramidDiscriminator,
    WarpingGenerator,
    build,
)
from tfwarpgan.options import NetworkOptions, Options

SIZE = (16, 16)  # no network's parameters depend on the picture's size, but for the matcher's regression


def conv(size, inputs, outputs):
    return size * size * inputs * outputs + outputs


def encoder(inputs, width=64):
    return (
        conv(7, inputs, width)
        + conv(3, width, 2 * width)
        + conv(3, 2 * width, 4 * width)
        + conv(3, 4 * width, 8 * width)
    )


def trunk(width, blocks=9):
    return blocks * 2 * conv(3, width, width)


def zeros(**channels):
    return {name: tf.zeros([1, *SIZE, count]) for name, count in channels.items()}


GENERATOR_INPUTS = {
    **zeros(condition_image=3, condition_parsing=20, target_parsing=20, target_pose=18),
    "grid": tf.zeros([1, *SIZE, 2]),
}


def count(model, inputs):
    model(inputs)
    return model.count_params()


def test_pose_guided_parser_has_45_8_million_parameters():
    expected = encoder(38) + trunk(512) + conv(3, 512, 256) + conv(3, 256, 128) + conv(3, 128, 64) + conv(7, 64, 20)
    assert expected == 45_756_436
    assert count(PoseGuidedParser(), zeros(condition_parsing=20, target_pose=18)) == expected


def test_parser_that_sees_the_image_adds_three_channels():
    inputs = zeros(condition_parsing=20, target_pose=18, condition_image=3)
    assert count(PoseGuidedParser(uses_image=True), inputs) == 45_756_436 + 7 * 7 * 3 * 64


@pytest.mark.parametrize(
    ("fusion_width", "total"),
    [
        (1024, 179_454_787),  # 179.5 M, of which 169.9 M in the nine blocks
        (512, 52_043_587),  # 52.0 M: projected by a 3x3 convolution; the decoder ends at 64 channels by itself
    ],
)
def test_generator_without_residual_and_gate(fusion_width, total):
    f = fusion_width
    decoder = conv(3, f, f // 2) + conv(3, f // 2, f // 4) + conv(3, f // 4, f // 8) + conv(7, 64, 3)
    more = conv(3, 128, 64) if f == 1024 else conv(3, 1024, 512)
    assert encoder(23) + encoder(38) + trunk(f) + decoder + more == total
    generator = WarpingGenerator(fusion_width=fusion_width, residual="identity", gate="none")
    assert count(generator, GENERATOR_INPUTS) == total


def test_nine_blocks_of_1024_have_169_9_million():
    assert trunk(1024) == 169_887_744


def test_generator_with_residual_and_gate():
    generator = WarpingGenerator()
    branch = 2 * conv(3, 512, 512)
    gate = conv(3, 2 * 512, 1)  # of the features and the warped ones
    assert (branch, gate, 179_454_787 + branch + gate) == (4_719_616, 9_217, 184_183_620)
    assert count(generator, GENERATOR_INPUTS) == 184_183_620
    assert generator.warping_block.branch.count_params() == branch
    assert generator.warping_block.gate_layer.count_params() == gate


def test_discriminator_has_2_8_million_parameters():
    expected = conv(4, 64, 64) + conv(4, 64, 128) + conv(4, 128, 256) + conv(4, 256, 512) + conv(4, 512, 1)
    assert expected == 2_827_201
    keys = ("condition_image", "condition_parsing", "target_parsing", "target_pose", "image")
    inputs = zeros(condition_image=3, condition_parsing=20, target_parsing=20, target_pose=18, image=3)
    assert count(PyramidDiscriminator(keys), inputs) == expected
    assert count(PyramidDiscriminator(keys, num_discriminators=3), inputs) == 3 * expected


def test_matcher_has_6_million_parameters_at_128x64():
    inputs = {name: tf.zeros([1, 128, 64, 20]) for name in ("condition_parsing", "target_parsing")}
    extractor = conv(4, 20, 64) + conv(4, 64, 128) + conv(4, 128, 256) + conv(4, 256, 512) + conv(3, 512, 512)
    positions = (128 // 16) * (64 // 16)
    regression = conv(7, positions, 128) + conv(5, 128, 64)
    affine, spline = conv(1, 64 * positions, 6), conv(1, 64 * positions, 18)  # dense layers of all positions
    assert extractor + 2 * regression + affine + spline == 5_994_328
    assert count(GeometricMatcher(), inputs) == 5_994_328
    more = conv(1, 64 * positions, 50) - spline
    assert more == 65_568 and count(GeometricMatcher(control_points=5), inputs) == 5_994_328 + more


def test_flags_reach_the_networks():
    networks = NetworkOptions(parser_width=4, parser_blocks=2, generator_width=4, generator_blocks=3, fusion_width=16)
    options = dataclasses.replace(Options(), networks=networks)
    assert build.pose_guided_parser(options).count_params() < 100_000
    generator = build.warping_generator(options)
    assert len(generator.trunk.blocks) == 3
    assert generator.fusion is not None


ABLATIONS = {
    "w/o parsing": ({"model": "resnet", "generator_inputs": "image,pose"}, 45_649_795, 2_786_241),
    "w/o block, the authors' one encoder": ({"model": "resnet"}, 45_775_235, 2_827_201),
    "w/o block, two encoders": ({"warp": "none"}, 179_454_787, 2_827_201),
}


@pytest.mark.parametrize("flags, generator, discriminator", ABLATIONS.values(), ids=list(ABLATIONS))
def test_generators_of_the_ablations_and_their_discriminators(flags, generator, discriminator):
    options = dataclasses.replace(Options(), networks=NetworkOptions(**flags))
    with tf.Graph().as_default():  # where variables have shapes and no memory
        assert build.warping_generator(options).count_params() == generator
        assert build.generator_discriminator(options).count_params() == discriminator


def test_generators_of_the_ablations_by_hand():
    """One encoder, nine blocks of 512, and a decoder that ends at 64 channels: on 3 + 18 and 3 + 20 + 20 + 18."""
    rest = trunk(512) + conv(3, 512, 256) + conv(3, 256, 128) + conv(3, 128, 64) + conv(7, 64, 3)
    assert (encoder(21) + rest, encoder(61) + rest) == (45_649_795, 45_775_235)


def test_generator_with_blocks_at_every_scale():
    """What each scale costs at width 64, fusion 1024: a residual branch, a gate, the 3x3 convolution that joins."""
    one_block = 184_183_620
    total = one_block
    for scale, decoded in ((4, 512), (2, 256), (1, 128)):
        features = 64 * scale  # of either encoder
        gate = conv(3, decoded + features + features, 1)
        total += 2 * conv(3, features, features) + gate + conv(3, decoded + 2 * features, decoded)
    image_gate = conv(3, 64 + 3 + 3, 1)
    assert (total - one_block, image_gate) == (7_759_363, 631)
    assert count(WarpingGenerator(warp_scales=("8", "4", "2", "1")), GENERATOR_INPUTS) == total
    assert count(WarpingGenerator(warp_scales=("8", "4", "2", "1", "image")), GENERATOR_INPUTS) == total + image_gate
