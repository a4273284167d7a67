"""Geometric transformations as sampling grids: affine, thin-plate spline, and both as one.

A grid [B, H, W, 2] is a backward map: for each output position p it holds the input position G(p) as (x, y),
normalized, -1 and 1 at the centers of the first and the last pixel. `sample` reads features there.

The spline (Bookstein, "Principal warps", 1989) is the interpolant with the kernel U(r) = r^2 log r^2 that moves each
point of a regular control grid by its offset exactly and bends least in between. Both kinds are regressed as in Rocco
et al., CVPR 2017, section 3.3; they compose as G(p) = A(T(p)), sampled once.
"""

import functools
import math

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tfwarpgan.layers.sampling import sample
from tfwarpgan.typing import Affine, Grid, Spline, Tensor

__all__ = ["IDENTITY_AFFINE", "affine_grid", "blended_affine_grid", "compose", "sample", "strided_grid", "tps_grid"]

IDENTITY_AFFINE = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def affine_grid(theta: Affine, height: int, width: int) -> Grid:
    """The grid of x' = a x + b y + tx, y' = c x + d y + ty.

    Args:
        theta: [B, 6], (a, b, tx, c, d, ty), in normalized units.
        height: Rows of the grid.
        width: Columns of the grid.

    Returns:
        [B, height, width, 2], float32 (float64 if theta is).

    Raises:
        ValueError: If theta does not end in 6 parameters or a size is not positive.
    """
    _check_size(height, width)
    theta = _parameters(theta)
    return _apply_affine(theta[:, None, None], tf.constant(_regular_grid(height, width)[None], theta.dtype))


def blended_affine_grid(thetas: Affine, weights: Tensor) -> Grid:
    """The grids of several affine maps, averaged by weights at each position.

    The weighted mean of affine maps of a position is the weighted mean map of it: only one grid is made.

    Args:
        thetas: [B, K, 6], as for `affine_grid`.
        weights: [B, H, W, K]; H and W are known.

    Returns:
        [B, H, W, 2], float32: sum over k of weights[..., k] times the grid of thetas[:, k].
    """
    _, height, width, count = weights.shape
    flat = tf.reshape(tf.cast(weights, tf.float32), [-1, height * width, count])
    theta = tf.reshape(tf.matmul(flat, tf.cast(thetas, tf.float32)), [-1, height, width, 6])
    return _apply_affine(theta, tf.constant(_regular_grid(height, width)[None], tf.float32))


def tps_grid(offsets: Spline, height: int, width: int, control_points: int = 3) -> Grid:
    """The grid of the thin-plate spline that moves a regular control grid by `offsets`.

    Args:
        offsets: [B, k*k, 2], (x, y) in normalized units, added to the control points in row-major order.
        height: Rows of the grid.
        width: Columns of the grid.
        control_points: k, control points per side, over the whole of [-1, 1].

    Returns:
        [B, height, width, 2], float32 (float64 if the offsets are).

    Raises:
        ValueError: If the offsets are not k*k pairs, k is below 2 or a size is not positive.
    """
    _check_size(height, width)
    offsets = _parameters(offsets, control_points)
    # The spline reproduces affine maps, so M (control + offsets) = p + M offsets: exact where all offsets are 0.
    shift = tf.einsum("pk,bkc->bpc", tf.constant(_tps_matrix(height, width, control_points), offsets.dtype), offsets)
    return tf.constant(_regular_grid(height, width)[None], offsets.dtype) + tf.reshape(shift, [-1, height, width, 2])


def compose(affine_theta: Affine, tps_offsets: Spline, height: int, width: int) -> Grid:
    """One grid of both: G(p) = A(T(p)), the affine map of the spline's positions.

    Args:
        affine_theta: [B, 6], as for `affine_grid`.
        tps_offsets: [B, k*k, 2], as for `tps_grid`, which gives k.
        height: Rows of the grid.
        width: Columns of the grid.

    Returns:
        [B, height, width, 2], float32 (float64 if both arguments are).

    Raises:
        ValueError: If the parameters have another shape or a size is not positive.
    """
    theta = _parameters(affine_theta)
    offsets = tf.convert_to_tensor(tps_offsets)
    points = offsets.shape[1] if offsets.shape.rank == 3 else None
    control_points = math.isqrt(points or 0)
    if not points or control_points**2 != points:
        raise ValueError(f"Spline offsets must have the shape [B, k*k, 2] with a known k, but have {offsets.shape}.")
    grid = tps_grid(offsets, height, width, control_points)
    dtype = tf.float64 if theta.dtype == grid.dtype == tf.float64 else tf.float32
    return _apply_affine(tf.cast(theta, dtype)[:, None, None], tf.cast(grid, dtype))


