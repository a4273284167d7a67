"""The geometric matcher: from two parsings to an affine and a thin-plate spline transformation.

After Rocco, Arandjelovic and Sivic, "Convolutional neural network architecture for geometric matching", CVPR 2017,
on parsings instead of photographs (Dong et al. 2018, section 3.1.2).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from tensorflow import keras

from tfwarpgan.layers.convolution import NormalizedConvolution, convolution
from tfwarpgan.layers.correlation import correlation, l2_normalize, normalize_matches
from tfwarpgan.layers.parts import part_alignment, part_weights
from tfwarpgan.layers.transforms import IDENTITY_AFFINE, affine_grid, compose, sample
from tfwarpgan.typing import Features, Grid, OneHot, Tensor, Tensors


class FeatureExtractor(keras.layers.Layer):
    """The siamese half: one-hot parsing [B, H, W, 20] -> L2-normalized features [B, H/scale, W/scale, C]."""

    def __init__(self, width: int = 64, scale: int = 16, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        halvings = scale.bit_length() - 1
        self.blocks = [NormalizedConvolution(convolution(width * 2**i, 4, 2)) for i in range(halvings)]
        self.output_convolution = convolution(width * 2 ** (halvings - 1), 3)

    def call(self, parsing: OneHot) -> Features:
        for block in self.blocks:
            parsing = block(parsing)
        return l2_normalize(self.output_convolution(parsing))


class Regression(keras.layers.Layer):
    """Correlation [B, h, w, h*w] -> float32 [B, size], `initial` before any training."""

    def __init__(self, initial: Sequence[float] | npt.NDArray[np.float64], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.blocks = [NormalizedConvolution(convolution(128, 7)), NormalizedConvolution(convolution(64, 5))]
        self.flatten = keras.layers.Flatten()
        bias = keras.initializers.Constant(np.asarray(initial, "float32"))
        self.dense = keras.layers.Dense(
            len(initial), kernel_initializer="zeros", bias_initializer=bias, dtype="float32"
        )

    def call(self, matches: Features) -> Tensor:
        for block in self.blocks:
            matches = block(matches)
        features = tf.cast(self.flatten(matches), tf.float32)
        # Adam moves each of thousands of weights by a full step: unscaled, the first one throws the grid out of sight.
        return self.dense(features / features.shape[-1] ** 0.5)


class GeometricMatcher(keras.Model):
    """Condition and target parsing -> the warp that lays the one over the other.

    Called on a dictionary of one-hot `condition_parsing` and `target_parsing` [B, H, W, 20]; gives float32
    `theta_affine` [B, K, 6], `theta_tps` [B, K, k*k, 2] (without the K of one part), `part_grids` [B, K, H, W, 2], each
    A(T(p)), and `grid` [B, H, W, 2], their mean by the parts' weights (`affine_grid` is that of the affine maps alone);
    all grids are normalized (x, y), backward maps. The affine pass comes first; the condition parsing, warped by it,
    goes through a second pass for the spline. Before training both are the identity, with parts behind the alignment
    of their regions, which needs no learning.

    Args:
        width: Channels of the first convolution.
        scale: The extractor's features are at 1/scale.
        control_points: k, control points per side of the spline.
        parts: K, regions of the target parsing with a warp each; see `layers.parts`.
    """

    def __init__(
        self, width: int = 64, scale: int = 16, control_points: int = 3, parts: int = 1, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.control_points, self.parts = control_points, parts
        self.extractor = FeatureExtractor(width, scale)
        corrections = 1 + parts if parts > 1 else 1  # of the person, then of each part
        self.affine_regression = Regression(IDENTITY_AFFINE if parts == 1 else np.zeros(6 * corrections))
        self.tps_regression = Regression(np.zeros(2 * control_points**2 * corrections))

    def call(self, inputs: Tensors) -> dict[str, Tensor]:
        condition, target = inputs["condition_parsing"], inputs["target_parsing"]
        height, width = condition.shape[1:3]
        target_features = self.extractor(target)
        weights = part_weights(target, self.parts)

        warped, start = condition, tf.zeros([6])
        if self.parts > 1:
            start = tf.reshape(part_alignment(condition, target, self.parts), [-1, 6])
            warped = sample(condition, self._blend(affine_grid(start, height, width), weights))
        theta_affine = start + self._by_part(self.affine_regression(self._matches(warped, target_features)), [6])
        grid = self._blend(affine_grid(theta_affine, height, width), weights)
        theta_tps = self.tps_regression(self._matches(sample(condition, grid), target_features))
        theta_tps = self._by_part(theta_tps, [self.control_points**2, 2])

        part_grids = compose(theta_affine, theta_tps, height, width)
        per_part = {"theta_affine": theta_affine, "theta_tps": theta_tps, "part_grids": part_grids}
        if self.parts > 1:
            per_part = {name: tf.reshape(value, [-1, self.parts, *value.shape[1:]]) for name, value in per_part.items()}
        return {**per_part, "affine_grid": grid, "grid": self._blend(part_grids, weights)}

    def _by_part(self, theta: Tensor, shape: list[int]) -> Tensor:
        """A correction for the person, then one for each part -> their sum for each part, [B * K, *shape]."""
        theta = tf.reshape(theta, [-1, self.parts + (self.parts > 1), *shape])
        theta = theta[:, :1] + theta[:, 1:] if self.parts > 1 else theta
        return tf.reshape(theta, [-1, *shape])

    def _blend(self, part_grids: Grid, weights: Tensor) -> Grid:
        if self.parts == 1:
            return part_grids
        part_grids = tf.reshape(part_grids, [-1, self.parts, *part_grids.shape[1:]])
        return tf.einsum("bkhwc,bhwk->bhwc", part_grids, weights)

    def _matches(self, condition: OneHot, target_features: Features) -> Features:
        return normalize_matches(correlation(self.extractor(condition), target_features))
