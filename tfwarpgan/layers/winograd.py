"""A 3x3 convolution with fewer multiplications, for the many channels of a full-size trunk on a CPU.

Winograd's minimal filtering F(2x2, 3x3): each 2x2 tile of the outputs takes 16 multiplications in place of 36 for each
pair of channels (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016, section 4.1),

    Y = A^T [(G g G^T) * (B^T d B)] A

with the kernel g, and d the 4x4 inputs that a tile sees. Summed over the channels, the products are 16 matrix products;
so are the backward passes. Results differ from those of a plain convolution by some 1e-6 of the largest. With few
channels the transforms cost what they spare. benchmarks/convolution.py measures it.
"""

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from tfwarpgan.typing import Features, Tensor

OF_INPUTS = np.array([[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]])  # B^T
OF_KERNEL = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]], np.float32)  # G
OF_OUTPUTS = np.array([[1, 1, 1, 0], [0, 1, -1, -1]])  # A^T
TURNED = [3, 1, 2, 0]  # turning a kernel by 180 degrees exchanges the first and the last of G's rows


def winograd_convolution(inputs: Features, kernel: Tensor) -> Features:
    """A 3x3 convolution of stride 1 that keeps the size, zeros beyond the borders, as `tf.nn.conv2d(..., 1, "SAME")`.

    Args:
        inputs: float32 [B, H, W, C].
        kernel: float32 [3, 3, C, filters].

    Returns:
        [B, H, W, filters].
    """
    return _evened(inputs, lambda even: _convolved(even, kernel))


def transformed_kernel(kernel: Tensor) -> Tensor:
    """G g G^T of a kernel [3, 3, C, filters]: [16, C, filters]."""
    both = np.kron(OF_KERNEL, OF_KERNEL)
    return tf.reshape(tf.matmul(both, tf.reshape(kernel, [9, -1])), [16, *kernel.shape[2:]])


def convolution_by_transformed(inputs: Features, weights: Sequence[Tensor]) -> Features:
    """`winograd_convolution` for inference, with the 16 of `transformed_kernel`, each [1, 1, C, filters].

    A processor keeps the weights of a convolution in its own layout, and not those of a matrix product.
    """

    def convolve(even: Features) -> Features:
        seen = _transformed(even, OF_INPUTS)
        return _tiled(OF_OUTPUTS, [tf.nn.conv2d(tile, weight, 1, "VALID") for tile, weight in zip(seen, weights)])

    return _evened(inputs, convolve)


def _evened(inputs: Features, convolve: Callable[[Features], Features]) -> Features:
    """What `convolve` makes of the inputs with zeros up to an even size, cut to theirs."""
    height, width = _size(inputs)
    even = tf.pad(inputs, [[0, 0], [0, height % 2], [0, width % 2], [0, 0]])
    return convolve(even)[:, :height, :width]


@tf.custom_gradient
def _convolved(inputs: Features, kernel: Tensor) -> tuple[Features, Callable[[Tensor], tuple[Features, Tensor]]]:
    weights = transformed_kernel(kernel)

    def gradient(upstream: Tensor) -> tuple[Features, Tensor]:
        # The inputs' gradient is a convolution, too: with the kernel turned, from filters to channels.
        products = tf.matmul(_matrices(_transformed(upstream, OF_INPUTS[TURNED])), weights, transpose_b=True)
        of_inputs = _tiled(OF_OUTPUTS[:, TURNED], _tiles(products, upstream))
        seen = _matrices(_transformed(inputs, OF_INPUTS))  # once more: four times as large as the inputs
        of_weights = tf.matmul(seen, _matrices(_transformed(upstream, OF_OUTPUTS.T)), transpose_a=True)
        of_kernel = tf.matmul(np.kron(OF_KERNEL, OF_KERNEL).T, tf.reshape(of_weights, [16, -1]))
        return of_inputs, tf.reshape(of_kernel, kernel.shape)

    products = tf.matmul(_matrices(_transformed(inputs, OF_INPUTS)), weights)
    return _tiled(OF_OUTPUTS, _tiles(products, inputs)), gradient


def _transformed(features: Features, transform: np.ndarray) -> list[Tensor]:
    """The 16 values [B, H/2, W/2, C] of the square tiles, 2 apart, centered on the 2x2 tiles of [B, H, W, C].

    A tile is as large as `transform` has columns.
    """
    size = transform.shape[1]
    margins = [size // 2 - 1] * 2
    padded = tf.pad(features, [[0, 0], margins, margins, [0, 0]])
    return [
        value
        for row in _sums(transform, _every_second(padded, 1, size))
        for value in _sums(transform, _every_second(row, 2, size))
    ]


def _every_second(features: Features, axis: int, count: int) -> list[Tensor]:
    """Every second position of an axis, from the first, the second and so on; slices of pairs are faster."""
    shape = [tf.shape(features)[at] if side is None else side for at, side in enumerate(features.shape)]
    number = (shape[axis] - count) // 2 + 1
    pairs = tf.reshape(features, [*shape[:axis], shape[axis] // 2, 2, *shape[axis + 1 :]])
    before = [slice(None)] * axis
    return [pairs[(*before, slice(at // 2, at // 2 + number), at % 2)] for at in range(count)]


def _tiled(transform: np.ndarray, values: Sequence[Tensor]) -> Features:
    """[B, H, W, C] of the 16 values [B, H/2, W/2, C] of its 2x2 tiles."""
    columns = [_sums(transform, values[column::4]) for column in range(4)]
    tiles = [value for row in zip(*columns) for value in _sums(transform, row)]
    batch, height, width, channels = tf.unstack(tf.shape(values[0]))
    stacked = tf.reshape(tf.stack(tiles), [2, 2, batch, height, width, channels])
    outputs = tf.reshape(tf.transpose(stacked, [2, 3, 0, 4, 1, 5]), [batch, 2 * height, 2 * width, values[0].shape[-1]])
    known = [side and 2 * side for side in values[0].shape[1:3]]
    return tf.ensure_shape(outputs, [values[0].shape[0], *known, values[0].shape[-1]])


def _sums(transform: np.ndarray, values: Sequence[Tensor]) -> list[Tensor]:
    """`transform`, of 0, 1 and -1, times the values."""
    results = []
    for row in transform:
        added, subtracted = ([value for sign, value in zip(row, values) if sign == wanted] for wanted in (1, -1))
        total = added.pop() if added else -subtracted.pop()
        for value in added:
            total += value
        for value in subtracted:
            total -= value
        results.append(total)
    return results


def _matrices(values: Sequence[Tensor]) -> Tensor:
    """[16, tiles, C] of 16 values [B, H/2, W/2, C]."""
    return tf.reshape(tf.stack(values), [16, -1, values[0].shape[-1]])


def _tiles(products: Tensor, like: Features) -> list[Tensor]:
    """The 16 values [B, H/2, W/2, C] of [16, tiles, C], for an output of the size of `like`."""
    height, width = _size(like)
    shape = [tf.shape(like)[0], height // 2, width // 2, products.shape[-1]]
    return [tf.reshape(product, shape) for product in tf.unstack(products)]


def _size(features: Features) -> tuple[int | Tensor, ...]:
    """Height and width, as integers where they are known."""
    dynamic = tf.shape(features)
    return tuple(dynamic[axis] if features.shape[axis] is None else features.shape[axis] for axis in (1, 2))
