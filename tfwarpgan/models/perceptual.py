"""Features of a VGG network for the perceptual loss (Johnson et al., ECCV 2016; weights of layers as in pix2pixHD)."""

from collections.abc import Sequence
from typing import Any

from tensorflow import keras

from tfwarpgan.compat import BuiltByCall
from tfwarpgan.models.vgg import load_weights, preprocess, vgg_features
from tfwarpgan.typing import Features, Image


class PerceptualFeatures(BuiltByCall, keras.Model):
    """Images [B, H, W, 3] in [-1, 1] -> the list of relu1_1 .. relu5_1 features that have a weight; frozen.

    Args:
        network: "VGG19" or "VGG16".
        weights: "imagenet", or an npz file of VGG convolution weights.
        alphas: A weight for each of the five layers; one of weight 0 is left out, and what lies behind the last one
            that has a weight is not computed.
        layers: Names of other layers to give in their place.
        convolution: Which one of each block is meant: with 2, relu1_2 .. relu5_2.

    Raises:
        InputError: If the weights cannot be loaded or do not fit.
    """

    def __init__(
        self,
        network: str = "VGG19",
        weights: str = "imagenet",
        alphas: Sequence[float] = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0),
        layers: Sequence[str] = (),
        convolution: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        weighted = [f"block{block}_conv{convolution}" for block, alpha in enumerate(alphas, 1) if alpha]
        layers_used = list(layers) or weighted
        self.alphas = tuple(alpha for alpha in alphas if alpha)
        self.features = vgg_features(network, layers_used)
        load_weights(self.features, network, weights, flag="perceptual_weights")
        self.trainable = False

    def call(self, images: Image) -> list[Features]:
        return self.features(preprocess(images))