def strided_grid(grid: Grid, stride: int) -> Grid:
    """The grid of an image as its strided features see it, at their true centers.

    A 3x3 convolution of stride 2 with "same" padding sees pixels 2i, 2i + 1 and 2i + 2 of an even size: feature i of
    stride s is centered on pixel s i + s - 1. The features' corners are therefore not those of the image.

    Args:
        grid: [B, H, W, 2], normalized (x, y) of the image; H and W are known multiples of the stride, above it.
        stride: s, a power of 2; 1 gives the grid itself.

    Returns:
        [B, H/s, W/s, 2], normalized (x, y) of the features, of the grid's dtype.
    """
    _, height, width, _ = grid.shape
    size = tf.constant([width, height], grid.dtype)
    centers = (grid[:, stride - 1 :: stride, stride - 1 :: stride] + 1.0) / 2.0 * (size - 1.0)  # pixels
    return (centers - (stride - 1.0)) / stride * (2.0 / (size / stride - 1.0)) - 1.0


def _check_size(height: int, width: int) -> None:
    for name, size in (("height", height), ("width", width)):
        if not isinstance(size, (int, np.integer)) or size < 1:
            raise ValueError(f"The {name} of a grid must be a positive whole number, but is {size!r}.")


def _parameters(values: Tensor, control_points: int | None = None) -> Tensor:
    """Checked parameters in float32 at least: half types would move a wide image by pixels."""
    values = tf.convert_to_tensor(values)
    if not values.dtype.is_floating:
        raise ValueError(f"Transformation parameters must be floating, but are {values.dtype.name}.")
    if control_points is None:
        expected = [None, 6]
    elif control_points < 2:
        raise ValueError(f"A thin-plate spline needs at least 2 control points per side, not {control_points}.")
    else:
        expected = [None, control_points**2, 2]
    if not values.shape.is_compatible_with(expected):
        kind = "Affine parameters" if control_points is None else f"Offsets of {control_points} control points per side"
        shape = str(expected).replace("None", "B")
        raise ValueError(f"{kind} must have the shape {shape}, but have {values.shape}.")
    return values if values.dtype == tf.float64 else tf.cast(values, tf.float32)


def _apply_affine(theta: Affine, points: Tensor) -> Grid:
    """Affine map of points [B or 1, H, W, 2] by theta [B, 1 or H, 1 or W, 6], written out: a product of 2x2 matrices
    is slower.
    """
    a, b, tx, c, d, ty = tf.unstack(theta, 6, axis=-1)
    x, y = points[..., 0], points[..., 1]
    return tf.stack([a * x + b * y + tx, c * x + d * y + ty], axis=-1)


@functools.lru_cache(maxsize=64)
def _regular_grid(height: int, width: int) -> npt.NDArray[np.float64]:
    """float64 [height, width, 2] of (x, y): the identity."""
    x, y = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    return np.stack([x, y], axis=-1)


@functools.lru_cache(maxsize=64)
def _tps_matrix(height: int, width: int, control_points: int) -> npt.NDArray[np.float64]:
    """float64 [height*width, k*k]: values at the control points -> the spline's values at the grid's positions."""
    control = _regular_grid(control_points, control_points).reshape(-1, 2)
    positions = _regular_grid(height, width).reshape(-1, 2)
    count = len(control)
    system = np.zeros([count + 3, count + 3])  # kernel weights, then the affine part, which they must not imitate
    system[:count] = _spline_terms(control, control)
    system[count:, :count] = system[:count, count:].T
    return _spline_terms(positions, control) @ np.linalg.inv(system)[:, :count]


def _spline_terms(positions: npt.NDArray[np.float64], control: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """[P, K + 3]: the kernel r^2 log r^2 to each control point, then 1, x, y."""
    squared = ((positions[:, None] - control[None]) ** 2).sum(-1)
    kernel = squared * np.log(np.where(squared > 0, squared, 1.0))
    return np.concatenate([kernel, np.ones([len(positions), 1]), positions], axis=1)
