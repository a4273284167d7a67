"""SSIM against a NumPy reference that loops over windows, hand-computed values and scikit-image."""

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.errors import InputError
from tfwarpgan.evaluation.metrics.ssim import PROTOCOLS, ssim, window


def pictures(height=13, width=12, seed=0):
    """A batch of two pairs of levels: uint8 noise, the second picture of each near the first."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 256, (2, height, width, 3))
    y = np.clip(x + rng.integers(-60, 60, x.shape), 30, 200)
    return [images.astype(np.uint8) for images in (x, y)]


def reference(x, y, protocol):
    """SSIM of one pair [H, W, C] of values in [0, 255], window by window, by the definition of (co)variance."""
    if protocol in ("gaussian", "posegan"):
        taps = [np.exp(-(offset**2) / (2 * 1.5**2)) for offset in range(-5, 6)]
    else:
        taps = [1.0] * {"uniform7": 7, "win51": 51}[protocol]
    size = len(taps)
    weights = np.outer(taps, taps) / np.sum(taps) ** 2
    factor = 1.0 if size == 11 else size**2 / (size**2 - 1)
    span = y.max() - y.min() if protocol == "posegan" else 255.0
    values = []
    for channel in range(x.shape[2]):
        for top in range(x.shape[0] - size + 1):
            for left in range(x.shape[1] - size + 1):
                a = x[top : top + size, left : left + size, channel]
                b = y[top : top + size, left : left + size, channel]
                mean_a, mean_b = (weights * a).sum(), (weights * b).sum()
                variance_a = factor * (weights * (a - mean_a) ** 2).sum()
                variance_b = factor * (weights * (b - mean_b) ** 2).sum()
                covariance = factor * (weights * (a - mean_a) * (b - mean_b)).sum()
                c1, c2 = (0.01 * span) ** 2, (0.03 * span) ** 2
                luminance = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
                values.append(luminance * (2 * covariance + c2) / (variance_a + variance_b + c2))
    return np.mean(values)


@pytest.mark.parametrize("protocol", ["gaussian", "posegan", "uniform7", "win51"])
def test_agrees_with_the_definition(protocol):
    x, y = pictures(52, 53) if protocol == "win51" else pictures()
    expected = [reference(a.astype(float), b.astype(float), protocol) for a, b in zip(x, y, strict=True)]
    assert min(expected) < 0.9
    np.testing.assert_allclose(ssim(x, y, protocol), expected, rtol=1e-7)


def test_protocols_differ():
    x, y = pictures(52, 53)
    values = [round(float(ssim(x, y, protocol)[0]), 5) for protocol in PROTOCOLS]
    assert len(set(values)) == 5  # posegan and ssim_256 differ in the last digits alone


@pytest.mark.parametrize("protocol", ["gaussian", "uniform7"])
def test_flat_pictures_by_hand(protocol):
    """Without variance only the luminance is left: (2 * 51 * 102 + c1) / (51^2 + 102^2 + c1), c1 = 6.5025."""
    x, y = (np.full((1, 12, 11, 3), value, np.uint8) for value in (51, 102))
    np.testing.assert_allclose(ssim(x, y, protocol), [10410.5025 / 13011.5025], rtol=1e-9)


def test_equal_pictures_give_one_and_negatives_less_than_zero():
    x, _ = pictures()
    np.testing.assert_allclose(ssim(x, x), [1, 1], rtol=1e-6)
    assert np.all(np.asarray(ssim(x, 255 - x)) < 0)


def test_the_gaussian_window_has_eleven_taps():
    weights = window("gaussian")
    assert len(weights) == 11
    np.testing.assert_allclose(weights[5] / weights[2], np.exp(2))  # 3 pixels are 2 sigma
    np.testing.assert_allclose(weights.sum(), 1)


def test_each_pair_is_scored_alone_in_graph_and_eager():
    x, y = pictures()
    together = ssim(x, y)
    alone = tf.concat([ssim(x[:1], y[:1]), ssim(x[1:], y[1:])], axis=0)
    np.testing.assert_allclose(together, alone, rtol=1e-6)
    compiled = tf.function(ssim, input_signature=[tf.TensorSpec([None, 13, 12, 3], tf.uint8)] * 2)
    np.testing.assert_allclose(together, compiled(x, y), rtol=1e-6)


def test_a_picture_of_one_color_has_no_range():
    x, _ = pictures()
    assert np.all(np.isfinite(ssim(x, np.zeros_like(x), "posegan")))


def test_too_small_pictures_are_refused():
    x, y = pictures()
    with pytest.raises(InputError, match="ssim/win51 needs images of at least 51 x 51 pixels, these have 13 x 12"):
        ssim(x, y, "win51")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_agrees_with_scikit_image(protocol):
    metrics = pytest.importorskip("skimage.metrics", reason="scikit-image, of the extra 'dev', is not installed")
    color = pytest.importorskip("skimage.color")
    window = {"uniform7": {"win_size": 7}, "win51": {"win_size": 51}, "bodyroi7": {"win_size": 7}}.get(
        protocol, {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    )  # fmt: skip
    x, y = pictures(64, 56)

    def expected(a, b):
        if protocol == "bodyroi7":
            a, b = color.rgb2gray(a), color.rgb2gray(b)
            return metrics.structural_similarity(a, b, data_range=a.max() - a.min(), **window)
        if protocol == "ssim_256":
            a, b = ((levels.astype(np.float32) / np.float32(255)) * np.float32(255) for levels in (a, b))
        span = 255 if protocol in ("gaussian", "uniform7", "win51") else b.max() - b.min()
        return metrics.structural_similarity(a, b, data_range=span, channel_axis=-1, **window)

    np.testing.assert_allclose(ssim(x, y, protocol), [expected(a, b) for a, b in zip(x, y)], rtol=1e-7)
