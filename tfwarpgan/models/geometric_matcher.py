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

from tfwarpgan.compat import BuiltByCall
from tfwarpgan.layers.convolution import NormalizedConvolution, convolution
from tfwarpgan.layers.correlation import correlation, l2_normalize, normalize_matches
from tfwarpgan.layers.parts import part_alignment, part_weights
from tfwarpgan.layers.transforms import IDENTITY_AFFINE, affine_grid, blended_affine_grid, compose, sample
from tfwarpgan.typing import Features, Grid, OneHot, Tensor, Tensors


class FeatureExtractor(BuiltByCall, keras.layers.Layer):
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


class Regression(BuiltByCall, keras.layers.Layer):
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


class GeometricMatcher(BuiltByCall, keras.Model):
    """Condition and target parsing -> the warp that lays the one over the other.

    Called on a dictionary of one-hot `condition_parsing` and `target_parsing` [B, H, W, 20]; gives float32
    `theta_affine` [B, 6], `theta_tps` [B, k*k, 2], `person_grid` [B, H, W, 2] = A(T(p)), and `grid` [B, H, W, 2], in
    which parts move on their own; grids are normalized (x, y), backward maps. The affine pass comes first; the
    condition parsing, warped by it, goes through a second pass for the spline. Before training both are the identity.

    Args:
        width: Channels of the first convolution.
        scale: The extractor's features are at 1/scale.
        control_points: k, control points per side of the spline.
        parts: Regions of the target parsing with a warp each; see `layers.parts`. 1: `grid` is `person_grid`.
    """

    def __init__(
        self, width: int = 64, scale: int = 16, control_points: int = 3, parts: int = 1, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.control_points, self.parts = control_points, parts
        self.extractor = FeatureExtractor(width, scale)
        self.affine_regression = Regression(IDENTITY_AFFINE)
        self.tps_regression = Regression(np.zeros(2 * control_points**2))

    def call(self, inputs: Tensors) -> dict[str, Tensor]:
        condition, target = inputs["condition_parsing"], inputs["target_parsing"]
        height, width = condition.shape[1:3]
        target_features = self.extractor(target)

        theta_affine = self.affine_regression(self._matches(condition, target_features))
        warped = sample(condition, affine_grid(theta_affine, height, width))
        theta_tps = self.tps_regression(self._matches(warped, target_features))
        theta_tps = tf.reshape(theta_tps, [-1, self.control_points**2, 2])

        grid = compose(theta_affine, theta_tps, height, width)
        outputs = {"theta_affine": theta_affine, "theta_tps": theta_tps, "person_grid": grid}
        return {**outputs, "grid": grid if self.parts == 1 else self._by_part(grid, condition, target)}

    def _by_part(self, person_grid: Grid, condition: OneHot, target: OneHot) -> Grid:
        """The person's grid, and over each part that both parsings show, the part's own."""
        thetas, seen = part_alignment(condition, target, self.parts)
        weights = part_weights(target, self.parts)[..., 1:] * tf.cast(seen, tf.float32)[:, None, None]
        rest = 1.0 - tf.reduce_sum(weights, axis=-1, keepdims=True)
        return rest * person_grid + blended_affine_grid(thetas, weights)

    def _matches(self, condition: OneHot, target_features: Features) -> Features:
        return normalize_matches(correlation(self.extractor(condition), target_features))
