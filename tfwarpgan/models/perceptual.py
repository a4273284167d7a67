"""Features of a VGG network for the perceptual loss (Johnson et al., ECCV 2016; weights of layers as in pix2pixHD)."""

import tensorflow as tf

from tfwarpgan.models.vgg import load_weights, preprocess, vgg_features

keras = tf.keras


class PerceptualFeatures(keras.Model):
    """Images [B, H, W, 3] in [-1, 1] -> the list of relu1_1 .. relu5_1 features; frozen.

    Args:
        network: "VGG19" or "VGG16".
        weights: "imagenet", or an npz file of VGG convolution weights.

    Raises:
        InputError: If the weights cannot be loaded or do not fit.
    """

    layers_used = tuple(f"block{block}_conv1" for block in range(1, 6))
    weights_of_layers = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)

    def __init__(self, network="VGG19", weights="imagenet", **kwargs):
        super().__init__(**kwargs)
        self.features = vgg_features(network, self.layers_used)
        load_weights(self.features, network, weights, flag="perceptual_weights")
        self.trainable = False

    def call(self, images):
        return self.features(preprocess(images))
