"""Bilinear sampling of features by a grid: the matrix W of Dong et al. 2018, equation 1, in three forms.

An output position p takes G(p) = (x, y), normalized, from the grid. In pixels, with the corners -1 and 1 at the
centers of the first and the last pixel,

    u = clamp((x + 1) / 2 * (width - 1), 0, width - 1),   v in the same way from y and the height,
    output[p] = sum over rows i and columns j of max(0, 1 - |v - i|) max(0, 1 - |u - j|) features[i, j],

so that a position outside the features takes the nearest border (the spatial transformer's sampler, Jaderberg et al.
2015, equation 5). The sum has four terms that are not 0. Where a coordinate meets a pixel's center the derivative
jumps; all three forms then give the one to the right (below), which is 0 at the last pixel and outside.

The forms agree; `sample` picks one by the speed that benchmarks/warp.py measures.
"""

import contextlib
from collections.abc import Iterator

import tensorflow as tf

from tfwarpgan.compat import tensorflow_addons
from tfwarpgan.typing import Features, Grid, Tensor

# Most positions of the features for which the dense matrix product was the fastest on two cores: at 16x8, with 512
# channels, in all runs but one (docs/results.md).
MATRIX_POSITIONS = 128
# Most channels for which the fused resampler was faster than gathers; it always computes both gradients.
RESAMPLER_CHANNELS = 16

_core_ops_depth = 0


@contextlib.contextmanager
def core_ops_only() -> Iterator[None]:
    """While open, everything traced (or run) holds only TensorFlow's own operations, XLA-compilable ones at that.

    Needed around the tracing of a graph that leaves this process: TF Serving cannot load the custom operation of the
    fused resampler; and around a function with `jit_compile=True`. It holds for all threads, because the replicas of a
    distribution strategy are traced in threads of their own. A function that was traced before keeps its operations.
    """
    global _core_ops_depth
    _core_ops_depth += 1
    try:
        yield
    finally:
        _core_ops_depth -= 1


def on_cpu() -> bool:
    """Whether what is traced now runs on this machine's CPU: there is no GPU, and `core_ops_only` is not open."""
    return not _core_ops_depth and not tf.config.list_physical_devices("GPU")


def sample(features: Features, grid: Grid, *, core_ops: bool = False) -> Features:
    """Samples features bilinearly at the positions of a grid; positions outside take the nearest border.

    Args:
        features: [B, H, W, C], any floating dtype; B, H and W may be unknown.
        grid: [B, h, w, 2], normalized (x, y) in [-1, 1], corners aligned; h and w set the size of the result.
        core_ops: Whether to use only TensorFlow's own operations, as inside `core_ops_only()`.

    Returns:
        [B, h, w, C] of the features' dtype, with gradients to the features and to the grid. Weights are computed in
        float32 at least.

    Raises:
        ValueError: If the features or the grid do not have four dimensions, or the grid does not end in 2.
    """
    features, grid = _checked(features, grid)
    fused = tensorflow_addons is not None and not core_ops and not _core_ops_depth
    _, height, width, channels = features.shape
    if height and width and height * width <= MATRIX_POSITIONS:
        return sample_by_matrix(features, grid)
    if fused and channels and channels <= RESAMPLER_CHANNELS and features.dtype in (tf.float32, tf.float64):
        return sample_by_resampler(features, grid)
    return sample_by_gather(features, grid)


def sample_by_matrix(features: Features, grid: Grid) -> Features:
    """`sample` as a dense product with the matrix W [B, h*w, H*W], as equation 1 writes it; for small features."""
    features, grid = _checked(features, grid)
    dtype = _weight_dtype(features)
    batch, height, width, channels = tf.unstack(tf.shape(features))
    column, row, u, v = _cells(features, grid)

    matrix = _hats(row, v, height, dtype)[..., :, None] * _hats(column, u, width, dtype)[..., None, :]
    matrix = tf.reshape(matrix, [batch, -1, height * width])
    pixels = tf.reshape(tf.cast(features, dtype), [batch, height * width, channels])
    return _shaped(tf.matmul(matrix, pixels), features, grid)


def sample_by_resampler(features: Features, grid: Grid) -> Features:
    """`sample` by the fused kernel of tensorflow-addons, which takes pixels and fades to 0 outside: clamped first."""
    if tensorflow_addons is None:
        raise ValueError("sample_by_resampler needs tensorflow-addons, which is not installed; use `sample`.")
    features, grid = _checked(features, grid)
    dtype = _weight_dtype(features)
    sampled = tensorflow_addons.image.resampler(tf.cast(features, dtype), _pixels(features, grid))
    return _shaped(sampled, features, grid)


