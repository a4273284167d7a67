"""Pose maps: values by hand."""

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.layers.pose_maps import pose_map


def test_disc_holds_the_pixels_within_the_radius():
    result = pose_map(np.array([[[5.0, 4.0]]], np.float32), np.array([[True]]), 9, 8, radius=2.0)
    expected = np.zeros((9, 8))
    expected[3, 4] = expected[7, 4] = 1
    expected[4, 3:6] = expected[6, 3:6] = 1
    expected[5, 2:7] = 1
    np.testing.assert_array_equal(result[0, :, :, 0], expected)


def test_paper_s_disc_has_49_pixels():
    result = pose_map(np.full((1, 1, 2), 20, np.float32), np.ones((1, 1), bool), 41, 41)
    assert np.sum(result) == 49 and np.max(result) == 1


def test_disc_between_pixels_and_at_the_border():
    points = np.array([[[0.5, 0.5], [0.0, 7.0]]], np.float32)
    result = pose_map(points, np.ones((1, 2), bool), 8, 8, radius=1.0)
    assert np.argwhere(result[0, :, :, 0]).tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert np.argwhere(result[0, :, :, 1]).tolist() == [[0, 6], [0, 7], [1, 7]]


def test_gaussian_values():
    result = pose_map(np.array([[[5.0, 5.0]]], np.float32), np.ones((1, 1), bool), 16, 16, kind="gaussian", sigma=6.0)
    assert result[0, 5, 5, 0] == 1
    np.testing.assert_allclose(result[0, 5, 11, 0], np.exp(-0.5), rtol=1e-6)
    np.testing.assert_allclose(result[0, 8, 9, 0], np.exp(-25 / 72), rtol=1e-6)


@pytest.mark.parametrize("kind", ["disc", "gaussian"])
def test_invisible_joints_leave_their_channel_empty(kind):
    result = pose_map(np.full((1, 2, 2), 3, np.float32), np.array([[True, False]]), 8, 8, kind=kind)
    assert np.sum(result[..., 0]) > 1 and np.sum(result[..., 1]) == 0


def test_missing_joints_draw_nothing_although_they_lie_near_the_corner():
    result = pose_map(np.full((1, 18, 2), -1, np.float32), np.zeros((1, 18), bool), 8, 8)
    assert np.sum(result) == 0


@pytest.mark.parametrize("kind", ["disc", "gaussian"])
def test_graph_with_unknown_batch_equals_eager(kind):
    random = np.random.default_rng(0)
    points = random.uniform(-4, 20, (3, 18, 2)).astype(np.float32)
    visible = random.random((3, 18)) < 0.7
    graph = tf.function(
        lambda keypoints, shown: pose_map(keypoints, shown, 16, 12, kind),
        input_signature=[tf.TensorSpec([None, 18, 2]), tf.TensorSpec([None, 18], tf.bool)],
    )
    result = graph(points, visible)
    assert result.shape == (3, 16, 12, 18)
    np.testing.assert_allclose(result, pose_map(points, visible, 16, 12, kind), atol=1e-6)


def test_half_precision_measures_in_full():
    points = np.array([[[1000.3, 1000.3]]], np.float32)
    full = pose_map(points, np.ones((1, 1), bool), 1024, 1024)
    half = pose_map(points, np.ones((1, 1), bool), 1024, 1024, dtype=tf.float16)
    assert half.dtype == tf.float16
    np.testing.assert_array_equal(full, tf.cast(half, tf.float32))


def test_unknown_kind():
    with pytest.raises(ValueError, match="square"):
        pose_map(np.zeros((1, 18, 2)), np.ones((1, 18), bool), 8, 8, kind="square")
