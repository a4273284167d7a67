"""The VGG trunk: preprocessing, dilation, and weights from a file."""

import pathlib

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.errors import InputError
from tfwarpgan.models import vgg

keras = tf.keras
WEIGHTS = pathlib.Path(__file__).resolve().parents[2] / "../shared/data/weights/vgg16_imagenet_conv.npz"
FIRST = ("block1_conv1", "block1_conv2")


@pytest.fixture
def arrays():
    """Weights of the first block, as a file of them holds them."""
    generator = np.random.default_rng(0)
    return {
        "block1_conv1/kernel": generator.normal(size=[3, 3, 3, 64]).astype("float32"),
        "block1_conv1/bias": generator.normal(size=[64]).astype("float32"),
        "block1_conv2/kernel": generator.normal(size=[3, 3, 64, 64]).astype("float32"),
        "block1_conv2/bias": generator.normal(size=[64]).astype("float32"),
    }


def test_preprocessing_by_hand():
    # RGB (1, 0, -1) is (255, 127.5, 0); BGR less the mean color.
    got = vgg.preprocess(tf.constant([[[[1.0, 0.0, -1.0]]]]))
    np.testing.assert_allclose(got[0, 0, 0], [-103.939, 127.5 - 116.779, 255 - 123.68], rtol=1e-6)


def test_preprocessing_is_that_of_keras():
    levels = np.random.default_rng(0).integers(0, 256, [2, 4, 4, 3]).astype("float32")
    want = keras.applications.vgg16.preprocess_input(levels.copy())
    np.testing.assert_allclose(vgg.preprocess(tf.constant(levels / 127.5 - 1.0)), want, atol=1e-3)


def test_the_trunk_gives_what_the_application_gives(arrays):
    trunk, application = vgg.vgg_features("VGG16", FIRST), keras.applications.VGG16(weights=None, include_top=False)
    for layer in (trunk.get_layer(name) for name in FIRST):
        layer.set_weights([arrays[f"{layer.name}/kernel"], arrays[f"{layer.name}/bias"]])
        application.get_layer(layer.name).set_weights(layer.get_weights())
    picture = tf.random.stateless_uniform([1, 8, 8, 3], [0, 0])
    want = keras.Model(application.input, application.get_layer("block1_conv2").output)(picture)
    np.testing.assert_allclose(trunk(picture)[1], want, rtol=1e-5)
    assert [layer.name for layer in trunk.layers if layer.weights] == list(FIRST)


@pytest.mark.parametrize(("dilated", "stride"), [(False, 16), (True, 8)])
def test_dilation_keeps_stride_8(dilated, stride):
    trunk = vgg.vgg_features("VGG16", ["block3_conv3", "block5_conv3"], dilated=dilated)
    assert trunk.count_params() == 14_714_688  # all of VGG16's convolutions
    stride4, deep = trunk(tf.zeros([1, 64, 32, 3]))
    assert stride4.shape == (1, 16, 8, 256)
    assert deep.shape == (1, 64 // stride, 32 // stride, 512)


def test_an_unknown_layer_is_refused():
    with pytest.raises(ValueError, match="block9_conv1"):
        vgg.vgg_features("VGG16", ["block9_conv1"])
    with pytest.raises(ValueError, match="VGG11"):
        vgg.vgg_features("VGG11", FIRST)


def test_weights_from_a_file(tmp_path, arrays):
    np.savez(tmp_path / "weights.npz", **arrays)
    trunk = vgg.vgg_features("VGG16", FIRST)
    vgg.load_weights(trunk, "VGG16", str(tmp_path / "weights.npz"))
    for name in FIRST:
        kernel, bias = trunk.get_layer(name).get_weights()
        np.testing.assert_array_equal(kernel, arrays[f"{name}/kernel"])
        np.testing.assert_array_equal(bias, arrays[f"{name}/bias"])


def test_none_leaves_the_weights():
    trunk = vgg.vgg_features("VGG16", FIRST)
    before = trunk.get_weights()
    vgg.load_weights(trunk, "VGG16", "none")
    for old, new in zip(before, trunk.get_weights()):
        np.testing.assert_array_equal(old, new)


def test_each_fault_of_a_file_is_one_sentence(tmp_path, arrays):
    trunk = vgg.vgg_features("VGG16", FIRST)
    path = tmp_path / "weights.npz"
    with pytest.raises(InputError, match="--perceptual_weights=.*weights.npz does not exist"):
        vgg.load_weights(trunk, "VGG16", str(path), flag="perceptual_weights")
    for content in (b"", b"no archive", b"PK\x03\x04 broken"):
        path.write_bytes(content)
        with pytest.raises(InputError, match="not a readable npz"):
            vgg.load_weights(trunk, "VGG16", str(path))
    np.save(tmp_path / "single.npy", arrays["block1_conv1/bias"])
    with pytest.raises(InputError, match="not a readable npz"):
        vgg.load_weights(trunk, "VGG16", str(tmp_path / "single.npy"))
    np.savez(path, **{**arrays, "block1_conv2/bias": np.zeros(32)})
    with pytest.raises(InputError, match=r"block1_conv2/bias has shape \[32\], but VGG16 needs \[64\]"):
        vgg.load_weights(trunk, "VGG16", str(path))
    del arrays["block1_conv2/kernel"]
    np.savez(path, **arrays)
    with pytest.raises(InputError, match="lacks the array block1_conv2/kernel"):
        vgg.load_weights(trunk, "VGG16", str(path))


def test_a_refused_file_leaves_the_weights(tmp_path, arrays):
    del arrays["block1_conv2/kernel"]
    np.savez(tmp_path / "weights.npz", **arrays)
    trunk = vgg.vgg_features("VGG16", FIRST)
    before = trunk.get_layer("block1_conv1").get_weights()[0]
    with pytest.raises(InputError):
        vgg.load_weights(trunk, "VGG16", str(tmp_path / "weights.npz"))
    np.testing.assert_array_equal(trunk.get_layer("block1_conv1").get_weights()[0], before)


def test_imagenet_without_a_network_is_one_sentence(monkeypatch):
    def application(weights, include_top):
        raise Exception("URL fetch failure")

    monkeypatch.setattr(vgg, "_application", lambda network: application)
    with pytest.raises(InputError, match="could not be downloaded.*--human_parser_weights=FILE"):
        vgg.load_weights(None, "VGG16", "imagenet")


@pytest.mark.skipif(not WEIGHTS.exists(), reason="the VGG16 weights are not beside the repository")
def test_the_shared_weights_are_those_of_imagenet():
    trunk = vgg.vgg_features("VGG16", FIRST)
    vgg.load_weights(trunk, "VGG16", str(WEIGHTS))
    kernel, bias = trunk.get_layer("block1_conv1").get_weights()
    np.testing.assert_allclose(kernel[0, 0, :, 0], [0.42947057, 0.55037946, 0.4800154])
    assert bias[25] == pytest.approx(0.7446502)
