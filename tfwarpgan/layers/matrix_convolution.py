"""A convolution as one matrix product, for the few positions and many channels of a full-size trunk on a CPU.

The columns are the inputs below each position's kernel (Chellapilla et al., IWFHR 2006). Weights keep their layout in
the forward and in both backward products, where oneDNN's convolution reorders them each time: with 1,024 channels at
16x8 that costs more than half of its time, and the columns cost nothing beside. benchmarks/convolution.py measures it.
"""

from collections.abc import Callable

import tensorflow as tf

from tfwarpgan.typing import Features, Tensor


def matrix_convolution(inputs: Features, kernel: Tensor) -> Features:
    """A convolution of stride 1 that keeps the size, zeros beyond the borders, as `tf.nn.conv2d(..., 1, "SAME")`.

    Args:
        inputs: [B, H, W, C].
        kernel: [h, w, C, filters] of the same type, h and w odd.

    Returns:
        [B, H, W, filters].
    """
    rows, columns, _, filters = kernel.shape
    margins = [[0, 0], [rows // 2] * 2, [columns // 2] * 2, [0, 0]]
    product = _product(tf.pad(inputs, margins), kernel)
    return tf.reshape(product, [*_size(inputs), filters])


@tf.custom_gradient
def _product(padded: Features, kernel: Tensor) -> tuple[Tensor, Callable[[Tensor], tuple[Features, Tensor]]]:
    """[positions, filters] of padded inputs; the columns are made anew for the gradient, not kept for it."""
    rows, columns, channels, filters = kernel.shape
    matrix = tf.reshape(kernel, [-1, filters])

    def gradient(upstream: Tensor) -> tuple[Features, Tensor]:
        of_kernel = tf.matmul(_columns(padded, rows, columns), upstream, transpose_a=True)
        batch, height, width = _size(padded)
        height, width = height - rows + 1, width - columns + 1
        of_columns = tf.reshape(
            tf.matmul(upstream, matrix, transpose_b=True), [batch, height, width, rows * columns, channels]
        )
        shifted = [
            tf.pad(of_columns[:, :, :, row * columns + column], _place(row, rows, column, columns))
            for row in range(rows)
            for column in range(columns)
        ]
        return tf.add_n(shifted), tf.reshape(of_kernel, kernel.shape)

    return tf.matmul(_columns(padded, rows, columns), matrix), gradient


def _place(row: int, rows: int, column: int, columns: int) -> list[list[int]]:
    return [[0, 0], [row, rows - 1 - row], [column, columns - 1 - column], [0, 0]]


def _columns(padded: Features, rows: int, columns: int) -> Tensor:
    batch, height, width = _size(padded)
    height, width = height - rows + 1, width - columns + 1
    shifted = [
        padded[:, row : row + height, column : column + width] for row in range(rows) for column in range(columns)
    ]
    return tf.reshape(tf.concat(shifted, axis=-1), [batch * height * width, rows * columns * padded.shape[-1]])


def _size(features: Features) -> tuple[int | Tensor, ...]:
    """Batch, height and width, as integers where they are known."""
    dynamic = tf.shape(features)
    return tuple(dynamic[axis] if features.shape[axis] is None else features.shape[axis] for axis in range(3))
