"""Stage I: the parsing that the person would have in the target pose (Dong et al. 2018, section 3.1)."""

from typing import Any

import tensorflow as tf
from tensorflow import keras

from tfwarpgan.body.labels import NUM_LABELS
from tfwarpgan.compat import BuiltByCall
from tfwarpgan.layers.convolution import Decoder, Encoder, Trunk
from tfwarpgan.typing import Logits, Tensors


class PoseGuidedParser(BuiltByCall, keras.Model):
    """Condition parsing and target pose -> logits of the target parsing.

    Called on a dictionary of `condition_parsing` one-hot [B, H, W, 20], `target_pose` [B, H, W, 18] and, with
    `uses_image`, `condition_image` [B, H, W, 3] in [-1, 1]; gives {"parsing_logits": float32 [B, H, W, 20]}. H and W
    are multiples of 8. The logits are linear: a tanh would hold every softmax probability below .28.
    """

    def __init__(
        self,
        width: int = 64,
        blocks: int = 9,
        uses_image: bool = False,
        upsampling: str = "transposed",
        recompute: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.keys = ["condition_parsing", "target_pose"] + ["condition_image"] * uses_image
        self.encoder = Encoder(width)
        self.trunk = Trunk(8 * width, blocks, recompute)
        self.decoder = Decoder(8 * width, width, NUM_LABELS, upsampling)

    def call(self, inputs: Tensors) -> dict[str, Logits]:
        features = self.encoder(tf.concat([inputs[key] for key in self.keys], axis=-1))
        return {"parsing_logits": self.decoder(self.trunk(features))}
