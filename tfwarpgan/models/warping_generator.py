"""Stage II: the generator with the soft-gated warping block (Dong et al. 2018, section 3.1.2, equation 1)."""

from collections.abc import Collection
from typing import Any

import tensorflow as tf
from tensorflow import keras

from tfwarpgan.compat import BuiltByCall
from tfwarpgan.layers.colors import decorrelate_colors
from tfwarpgan.layers.convolution import Encoder, NormalizedConvolution, OutputHead, Trunk, convolution, upsamplings
from tfwarpgan.layers.transforms import strided_grid
from tfwarpgan.layers.warping import SoftGatedWarpingBlock
from tfwarpgan.typing import Features, Grid, Image, Tensor, Tensors

DECODER_SCALES = (4, 2, 1)
FINE_GATE = 0.12  # where a fine scale's gate starts: the decoder first learns to paint, then what to trust


class WarpedSkip(BuiltByCall, keras.layers.Layer):
    """The warping block injected into the decoder at one scale.

    Joins the decoder's features [B, h, w, C] with the appearance features of that scale, warped and gated, and with
    the pose encoder's; a 3x3 convolution brings them back to `filters`.
    """

    def __init__(self, filters: int, context_channels: int, residual: str, gate: str, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        self.block = SoftGatedWarpingBlock(residual, gate, FINE_GATE, context_channels)
        self.join = NormalizedConvolution(convolution(filters, 3))

    def call(self, decoded: Features, appearance: Features, pose: Features, grid: Grid) -> tuple[Features, Tensor]:
        context = tf.concat([decoded, pose], axis=-1)
        warp = self.block.terms(appearance, grid, context)
        return self.join(tf.concat([context, warp["gated_features"]], axis=-1)), warp["gate"]


class WarpedImage(BuiltByCall, keras.layers.Layer):
    """The condition image itself, warped, through a gate: a W(I) + (1 - a) painted; a sees both and the features."""

    def __init__(self, context_channels: int, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        self.block = SoftGatedWarpingBlock("identity", "spatial", FINE_GATE, context_channels, dtype="float32")

    def call(self, painted: Image, features: Features, image: Image, grid: Grid) -> tuple[Image, Tensor]:
        context = tf.concat([painted, tf.cast(features, tf.float32)], axis=-1)
        warp = self.block.terms(image, grid, context)
        return warp["gated_features"] + (1.0 - warp["gate"]) * painted, warp["gate"]


class WarpingGenerator(BuiltByCall, keras.Model):
    """Condition image and parsing, target parsing and pose, and a warp -> the synthesized image.

    Called on a dictionary of `condition_image` [B, H, W, 3] in [-1, 1], one-hot `condition_parsing` and
    `target_parsing` [B, H, W, 20], `target_pose` [B, H, W, 18] and the warp's `grid` [B, H, W, 2]; H and W are
    multiples of 8. Gives `image` float32 [B, H, W, 3] in [-1, 1]; of a warping block in the bottleneck `features`
    (Phi), `warped_features` and `gate`; and the other scales' gates: `gate_4`, `gate_2`, `gate_1`, `gate_image`.

    Args:
        width: Channels of the first convolutions.
        blocks: Residual blocks of the trunk.
        fusion_width: Channels of the trunk; 0 keeps those of the two encodings together, 16 x width.
        residual: R of equation 1, "conv" or "identity".
        gate: "spatial", "channel", "scalar" or "none".
        upsampling: "transposed" or "resize".
        decorrelated_colors: Whether the appearance encoder sees the condition's colors along their principal axes.
        warp_scales: Where the warping block is injected: "8" (the bottleneck, as in the paper), "4", "2" and "1" (the
            decoder), "image" (the condition image, warped, is offered to the result). Empty: nowhere, for an ablation,
            and no `grid` is needed.
        recompute: Whether training computes the trunk's activations twice instead of keeping them.
    """

    def __init__(
        self,
        width: int = 64,
        blocks: int = 9,
        fusion_width: int = 0,
        residual: str = "conv",
        gate: str = "spatial",
        upsampling: str = "transposed",
        decorrelated_colors: bool = False,
        warp_scales: Collection[str] = ("8",),
        recompute: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(autocast=False, **kwargs)  # a half-precision grid would move the image
        joined = 16 * width
        fusion_width = fusion_width or joined
        self.decorrelated_colors = decorrelated_colors
        self.appearance_encoder = Encoder(width)
        self.pose_encoder = Encoder(width)
        self.warping_block = SoftGatedWarpingBlock(residual, gate) if "8" in warp_scales else None
        self.fusion = None if fusion_width == joined else NormalizedConvolution(convolution(fusion_width, 3))
        self.trunk = Trunk(fusion_width, blocks, recompute)
        self.upsamplings = upsamplings(fusion_width, upsampling)
        self.head = OutputHead(fusion_width // 8, width, 3)
        self.skips = []
        for scale in DECODER_SCALES:
            filters = fusion_width * scale // 8
            channels = filters + scale * width  # the decoder's and the pose encoder's
            self.skips.append(WarpedSkip(filters, channels, residual, gate) if str(scale) in warp_scales else None)
        self.warped_image = WarpedImage(width + 3) if "image" in warp_scales else None

    def call(self, inputs: Tensors) -> dict[str, Tensor]:
        image, grid = inputs["condition_image"], inputs.get("grid")
        colors = decorrelate_colors(image) if self.decorrelated_colors else image
        appearance = self.appearance_encoder(tf.concat([colors, inputs["condition_parsing"]], axis=-1), all_scales=True)
        pose = self.pose_encoder(tf.concat([inputs["target_parsing"], inputs["target_pose"]], axis=-1), all_scales=True)

        encoded, outputs = appearance[8], {"features": appearance[8]}
        if self.warping_block is not None:
            warp = self.warping_block.terms(encoded, strided_grid(grid, 8))
            encoded = warp["output"]
            outputs |= {"warped_features": warp["warped_features"], "gate": warp["gate"]}
        joined = tf.concat([encoded, pose[8]], axis=-1)
        if self.fusion is not None:
            joined = self.fusion(joined)
        features = self.trunk(joined)
        for scale, upsampling, skip in zip(DECODER_SCALES, self.upsamplings, self.skips):
            features = upsampling(features)
            if skip is not None:
                grid_there = strided_grid(grid, scale)
                features, outputs[f"gate_{scale}"] = skip(features, appearance[scale], pose[scale], grid_there)
        painted, features = self.head(features)
        painted = tf.tanh(painted)
        if self.warped_image is not None:
            painted, outputs["gate_image"] = self.warped_image(painted, features, image, grid)
        return {"image": painted, **outputs}
