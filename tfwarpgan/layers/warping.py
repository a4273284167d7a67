"""The soft-gated warping block: T(Phi) = Phi + g * (W R(Phi)) (Dong et al. 2018, section 3.1.2, equation 1).

W samples bilinearly by a grid. R refines the features before they are warped. The gate g in [0, 1] weighs how much of
the warped features is let through; the paper says only that it is learned, so its form is a choice here:

    spatial   a 3x3 convolution of [Phi, W R(Phi)] to one map: each position decides whether its warp is to be trusted
    channel   a dense layer of the means of [Phi, W R(Phi)] over the positions: each channel decides
    scalar    one learned number
    none      g = 1

Gates see what they let through. Their last weights start at 0, so that g is the same everywhere at first: 0.5, in the
middle of the sigmoid, where R gets half of the gradient from the start, or another `initial_gate`.

Injected into a decoder, the block takes the features of the decoder as `context`: the gate then weighs the warp by what
it is to be joined with, and the decoder joins the term g * (W R(Phi)) alone, since Phi itself shows the old pose.
"""

import math
from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from tensorflow import keras

from tfwarpgan.layers.convolution import ResidualBranch
from tfwarpgan.layers.sampling import sample
from tfwarpgan.typing import Features, Grid, Tensor

RESIDUALS = ("conv", "identity")
GATES = ("spatial", "channel", "scalar", "none")


@keras.utils.register_keras_serializable(package="tfwarpgan")
class SoftGatedWarpingBlock(keras.layers.Layer):
    """Adds warped features to features, through a gate: equation 1.

    `block(features, grid)` takes features [B, h, w, C] and a grid [B, h, w, 2] of their size, normalized (x, y), and
    gives [B, h, w, C]. `block.terms(features, grid)` gives the terms of the equation by name. With `context_channels`
    both take a third argument, `context` [B, h, w, context_channels], which the gate sees in place of the features.

    Args:
        residual: R: "conv", conv3x3-IN-ReLU-conv3x3-IN, or "identity".
        gate: g: "spatial", "channel", "scalar" or "none".
        initial_gate: The gate's value before training, above 0 and below 1; "none" is always 1.
        context_channels: Channels of `context`; 0: the block is called without one.
        **kwargs: Arguments of `keras.layers.Layer`.

    Raises:
        ValueError: If `residual` or `gate` is none of these, `initial_gate` is out of range, or the grid is not of the
            features' size.
    """

    def __init__(
        self,
        residual: str = "conv",
        gate: str = "spatial",
        initial_gate: float = 0.5,
        context_channels: int = 0,
        **kwargs: Any,
    ) -> None:
        kwargs["autocast"] = False  # a half-precision grid cannot tell neighboring pixels apart
        super().__init__(**kwargs)
        for name, value, choices in (("residual", residual, RESIDUALS), ("gate", gate, GATES)):
            if value not in choices:
                raise ValueError(f"The {name} of a warping block must be one of {choices}, but is {value!r}.")
        if not 0 < initial_gate < 1:
            raise ValueError(f"The initial gate of a warping block must lie between 0 and 1, but is {initial_gate}.")
        self.residual, self.gate = residual, gate
        self.initial_gate, self.context_channels = initial_gate, context_channels
        self.branch: Any = None  # these three are built by what they are to see
        self.gate_layer: Any = None
        self.gate_logit: Any = None

    def build(self, input_shape: Sequence[int | None]) -> None:
        channels = input_shape[-1]
        if channels is None:
            raise ValueError(f"The channels of a warping block's features must be known, but are {input_shape}.")
        policy = self.dtype_policy
        if self.residual == "conv":
            self.branch = ResidualBranch(channels, dtype=policy)
            self.branch(tf.zeros([1, *(size or 8 for size in input_shape[1:3]), channels]))
        seen = channels + (self.context_channels or channels)
        initial_logit = keras.initializers.Constant(math.log(self.initial_gate / (1 - self.initial_gate)))
        start = {"kernel_initializer": "zeros", "bias_initializer": initial_logit, "dtype": policy}
        if self.gate == "spatial":
            self.gate_layer = keras.layers.Conv2D(1, 3, padding="same", **start)
            self.gate_layer.build([None, *input_shape[1:3], seen])
        elif self.gate == "channel":
            self.gate_layer = keras.layers.Dense(channels, **start)
            self.gate_layer.build([None, 1, 1, seen])
        elif self.gate == "scalar":
            self.gate_logit = self.add_weight(name="gate_logit", shape=(), initializer=initial_logit)
        super().build(input_shape)

    def call(
        self, features: Features, grid: Grid, context: Features | None = None, return_terms: bool = False
    ) -> Features | dict[str, Tensor]:
        features = tf.cast(features, self.compute_dtype)
        if not features.shape[1:3].is_compatible_with(grid.shape[1:3]):
            raise ValueError(f"The grid {grid.shape} must be of the features' size {features.shape}.")
        warped = sample(self.branch(features) if self.branch else features, grid)
        gate = self._gate(features if context is None else tf.cast(context, self.compute_dtype), warped)
        gated = gate * warped
        output = features + gated
        terms = {"output": output, "gate": gate, "warped_features": warped, "gated_features": gated}
        return terms if return_terms else output

    def terms(self, features: Features, grid: Grid, context: Features | None = None) -> dict[str, Tensor]:
        """The terms of equation 1.

        Returns:
            `output` T(Phi), `warped_features` W R(Phi) and `gated_features` g * (W R(Phi)), each [B, h, w, C], and
            `gate` in [0, 1]: [B, h, w, 1] if spatial, [B, 1, 1, C] if by channel, else [B, 1, 1, 1].
        """
        terms: dict[str, Tensor] = self(features, grid, context, return_terms=True)
        return terms

    def _gate(self, context: Features, warped: Features) -> Tensor:
        if self.gate == "spatial":
            return tf.sigmoid(self.gate_layer(tf.concat([context, warped], axis=-1)))
        if self.gate == "channel":
            means = [tf.reduce_mean(x, axis=[1, 2], keepdims=True) for x in (context, warped)]
            return tf.sigmoid(self.gate_layer(tf.concat(means, axis=-1)))
        ones = tf.ones_like(warped[:, :1, :1, :1])
        return ones if self.gate == "none" else ones * tf.sigmoid(tf.cast(self.gate_logit, ones.dtype))

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.pop("autocast", None)
        own = {"initial_gate": self.initial_gate, "context_channels": self.context_channels}
        return {**config, "residual": self.residual, "gate": self.gate, **own}
