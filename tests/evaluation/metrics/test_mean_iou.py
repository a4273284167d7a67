"""Mean IoU against values worked out by hand."""

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.evaluation.metrics.mean_iou import confusion_matrix, iou_by_label, mean_iou

TRUTH = [[0, 0, 1], [1, 2, 255]]
PREDICTION = [[0, 1, 1], [1, 0, 2]]
# Label 0: 1 of 0->0, 0->1 and 2->0 = 1/3; label 1: 2 of 3; label 2: 0 of 1; the ignored pixel counts nowhere.
MATRIX = [[1, 1, 0], [0, 2, 0], [1, 0, 0]]


def test_confusion_matrix_has_the_truth_in_rows_and_leaves_out_ignored_pixels():
    np.testing.assert_array_equal(confusion_matrix(TRUTH, PREDICTION, 3), MATRIX)


def test_labels_above_the_last_are_ignored():
    assert int(tf.reduce_sum(confusion_matrix([3, 20, 1], [0, 1, 1], 3))) == 1


def test_iou_of_hand_counted_labels():
    np.testing.assert_allclose(iou_by_label(MATRIX), [1 / 3, 2 / 3, 0])
    assert float(mean_iou(MATRIX)) == pytest.approx(1 / 3)


def test_a_label_that_is_not_in_the_truth_is_left_out_of_the_mean():
    # Label 1 is only given, wrongly: it lowers label 0 and has no IoU of its own.
    matrix = [[3, 1, 0], [0, 0, 0], [0, 0, 2]]
    iou = iou_by_label(matrix).numpy()
    assert np.isnan(iou[1])
    assert float(mean_iou(matrix)) == pytest.approx((3 / 4 + 1) / 2)


def test_no_pixel_gives_0():
    assert float(mean_iou(np.zeros([3, 3]))) == 0.0


def test_eager_equals_graph_with_unknown_shapes():
    @tf.function(input_signature=[tf.TensorSpec(None, tf.uint8), tf.TensorSpec(None, tf.int64)])
    def graph(truth, prediction):
        return confusion_matrix(truth, prediction, 3)

    np.testing.assert_array_equal(graph(tf.constant(TRUTH, tf.uint8), tf.constant(PREDICTION, tf.int64)), MATRIX)
