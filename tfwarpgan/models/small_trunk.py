"""A trunk of few channels, trained from random weights, for a human parser that has to be small.

Residual blocks (He et al., CVPR 2016) with instance normalization; those at stride 8 are dilated, as the VGG trunk's
block 5 is. Instance normalization takes the light and the color cast of a photograph away.
"""

from tensorflow import keras

from tfwarpgan.layers.normalization import InstanceNormalization
from tfwarpgan.typing import Features


def small_features(width: int, name: str = "small") -> keras.Model:
    """The trunk; its weights are random.

    Args:
        width: Channels at stride 4; half as many at stride 2, twice as many at stride 8.
        name: Name of the Keras model.

    Returns:
        A Keras model of images [B, H, W, 3] in [-1, 1] that gives the features of strides 2, 4 and 8, activated.
    """
    image = keras.Input((None, None, 3), name="picture")
    features, found = _step(image, width // 4), []
    for scale, dilations in ((2, (1,)), (4, (1,)), (8, (2, 2))):
        features = _step(features, width * scale // 4, strides=2)
        for dilation in dilations:
            features = _residual(features, dilation)
        found.append(features)
    return keras.Model(image, found, name=name)


def _residual(features: Features, dilation: int) -> Features:
    branch = _step(features, features.shape[-1], dilation=dilation)
    branch = _step(branch, features.shape[-1], dilation=dilation, activated=False)
    return keras.layers.ReLU()(keras.layers.Add()([features, branch]))


def _step(features: Features, width: int, strides: int = 1, dilation: int = 1, activated: bool = True) -> Features:
    """A 3x3 convolution, whose bias the normalization would take away, normalization, ReLU."""
    features = keras.layers.Conv2D(
        width, 3, strides, "same", dilation_rate=dilation, use_bias=False, kernel_initializer="he_normal"
    )(features)
    features = InstanceNormalization(affine=True)(features)
    return keras.layers.ReLU()(features) if activated else features
