"""The human parser: shapes, types, saving, and the average over the mirrored picture."""

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.models import build
from tfwarpgan.models.human_parser import HumanParser, label_probabilities
from tfwarpgan.options import DataOptions, NetworkOptions, Options

keras = tf.keras


@pytest.fixture(scope="module")
def parser():
    keras.utils.set_random_seed(0)
    parser = HumanParser(width=8)
    parser({"image": tf.zeros([1, 32, 32, 3])})
    return parser


def pictures(batch=2, height=32, width=16):
    return tf.random.stateless_uniform([batch, height, width, 3], [0, 1], -1.0, 1.0)


@pytest.mark.parametrize("size", [(32, 16), (40, 24), (33, 21)])
def test_logits_have_the_size_of_the_picture(parser, size):
    logits = parser({"image": pictures(1, *size)})["parsing_logits"]
    assert logits.shape == (1, *size, 20)
    assert logits.dtype == tf.float32


def test_parameters_by_hand(parser):
    decoder = 3 * (9 * 512 * 8 + 8) + (512 * 8 + 8)  # three rates and the whole
    decoder += 3 * 8 * 8 + 8  # join
    decoder += 256 * 4 + 4 + 9 * 12 * 8 + 8  # stride 4
    decoder += 128 * 2 + 2 + 9 * 10 * 4 + 4  # stride 2
    decoder += 4 * 20 + 20
    assert parser.count_params() == 14_714_688 + decoder


def test_a_small_trunk_by_hand():
    """Convolutions without biases, each with a scale and an offset for each channel."""
    keras.utils.set_random_seed(0)
    parser = HumanParser("small", width=8)
    outputs = parser({"image": pictures(1, 33, 21)})["parsing_logits"]
    assert outputs.shape == (1, 33, 21, 20) and float(tf.reduce_max(tf.abs(outputs))) < 20
    steps = [(3, 2), (2, 4), (4, 4), (4, 4), (4, 8), (8, 8), (8, 8), (8, 16), *[(16, 16)] * 4]
    trunk = sum(9 * before * after + 2 * after for before, after in steps)
    decoder = 3 * (9 * 16 * 8 + 8) + (16 * 8 + 8) + (3 * 8 * 8 + 8)
    decoder += 8 * 4 + 4 + 9 * 12 * 8 + 8 + 4 * 2 + 2 + 9 * 10 * 4 + 4 + 4 * 20 + 20
    assert parser.count_params() == trunk + decoder
    again = HumanParser.from_config(parser.get_config())
    again({"image": pictures()})
    again.set_weights(parser.get_weights())
    np.testing.assert_allclose(again({"image": pictures(1, 33, 21)})["parsing_logits"], outputs, atol=1e-5)


def test_the_first_blocks_are_frozen(parser):
    frozen = [layer.name for layer in parser.backbone.layers if layer.weights and not layer.trainable]
    assert frozen == ["block1_conv1", "block1_conv2", "block2_conv1", "block2_conv2"]
    assert len(parser.trainable_variables) == len(parser.variables) - 8


def test_the_softmax_starts_unsaturated(parser):
    logits = parser({"image": pictures()})["parsing_logits"]
    assert float(tf.reduce_max(tf.abs(logits))) < 20


def test_a_checkpoint_holds_every_weight(parser, tmp_path):
    path = tf.train.Checkpoint(human_parser=parser).save(str(tmp_path / "checkpoint"))
    stored = [shape for name, shape in tf.train.list_variables(path) if name.startswith("human_parser")]
    assert sum(int(np.prod(shape)) for shape in stored) == parser.count_params()
    again = HumanParser(width=8)
    again({"image": tf.zeros([1, 32, 32, 3])})
    tf.train.Checkpoint(human_parser=again).restore(path).expect_partial()
    np.testing.assert_allclose(
        again({"image": pictures()})["parsing_logits"], parser({"image": pictures()})["parsing_logits"], atol=1e-5
    )


def test_the_configuration_builds_it_again(parser):
    again = HumanParser.from_config(parser.get_config())
    assert again.get_config()["width"] == 8


def test_the_output_is_float32_in_mixed_precision():
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        parser = HumanParser(width=8)
        logits = parser({"image": pictures()})["parsing_logits"]
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert logits.dtype == tf.float32


def test_the_mirrored_picture_exchanges_left_and_right():
    def parser(inputs, training):
        # Sees a left arm (14) in red pixels and a right arm (15) in all others.
        red = tf.cast(inputs["image"][..., 0] > 0, tf.float32)
        red = red[..., None]
        return {"parsing_logits": 50.0 * (tf.one_hot([14], 20) * red + tf.one_hot([15], 20) * (1 - red))}

    image = tf.constant([[[[1.0, 0, 0], [-1.0, 0, 0]]]])
    np.testing.assert_allclose(label_probabilities(parser, image, average_flip=False)[0, 0, :, 14], [1, 0], atol=1e-6)
    # The mirrored picture says 14 of red pixels, which is 15 of this one.
    np.testing.assert_allclose(label_probabilities(parser, image)[0, 0, :, 14:16], [[0.5, 0.5]] * 2, atol=1e-6)


def test_the_mirrored_probabilities_return_to_their_places():
    def parser(inputs, training):
        first = tf.cast(tf.range(2) == 0, tf.float32)[None, None, :, None]  # hat in the left column, hair in the right
        return {"parsing_logits": 50.0 * (tf.one_hot([1], 20) * first + tf.one_hot([2], 20) * (1 - first))}

    got = label_probabilities(parser, tf.zeros([1, 1, 2, 3]))
    np.testing.assert_allclose(got[0, 0, :, 1:3], [[0.5, 0.5]] * 2, atol=1e-6)


def test_the_human_parsers_first_blocks_are_frozen_only_where_they_have_learned():
    def trained(weights):
        networks = NetworkOptions(human_parser_weights=weights, human_parser_width=8)
        parser = build.human_parser(Options(DataOptions(height=32, width=32), networks), first_weights=False)
        return len(parser.weights) - len(parser.trainable_weights)

    assert trained("none") == 0 and trained("imagenet") == 8  # four convolutions, a kernel and a bias each
