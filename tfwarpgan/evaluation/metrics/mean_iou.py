"""Mean intersection over union of label maps, from one confusion matrix over all pixels of a set.

For label k, IoU = n_kk / (sum_j n_kj + sum_j n_jk - n_kk), n_kj being the pixels of label k that were given label j
(Everingham et al., PASCAL VOC, 2010). The mean is over the labels that occur in the truth.
"""

import tensorflow as tf

from tfwarpgan.typing import Labels, Tensor


def confusion_matrix(truth: Labels, prediction: Labels, num_labels: int = 20) -> Tensor:
    """Pixels of each true label (row) that were given each label (column).

    Args:
        truth: Integer labels of any shape; pixels of a label outside 0..num_labels-1 (as 255) do not count.
        prediction: Integer labels of the same shape, 0..num_labels-1.
        num_labels: Number of labels.

    Returns:
        int64 [num_labels, num_labels].
    """
    truth, prediction = tf.cast(tf.reshape(truth, [-1]), tf.int32), tf.cast(tf.reshape(prediction, [-1]), tf.int32)
    # One cell more than the matrix has takes the pixels that do not count: no boolean mask, so shapes stay static.
    cell = tf.where((truth >= 0) & (truth < num_labels), truth * num_labels + prediction, num_labels**2)
    size = num_labels**2 + 1
    counts = tf.math.bincount(cell, minlength=size, maxlength=size, dtype=tf.int64)
    return tf.reshape(counts[:-1], [num_labels, num_labels])


def iou_by_label(matrix: Tensor) -> Tensor:
    """IoU of each label: float64 [num_labels], NaN for a label that does not occur in the truth."""
    matrix = tf.cast(matrix, tf.float64)
    common, true, given = tf.linalg.diag_part(matrix), tf.reduce_sum(matrix, axis=1), tf.reduce_sum(matrix, axis=0)
    union = true + given - common
    return tf.where(true > 0, tf.math.divide_no_nan(common, union), tf.constant(float("nan"), tf.float64))


def mean_iou(matrix: Tensor) -> Tensor:
    """Mean of `iou_by_label` over the labels that occur in the truth; 0 where there is no pixel at all."""
    iou = iou_by_label(matrix)
    present = ~tf.math.is_nan(iou)
    total = tf.reduce_sum(tf.where(present, iou, tf.zeros_like(iou)))
    return tf.math.divide_no_nan(total, tf.reduce_sum(tf.cast(present, tf.float64)))
