"""Stage II: the generator with the soft-gated warping block (Dong et al. 2018, section 3.1.2, equation 1)."""

import tensorflow as tf

from tfwarpgan.layers.colours import decorrelate_colours
from tfwarpgan.layers.convolution import Decoder, Encoder, NormalizedConvolution, Trunk, convolution
from tfwarpgan.layers.transforms import compose
from tfwarpgan.layers.warping import SoftGatedWarpingBlock

keras = tf.keras


class WarpingGenerator(keras.Model):
    """Condition image and parsing, target parsing and pose, and a warp -> the synthesized image.

    Called on a dictionary of `condition_image` [B, H, W, 3] in [-1, 1], one-hot `condition_parsing` and
    `target_parsing` [B, H, W, 20], `target_pose` [B, H, W, 18], `theta_affine` [B, 6], `theta_tps` [B, k*k, 2]; H and W
    are multiples of 8. Gives `image` float32 [B, H, W, 3] in [-1, 1] and, of the warping block, `features` (Phi),
    `warped_features` and `gate`.

    Args:
        width: Channels of the first convolutions.
        blocks: Residual blocks of the trunk.
        fusion_width: Channels of the trunk; 0 keeps those of the two encodings together, 16 x width.
        residual: R of equation 1, "conv" or "identity".
        gate: "spatial", "channel", "scalar" or "none".
        upsampling: "transposed" or "resize".
        decorrelated_colours: Whether the appearance encoder sees the condition's colors along their principal axes.
    """

    def __init__(
        self,
        width=64,
        blocks=9,
        fusion_width=0,
        residual="conv",
        gate="spatial",
        upsampling="transposed",
        decorrelated_colours=False,
        **kwargs,
    ):
        super().__init__(autocast=False, **kwargs)  # half-precision transformation parameters would move the picture
        joined = 16 * width
        fusion_width = fusion_width or joined
        self.decorrelated_colours = decorrelated_colours
        self.appearance_encoder = Encoder(width)
        self.pose_encoder = Encoder(width)
        self.warping_block = SoftGatedWarpingBlock(residual, gate)
        self.fusion = None if fusion_width == joined else NormalizedConvolution(convolution(fusion_width, 3))
        self.trunk = Trunk(fusion_width, blocks)
        self.decoder = Decoder(fusion_width, width, 3, upsampling)

    def call(self, inputs):
        image = inputs["condition_image"]
        image = decorrelate_colours(image) if self.decorrelated_colours else image
        appearance = tf.concat([image, inputs["condition_parsing"]], axis=-1)
        pose = tf.concat([inputs["target_parsing"], inputs["target_pose"]], axis=-1)

        features = self.appearance_encoder(appearance)
        grid = compose(inputs["theta_affine"], inputs["theta_tps"], *features.shape[1:3])
        warp = self.warping_block.terms(features, grid)

        joined = tf.concat([warp["output"], self.pose_encoder(pose)], axis=-1)
        if self.fusion is not None:
            joined = self.fusion(joined)
        image = tf.tanh(self.decoder(self.trunk(joined)))
        return {
            "image": image,
            "features": features,
            "warped_features": warp["warped_features"],
            "gate": warp["gate"],
        }
