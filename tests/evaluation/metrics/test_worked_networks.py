"""Numbers of the field's own code on features and stand-in networks made by formulas, to their printed digits."""

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.evaluation.metrics import dists, fid, kid, lpips
from tfwarpgan.evaluation.metrics.inception_score import inception_score
from tfwarpgan.evaluation.networks import resizing
from tfwarpgan.evaluation.weights.conversion import _CONVOLUTIONS

DIGITS = 5.1e-11
SHAPES = {
    "alexnet": [(64, 3, 11), (192, 64, 5), (384, 192, 3), (256, 384, 3), (256, 256, 3)],
    "vgg16": [
        (b, a, 3)
        for a, b in zip(
            (3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512),
            (64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512),
        )
    ],
    "squeezenet": [
        (64, 3, 3),
        *(
            shape
            for a, s, e in ((64, 16, 64), (128, 16, 64), (128, 32, 128), (256, 32, 128), (256, 48, 192), (384, 48, 192),
                            (384, 64, 256), (512, 64, 256))
            for shape in ((s, a, 1), (e, s, 1), (e, s, 3))
        ),
    ],
}  # fmt: skip


ROUNDING = 2e-5  # relative, of float32 through some layers: the order of sums is the processor's


def stand_in(network):
    """Arrays of a network: convolution k, flat index i of its kernel (out, in, height, width)."""
    arrays = {}
    for k, (name, (outputs, inputs, side)) in enumerate(zip(_CONVOLUTIONS[network], SHAPES[network], strict=True)):
        i = np.arange(outputs * inputs * side * side)
        fan_in = inputs * side * side
        kernel = ((37 * i + 11 * k + 13 * (i // 7)) % 101 - 50) / 50 * np.sqrt(2 / fan_in)
        kernel = kernel.reshape(outputs, inputs, side, side).transpose(2, 3, 1, 0)
        arrays[f"{name}/kernel"] = kernel.astype(np.float32)
        arrays[f"{name}/bias"] = (((5 * np.arange(outputs) + k) % 11 - 5) / 100).astype(np.float32)
    return arrays


@pytest.fixture(scope="module")
def stand_ins():
    made = {}
    return lambda network: made.setdefault(network, stand_in(network))


@pytest.mark.parametrize(
    ("trunk", "version", "expected"),
    [
        ("alex", "0.1", 0.0140464138), ("alex", "0.0", 0.0065878057), ("vgg", "0.1", 0.0205975175),
        ("vgg", "0.0", 0.0087231081), ("squeeze", "0.1", 0.0059694611), ("squeeze", "0.0", 0.0068444139),
    ],
)  # fmt: skip
def test_lpips(worked, stand_ins, trunk, version, expected):
    arrays = stand_ins(lpips.NETWORKS[trunk])
    found = lpips.lpips(*worked(64, 56), trunk, arrays, lpips.heads(trunk, version), scaled=version != "0.0")
    np.testing.assert_allclose(tf.reduce_sum(found), expected, rtol=ROUNDING)


def test_lpips_of_each_layer_and_of_another_size(worked, stand_ins):
    arrays, heads = stand_ins("alexnet"), lpips.heads("alex", "0.1")
    found = lpips.lpips(*worked(64, 56), "alex", arrays, heads)[0]
    layers = [0.0013790682, 0.0021923888, 0.0049546999, 0.0050399047, 0.0004803521]
    np.testing.assert_allclose(found, layers, rtol=ROUNDING)
    whole = tf.reduce_sum(lpips.lpips(*worked(128, 64), "alex", arrays, heads))
    np.testing.assert_allclose(whole, 0.0187417176, rtol=ROUNDING)


def test_lpips_of_the_wrong_range_is_the_known_wrong_number(worked, stand_ins):
    """Pictures in [0, 1] where [-1, 1] is expected: levels of (x + 1) / 2."""
    halves = [(picture / 255.0 + 1.0) * 127.5 for picture in worked(64, 56)]
    found = lpips.lpips(*halves, "alex", stand_ins("alexnet"), lpips.heads("alex", "0.1"))
    assert abs(float(tf.reduce_sum(found)) - 0.0063839438) < 5e-8


def test_dists(worked, stand_ins):
    alpha, beta = dists.heads()
    np.testing.assert_allclose([alpha.sum(), beta.sum()], [0.876050, 0.123950], atol=5e-7)
    found = float(dists.dists(*worked(64, 56), stand_ins("vgg16"), alpha, beta)[0])
    assert abs(found - 0.0007162690) < 1.2e-7  # two steps of float32 near one, which the original takes it from
    target, _ = worked(64, 56)
    assert abs(float(dists.dists(target, target, stand_ins("vgg16"), alpha, beta)[0])) < 1e-9


def test_frechet_distance(features):
    a, b = features(40, 6, 1), features(37, 6, 2)
    first, second = fid.gaussian(a), fid.gaussian(b)
    assert abs(fid.frechet_distance(first, second) - 0.0650785676) < DIGITS
    assert abs(((first.mean - second.mean) ** 2).sum() - 0.0237626038) < DIGITS
    assert abs(fid.frechet_distance(fid.gaussian(a, ddof=0), fid.gaussian(b, ddof=0)) - 0.0640400431) < DIGITS
    assert abs(fid.frechet_distance(fid.gaussian(a[:32]), fid.gaussian(b[:32])) - 0.0539063019) < DIGITS
    moments = [fid.gaussian_of_moments(x.mean(axis=0), np.cov(x, rowvar=False)) for x in (a, b)]
    assert abs(fid.frechet_distance(*moments) - 0.0650785676) < DIGITS


def test_frechet_distance_of_fewer_pictures_than_features(features):
    a, b = features(5, 8, 3), features(6, 8, 4)
    found = fid.frechet_distance(fid.gaussian(a), fid.gaussian(b))
    assert abs(found - 0.6444007651) < DIGITS  # square roots of matrices give ...595 (scipy) and ...530 (torch)
    by_moments = [fid.gaussian_of_moments(x.mean(axis=0), np.cov(x, rowvar=False)) for x in (a, b)]
    assert abs(fid.frechet_distance(*by_moments) - found) < 1e-7


def test_frechet_distance_is_that_of_the_matrix_square_root(features):
    linalg = pytest.importorskip("scipy.linalg", reason="scipy, of the extra 'dev', is not installed")
    a, b = features(40, 6, 1), features(37, 6, 2)
    (m1, c1), (m2, c2) = ((x.mean(axis=0), np.cov(x, rowvar=False)) for x in (a, b))
    expected = ((m1 - m2) ** 2).sum() + np.trace(c1 + c2 - 2 * np.real(linalg.sqrtm(c1 @ c2)))
    assert abs(fid.frechet_distance(fid.gaussian(a), fid.gaussian(b)) - expected) < 1e-12


def test_kernel_distance(features):
    a, b = features(37, 6, 1), features(37, 6, 2)
    assert abs(kid.squared_discrepancy(a, b) - -0.0058352482) < DIGITS
    mean, spread = kid.kernel_distance(a, b, subsets=4, size=20)
    assert abs(mean - -0.0009110846) < DIGITS and spread > 0
    whole, none = kid.kernel_distance(a, b)  # fewer pictures than a subset has: all of them, in another order
    assert abs(whole - -0.0058352482) < 1e-10 and none < 1e-12


@pytest.mark.parametrize(
    ("splits", "expected", "spread"),
    [(10, 1.3703331414, 0.0876802880), (5, 1.4279650819, None), (1, 1.4859778654, 0.0)],
)
def test_inception_score(features, splits, expected, spread):
    mean, deviation = inception_score(4 * features(53, 7, 1), splits)
    assert abs(mean - expected) < DIGITS
    assert spread is None or abs(deviation - spread) < DIGITS


def test_inception_score_of_certain_pictures_is_the_number_of_their_classes():
    """Probabilities of 0, which are NaN in the original, also of a class that no picture has."""
    mean, spread = inception_score(1e4 * np.tile(np.eye(4, 5), (25, 1)), splits=5)
    assert abs(mean - 4) < 1e-9 and spread < 1e-9


@pytest.mark.parametrize(
    ("resize", "mean", "pixel", "off"),
    [
        (resizing.resize_tf1, 142.4550607, (148.787567, 183.750290, 197.787567), 2e-5),
        (resizing.resize_torch, 142.9624522, (145.514084, 181.514084, 194.514099), 4.2e-4),
        (resizing.resize_clean, 142.9593917, (144.802338, 181.530106, 193.662872), 9e-4),
    ],
)
def test_resizing_for_inception(worked, resize, mean, pixel, off):
    found = resize(worked(64, 56)[1])[0].numpy()
    assert found.shape == (299, 299, 3)
    assert abs(found.astype(np.float64).mean() - mean) < 5e-5
    np.testing.assert_allclose(found[150, 77], pixel, rtol=0, atol=off)
