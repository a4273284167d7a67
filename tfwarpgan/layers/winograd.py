"""A 3x3 convolution with fewer multiplications, for the many channels of a full-size trunk on a CPU.

Winograd's minimal filtering F(2x2, 3x3): each 2x2 tile of the outputs takes 16 multiplications in place of 36 for each
pair of channels (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016, section 4.1),

    Y = A^T [(G g G^T) * (B^T d B)] A

with the kernel g, and d the 4x4 inputs that a tile sees. Summed over the channels, the products are 16 matrix products;
so are the backward passes. Results differ from those of a plain convolution by some 1e-6 of the largest. With few
channels the transforms cost more than they spare. benchmarks/convolution.py measures it.
"""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tfwarpgan.typing import Features, Tensor

_B = np.array([[1, 0, 0, 0], [0, 1, -1, 1], [-1, 1, 1, 0], [0, 0, 0, -1]], np.float32)
_G = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]], np.float32)
_A = np.array([[1, 0], [1, 1], [1, -1], [0, -1]], np.float32)
# The same for both axes at once, on flattened tiles.
OF_INPUTS, OF_KERNEL, OF_OUTPUTS = np.kron(_B, _B).T, np.kron(_G, _G), np.kron(_A, _A).T
# Turning a kernel by 180 degrees exchanges the first and the last of G's rows.
TURNED = [4 * row + column for row in (3, 1, 2, 0) for column in (3, 1, 2, 0)]


def winograd_convolution(inputs: Features, kernel: Tensor) -> Features:
    """A 3x3 convolution of stride 1 that keeps the size, zeros beyond the borders, as `tf.nn.conv2d(..., 1, "SAME")`.

    Args:
        inputs: float32 [B, H, W, C].
        kernel: float32 [3, 3, C, filters].

    Returns:
        [B, H, W, filters].
    """
    _, height, width = _size(inputs)
    even = tf.pad(inputs, [[0, 0], [0, height % 2], [0, width % 2], [0, 0]])
    return _convolved(even, kernel)[:, :height, :width]


@tf.custom_gradient
def _convolved(inputs: Features, kernel: Tensor) -> tuple[Features, Callable[[Tensor], tuple[Features, Tensor]]]:
    *_, channels, filters = kernel.shape
    weights = tf.reshape(tf.matmul(OF_KERNEL, tf.reshape(kernel, [9, -1])), [16, channels, filters])
    seen = _transformed(inputs, OF_INPUTS, 4)

    def gradient(upstream: Tensor) -> tuple[Features, Tensor]:
        # The inputs' gradient is a convolution, too: with the kernel turned, from filters to channels.
        products = tf.matmul(_transformed(upstream, OF_INPUTS[TURNED], 4), weights, transpose_b=True)
        of_inputs = _tiled(OF_OUTPUTS[:, TURNED], products, upstream)
        of_weights = tf.matmul(seen, _transformed(upstream, OF_OUTPUTS.T, 2), transpose_a=True)
        of_kernel = tf.matmul(OF_KERNEL.T, tf.reshape(of_weights, [16, -1]))
        return of_inputs, tf.reshape(of_kernel, kernel.shape)

    return _tiled(OF_OUTPUTS, tf.matmul(seen, weights), inputs), gradient


def _transformed(features: Features, transform: np.ndarray, size: int) -> Tensor:
    """[16, tiles, C] of the square tiles of `size`, 2 apart, that are centered on the 2x2 tiles of [B, H, W, C]."""
    _, height, width = _size(features)
    margins = [size // 2 - 1] * 2
    padded = tf.pad(features, [[0, 0], margins, margins, [0, 0]])
    values = [
        padded[:, row : row + height : 2, column : column + width : 2] for row in range(size) for column in range(size)
    ]
    tiles = tf.matmul(transform, tf.reshape(tf.stack(values), [size**2, -1]))
    return tf.reshape(tiles, [16, -1, features.shape[-1]])


def _tiled(transform: np.ndarray, products: Tensor, like: Features) -> Features:
    """[B, H, W, C] of the products [16, tiles, C], in as many tiles as `like` has."""
    batch, height, width = _size(like)
    channels = products.shape[-1]
    tiles = tf.matmul(transform, tf.reshape(products, [16, -1]))
    tiles = tf.reshape(tiles, [2, 2, batch, height // 2, width // 2, channels])
    return tf.reshape(tf.transpose(tiles, [2, 3, 0, 4, 1, 5]), [batch, height, width, channels])


def _size(features: Features) -> tuple[int | Tensor, ...]:
    """Batch, height and width, as integers where they are known."""
    dynamic = tf.shape(features)
    return tuple(dynamic[axis] if features.shape[axis] is None else features.shape[axis] for axis in range(3))
