"""Each loss against numbers worked out by hand."""

import numpy as np
import tensorflow as tf

from tfwarpgan.evaluation.metrics.ssim import ssim_person
from tfwarpgan.layers.transforms import affine_grid, tps_grid
from tfwarpgan.training import losses


def test_least_squares_averages_scales():
    scores = [tf.constant([[1.0, 3.0]]), tf.constant([[0.0]])]
    assert float(losses.least_squares(scores, 1.0)) == (2.0 + 1.0) / 2  # (0 + 4) / 2 and 1


def test_discriminator_loss_is_zero_only_when_right():
    ones, zeros = [tf.ones([2, 3])], [tf.zeros([2, 3])]
    assert float(losses.discriminator_loss(ones, zeros)) == 0.0
    assert float(losses.discriminator_loss(zeros, ones)) == 1.0


def test_pixel_loss_counts_the_person_for_more():
    real = tf.zeros([2, 1, 4, 3])
    fake = tf.constant([[[[1.0] * 3, [0.0] * 3, [0.0] * 3, [0.2] * 3]], [[[1.0] * 3, [0.0] * 3, [0.0] * 3, [0.0] * 3]]])
    labels = tf.constant([[[5, 0, 0, 0]], [[9, 9, 18, 13]]], tf.uint8)
    # Of the first picture 4 x 1 + 0.2 by 4 + 1 + 1 + 1; of the second, all of whose pixels weigh alike, the mean.
    weights = losses.pixel_weights(labels, 4.0)
    np.testing.assert_allclose(losses.pixel_loss(real, fake, weights), (4.2 / 7 + 1 / 4) / 2, rtol=1e-6)
    np.testing.assert_allclose(losses.pixel_loss(real, fake), (1.2 / 4 + 1 / 4) / 2, rtol=1e-6)


def test_pixel_weights_of_a_head():
    labels = tf.constant([[[0, 5, 2, 13]], [[1, 4, 0, 0]]], tf.uint8)  # background, clothes, hair, face; hat, glasses
    expected = [[[1 / 4, 2 / 4, 6.5 / 4, 6.5 / 4]], [[6.5 / 3.75, 6.5 / 3.75, 1 / 3.75, 1 / 3.75]]]
    np.testing.assert_allclose(losses.pixel_weights(labels, 2.0, 6.5), expected, rtol=1e-6)
    assert losses.pixel_weights(labels) is None


def test_ssim_loss_of_even_images():
    """No variance: (2 m n + c) / (m^2 + n^2 + c) of the means m and n from 0 to 2, c = (.01 x 2)^2."""
    real = tf.fill([1, 12, 6, 3], -1.0)
    fake = tf.concat([tf.fill([1, 6, 6, 3], -1.0), tf.zeros([1, 6, 6, 3])], axis=1)
    np.testing.assert_allclose(losses.ssim_loss(real, tf.zeros_like(real)), 1 - 4e-4 / (1 + 4e-4), rtol=1e-6)
    assert float(losses.ssim_loss(fake, fake)) == 0.0
    first_row, last_row = (tf.one_hot([[row] * 6], 12, 12.0, 0.0, axis=1) for row in (0, 11))
    # The window of the first row ends above the edge, and that of the last begins below it.
    np.testing.assert_allclose(losses.ssim_loss(real, fake, first_row), 0.0, atol=1e-6)
    np.testing.assert_allclose(losses.ssim_loss(real, fake, last_row), 1 - 4e-4 / (1 + 4e-4), atol=1e-3)


def test_ssim_loss_is_what_the_metric_lacks_to_one():
    generator = np.random.default_rng(0)
    levels = generator.integers(0, 256, [2, 2, 16, 12, 3], np.uint8)
    person = np.zeros([2, 16, 12], np.uint8)
    person[:, 3:11, 2:9] = 5
    real, fake = tf.constant(levels / 127.5 - 1, tf.float32)
    found = losses.ssim_loss(real, fake, tf.constant(person > 0, tf.float32) * 16 * 12 / 56)
    np.testing.assert_allclose(found, 1 - np.mean(ssim_person(*levels, person)), rtol=1e-5)


def test_ssim_loss_has_a_gradient_where_images_are_even():
    real, fake = tf.zeros([1, 8, 8, 3]), tf.Variable(tf.fill([1, 8, 8, 3], 0.5))
    with tf.GradientTape() as tape:
        loss = losses.ssim_loss(real, fake)
    gradient = tape.gradient(loss, fake)
    assert np.isfinite(gradient).all() and (gradient.numpy() > 0).all()


def test_a_person_on_the_background_of_another_image():
    real, fake = tf.zeros([1, 1, 3, 3]), tf.ones([1, 1, 3, 3])
    labels = tf.constant([[[0, 5, 2]]], tf.uint8)
    np.testing.assert_array_equal(losses.on_background_of(real, fake, labels)[0, 0, :, 0], [0, 1, 1])


def test_pyramid_loss_weighs_levels_and_averages_scales():
    real = [tf.zeros([1, 2, 2, 1])] * 6
    fake = [tf.fill([1, 2, 2, 1], value) for value in (1.0, 2.0, 4.0, 1.0, 2.0, 8.0)]
    assert float(losses.pyramid_loss(real, fake, (1.0, 0.0, 0.5))) == ((1 + 2) + (1 + 4)) / 2