def sample_by_gather(features: Features, grid: Grid) -> Features:
    """`sample` by gathering the four neighbors of each position and weighting them."""
    features, grid = _checked(features, grid)
    dtype = _weight_dtype(features)
    batch, height, width, channels = tf.unstack(tf.shape(features))
    column, row, u, v = _cells(features, grid)
    next_column, next_row = tf.minimum(column + 1, width - 1), tf.minimum(row + 1, height - 1)

    pixels = tf.reshape(features, [-1, channels])
    first = (tf.range(batch) * height * width)[:, None, None]

    def corner(rows: Tensor, columns: Tensor, weights: Tensor) -> Tensor:
        return weights[..., None] * tf.cast(tf.gather(pixels, first + rows * width + columns), dtype)

    sampled = tf.add_n(
        [
            corner(row, column, (1 - v) * (1 - u)),
            corner(row, next_column, (1 - v) * u),
            corner(next_row, column, v * (1 - u)),
            corner(next_row, next_column, v * u),
        ]
    )
    return _shaped(sampled, features, grid)


def _checked(features: Features, grid: Grid) -> tuple[Features, Grid]:
    features, grid = tf.convert_to_tensor(features), tf.convert_to_tensor(grid)
    if not features.dtype.is_floating or not grid.dtype.is_floating:
        raise ValueError(f"Features and grid must be floating, but are {features.dtype.name} and {grid.dtype.name}.")
    if features.shape.rank != 4:
        raise ValueError(f"Features must have the shape [B, H, W, C], but have {features.shape}.")
    if grid.shape.rank != 4 or grid.shape[-1] != 2:
        raise ValueError(f"A grid must have the shape [B, h, w, 2], but has {grid.shape}.")
    if not features.shape[:1].is_compatible_with(grid.shape[:1]):
        raise ValueError(f"Features {features.shape} and grid {grid.shape} must have the same batch size.")
    return features, grid


def _weight_dtype(features: Features) -> tf.DType:
    """Half types cannot tell neighboring pixels of a large image apart."""
    return tf.float64 if features.dtype == tf.float64 else tf.float32


def _pixels(features: Features, grid: Grid) -> Tensor:
    """Clamped pixel coordinates (u, v) [B, h, w, 2]; no gradient at the last pixel and outside."""
    dtype = _weight_dtype(features)
    last = tf.cast(tf.reverse(tf.shape(features)[1:3], [0]) - 1, dtype)
    pixels = (tf.cast(grid, dtype) + 1) / 2 * last
    inside = (pixels >= 0) & (pixels < last)
    return tf.where(inside, pixels, tf.stop_gradient(tf.clip_by_value(pixels, tf.zeros_like(last), last)))


def _cells(features: Features, grid: Grid) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The upper left neighbor (column, row), int32, and the place (u, v) in [0, 1] between it and the next."""
    pixels = _pixels(features, grid)
    last_cell = tf.maximum(tf.reverse(tf.shape(features)[1:3], [0]) - 2, 0)
    # Clipped as integers, so that not even a NaN makes a gather leave the features.
    cell = tf.clip_by_value(tf.cast(tf.floor(pixels), tf.int32), 0, last_cell)
    place = pixels - tf.cast(cell, pixels.dtype)
    return cell[..., 0], cell[..., 1], place[..., 0], place[..., 1]


def _hats(cell: Tensor, place: Tensor, size: Tensor, dtype: tf.DType) -> Tensor:
    """Weights [B, h, w, size] of the pixels along one axis: 1 - place at the cell, place at the next, else 0."""
    distance = tf.range(size) - cell[..., None]
    place = place[..., None]
    zero = tf.zeros([], dtype)
    return tf.where(distance == 0, 1 - place, tf.where(distance == 1, place, zero))


def _shaped(sampled: Features, features: Features, grid: Grid) -> Features:
    """Gives the result its shape, as far as known also statically, and the features' dtype."""
    sampled = tf.reshape(sampled, tf.concat([tf.shape(grid)[:3], tf.shape(features)[3:]], axis=0))
    batch = features.shape[0] if grid.shape[0] is None else grid.shape[0]
    return tf.cast(tf.ensure_shape(sampled, [batch, *grid.shape[1:3], features.shape[3]]), features.dtype)
