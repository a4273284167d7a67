"""The measures over the person, against plain NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.evaluation.metrics import colors
from tfwarpgan.evaluation.metrics.detail import detail, high_pass, texture
from tfwarpgan.evaluation.metrics.l1 import l1_person
from tfwarpgan.evaluation.metrics.person import masked_mean
from tfwarpgan.evaluation.metrics.pose_change import pose_change
from tfwarpgan.evaluation.metrics.ssim import ssim, ssim_person, window


@pytest.fixture
def example():
    generator = np.random.default_rng(3)
    target, generated = generator.integers(0, 256, [2, 2, 24, 20, 3]).astype(np.float32)
    parsing = np.zeros([2, 24, 20], np.uint8)
    parsing[0, 3:20, 2:9], parsing[0, 0:6, 14:] = 5, 2
    parsing[1, 10:, :] = 9
    return target, generated, parsing


def test_masked_mean_by_hand():
    values = np.arange(8.0).reshape(1, 2, 2, 2)
    mask = np.array([[[True, False], [False, True]]])
    np.testing.assert_allclose(masked_mean(values, mask), [(0 + 1 + 6 + 7) / 4])
    assert np.isnan(masked_mean(values, np.zeros_like(mask)))


def full_map(x, y):
    """The SSIM map of two pictures [H, W], each window written out, the border mirrored with its edge repeated."""
    weights = np.outer(window("gaussian"), window("gaussian"))
    x, y = (np.pad(p.astype(np.float64), 5, "symmetric") for p in (x, y))
    result = np.zeros([x.shape[0] - 10, x.shape[1] - 10])
    for row, column in np.ndindex(*result.shape):
        a, b = (p[row : row + 11, column : column + 11] for p in (x, y))
        ma, mb = (weights * a).sum(), (weights * b).sum()
        va, vb = (weights * (a - ma) ** 2).sum(), (weights * (b - mb) ** 2).sum()
        cov = (weights * (a - ma) * (b - mb)).sum()
        c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
        result[row, column] = (2 * ma * mb + c1) * (2 * cov + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2))
    return result


def test_ssim_person_is_the_mean_of_the_full_map(example):
    target, generated, parsing = example
    found = ssim_person(target, generated, parsing)
    for row in range(2):
        maps = [full_map(target[row, ..., c], generated[row, ..., c]) for c in range(3)]
        np.testing.assert_allclose(found[row], np.mean([m[parsing[row] > 0] for m in maps]), rtol=1e-5)
    inside = np.zeros_like(parsing)
    inside[:, 5:-5, 5:-5] = 5  # where no window leaves the picture, it is the usual SSIM
    np.testing.assert_allclose(ssim_person(target, generated, inside), ssim(target, generated), rtol=1e-5)


def test_l1_person(example):
    target, generated, parsing = example
    expected = [np.abs(t - g)[p > 0].mean() / 127.5 for t, g, p in zip(target, generated, parsing)]
    np.testing.assert_allclose(l1_person(target, generated, parsing), expected, rtol=1e-5)


def test_high_pass_by_hand():
    image = np.zeros([1, 3, 3, 1], np.float32)
    image[0, 0, 0, 0] = 9.0  # the mirrored border shows the corner four times
    expected = [[9 - 4, -2, 0], [-2, -1, 0], [0, 0, 0]]
    np.testing.assert_allclose(high_pass(image)[0, ..., 0], expected, atol=1e-6)


def test_detail_is_the_correlation_of_the_high_pass(example):
    target, generated, parsing = example
    generated = 0.5 * target + 0.5 * generated
    found = detail(target, generated, parsing)
    x, y = high_pass(target).numpy(), high_pass(generated).numpy()
    for row in range(2):
        mask = parsing[row] > 0
        expected = np.corrcoef(x[row][mask].ravel(), y[row][mask].ravel())[0, 1]
        np.testing.assert_allclose(found[row], expected, rtol=1e-4)
    np.testing.assert_allclose(detail(target, 0.3 * target + 0.1, parsing), [1, 1], rtol=1e-4)
    np.testing.assert_array_equal(detail(target, tf.zeros_like(target), parsing), [0, 0])


def test_texture_is_a_ratio_over_the_garments_alone(example):
    target, generated, parsing = example
    np.testing.assert_allclose(texture(target, 0.25 * target, parsing), [0.25, 0.25], rtol=1e-4)
    np.testing.assert_allclose(texture(target, target[:, ::-1], np.full_like(parsing, 5)), [1, 1], rtol=1e-4)
    elsewhere = np.array(target)
    elsewhere[0, :, 12:] = generated[0, :, 12:]  # two pixels and more from the garment: the head is none
    np.testing.assert_allclose(texture(target, elsewhere, parsing), [1, 1], rtol=1e-4)
    assert np.isnan(texture(target, generated, np.full_like(parsing, 13))).all()


def test_color_slopes_by_hand():
    images = np.zeros([3, 10, 10, 3], np.float32)
    images[:, :5] = np.array([-0.5, 0.0, 0.5]).reshape(3, 1, 1, 1)
    parsing = np.zeros([3, 10, 10], np.uint8)
    parsing[:, :5] = 2
    true = colors.part_means(images, parsing).numpy()
    np.testing.assert_allclose(true[:, 0, 0], np.sqrt(3) * np.array([-0.5, 0.0, 0.5]), atol=1e-6)
    np.testing.assert_allclose(true[:, 0, 1:], 0, atol=1e-6)
    assert np.isnan(true[:, 1:]).all()  # no face, no garment

    found = colors.slopes(true, colors.part_means(0.3 * images + 0.2, parsing))
    assert abs(found[0, 0] - 0.3) < 1e-6 and np.isnan(found[0, 1]) and np.isnan(found[1:]).all()
    assert abs(colors.slopes(true, colors.part_means(0 * images, parsing))[0, 0]) < 1e-6


def test_colors_of_a_few_pixels_do_not_count():
    parsing = np.zeros([1, 100, 100], np.uint8)
    parsing[0, 0, :9] = 13
    assert np.isnan(colors.part_means(np.zeros([1, 100, 100, 3]), parsing)[0, 1]).all()
    parsing[0, 0, :10] = 13
    assert np.isfinite(colors.part_means(np.zeros([1, 100, 100, 3]), parsing)[0, 1]).all()


def test_pose_change_by_hand():
    points = np.zeros([2, 18, 2], np.float32)
    moved = np.array(points)
    moved[0, :2] = [[3.0, 4.0], [0.0, 10.0]]
    visible = np.zeros([2, 18], bool)
    visible[0, :3] = True
    batch = {"condition_keypoints": points, "target_keypoints": moved, "condition_visible": visible}
    hidden = np.array(visible)
    hidden[0, 2] = False  # a joint that one picture hides says nothing
    found = pose_change({**batch, "target_visible": hidden}, 100)
    np.testing.assert_allclose(found[0], (5 + 10) / 2 / 100, rtol=1e-6)
    assert np.isnan(found[1])