def test_pyramid_loss_has_no_gradient_to_the_real_features():
    real, fake = tf.Variable([[[[1.0]]]]), tf.Variable([[[[3.0]]]])
    with tf.GradientTape() as tape:
        loss = losses.pyramid_loss([real], [fake], (1.0,))
    assert tape.gradient(loss, [real, fake])[0] is None


def test_perceptual_loss_is_relative_to_the_real_features():
    real = [tf.fill([2, 1, 1, 4], 10.0), tf.fill([2, 1, 1, 4], 100.0)]
    fake = [tf.fill([2, 1, 1, 4], 15.0), tf.fill([2, 1, 1, 4], 100.0)]
    np.testing.assert_allclose(losses.perceptual_loss(real, fake, (0.25, 1.0), "relative"), 0.25 * 0.5, rtol=1e-3)


def test_cross_entropy_of_even_logits():
    labels = tf.zeros([1, 2, 2], tf.uint8)
    np.testing.assert_allclose(losses.parsing_cross_entropy(labels, tf.zeros([1, 2, 2, 20])), np.log(20), rtol=1e-6)


def test_cross_entropy_leaves_out_ignored_pixels():
    labels, logits = tf.constant([[[3, 255]]], tf.uint8), tf.one_hot([[[3, 5]]], 20) * 2.0
    alone = -np.log(np.exp(2.0) / (np.exp(2.0) + 19))
    np.testing.assert_allclose(losses.parsing_cross_entropy(labels, logits), alone / 2, rtol=1e-5)


def test_pixel_accuracy_leaves_out_ignored_pixels_and_says_how_many_count():
    logits = tf.one_hot([[[3, 5, 7, 7]]], 20)
    for labels, expected in (([3, 5, 1, 255], (2 / 3, 3 / 4)), ([255] * 4, (0, 0)), ([3, 5, 7, 7], (1, 1))):
        got = losses.pixel_accuracy(tf.constant([[labels]], tf.uint8), logits)
        np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_transformed_grid_loss_of_a_shift():
    identity, shifted = affine_grid([[1.0, 0, 0, 0, 1, 0]], 4, 4), affine_grid([[1.0, 0, 0.3, 0, 1, 0.4]], 4, 4)
    np.testing.assert_allclose(losses.transformed_grid_loss(shifted, identity), 0.25, rtol=1e-5)


def test_smoothness_is_zero_for_affine_grids_only():
    affine = affine_grid([[1.2, 0.1, 0.2, -0.3, 0.9, 0.1]], 16, 8)
    np.testing.assert_allclose(losses.grid_smoothness(affine), 0.0, atol=1e-8)
    bent = tps_grid(tf.constant(np.random.default_rng(0).normal(0, 0.2, [1, 9, 2]), tf.float32), 16, 8)
    assert float(losses.grid_smoothness(bent)) > 1e-4


def test_soft_iou_by_hand():
    target = tf.one_hot([[[0, 0, 1, 1]]], 20)
    warped = tf.one_hot([[[0, 1, 1, 1]]], 20)
    np.testing.assert_allclose(losses.soft_iou_loss(warped, target), 1 - (1 / 2 + 2 / 3) / 2, rtol=1e-6)
    np.testing.assert_allclose(losses.soft_iou_loss(target, target), 0.0, atol=1e-7)


def test_plain_perceptual_loss_by_hand():
    real, fake = [tf.fill([2, 2, 2, 3], 5.0), tf.zeros([2, 1, 1, 4])], [tf.zeros([2, 2, 2, 3]), tf.ones([2, 1, 1, 4])]
    np.testing.assert_allclose(losses.perceptual_loss(real, fake, (0.25, 1.0)), (0.25 * 5 + 1) / 58, rtol=1e-6)


def test_person_l1_counts_the_person_alone():
    real = tf.zeros([2, 2, 2, 3])
    fake = tf.concat([tf.fill([2, 1, 2, 3], 0.5), tf.fill([2, 1, 2, 3], 9.0)], axis=1)
    person = tf.constant([[[True, False], [False, False]], [[True, True], [False, False]]])
    np.testing.assert_allclose(losses.person_l1(real, fake, person), 0.5, rtol=1e-5)


def test_cross_entropy_of_logits():
    scores = [tf.constant([[0.0], [np.log(3.0)]], tf.float32)]  # of probability 1/2 and 3/4
    real, fake = -(np.log(1 / 2) + np.log(3 / 4)) / 2, -(np.log(1 / 2) + np.log(1 / 4)) / 2
    np.testing.assert_allclose(losses.cross_entropy(scores, 1.0), real, rtol=1e-6)
    np.testing.assert_allclose(losses.cross_entropy(scores, 0.0), fake, rtol=1e-6)
    both = losses.discriminator_loss(scores, scores, form="cross_entropy")
    np.testing.assert_allclose(both, (real + fake) / 2, rtol=1e-6)


def test_several_fakes_weigh_as_much_as_one():
    real, fake, other = ([tf.fill([2, 1], value)] for value in (1.0, 1.0, 3.0))
    assert float(losses.discriminator_loss(real, fake, other)) == 0.5 * (0 + (1 + 9) / 2)


def test_nearest_neighbor_loss():
    real = tf.reshape(tf.range(16.0), [1, 4, 4, 1])
    fake = tf.roll(real, 1, axis=2)
    assert float(losses.nearest_neighbor_loss(real, fake, 3)) == 0.3125
    assert float(losses.nearest_neighbor_loss(real, fake, 1)) == float(losses.mean_absolute(real, fake)) == 1.5
