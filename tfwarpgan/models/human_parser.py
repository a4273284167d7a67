"""The human parser: an image in, 20 LIP classes per pixel out (paper section 3.1: it labels sets without label maps).

A trunk at stride 8, VGG's or a small one, with an atrous decoder (Chen et al., "Encoder-decoder with atrous separable
convolution for semantic image segmentation", ECCV 2018): parallel dilated convolutions and the image's mean gather the
context, then two skip connections bring back the outlines.
"""

from typing import Any

import tensorflow as tf
from tensorflow import keras

from tfwarpgan.body.labels import FLIP_PERMUTATION, NUM_LABELS
from tfwarpgan.compat import BuiltByCall
from tfwarpgan.models import vgg
from tfwarpgan.models.small_trunk import small_features
from tfwarpgan.typing import Features, Image, Tensor, Tensors

# The last activations of strides 2, 4 and 8.
FEATURES = {
    "VGG16": ("block2_conv2", "block3_conv3", "block5_conv3"),
    "VGG19": ("block2_conv2", "block3_conv4", "block5_conv4"),
}
# VGG's features are far from unit size (root mean square on photographs), which would start the softmax saturated.
SCALES = (1 / 600, 1 / 600, 1 / 3)


def resize_like(features: Features, reference: Tensor) -> Features:
    """Bilinear resizing of [B, h, w, C] to the height and width of `reference` [B, H, W, ...], the type kept."""
    return tf.cast(tf.image.resize(features, tf.shape(reference)[1:3]), features.dtype)


@keras.utils.register_keras_serializable("tfwarpgan")
class HumanParser(BuiltByCall, keras.Model):
    """{"image": [B, H, W, 3] in [-1, 1]} -> {"parsing_logits": float32 [B, H, W, 20]}.

    Args:
        backbone: "VGG16", "VGG19" or "small".
        width: Channels of the decoder.
        frozen_blocks: First blocks of the backbone that are not trained; 0 trains all.
    """

    def __init__(self, backbone: str = "VGG16", width: int = 128, frozen_blocks: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.config = {"backbone": backbone, "width": width, "frozen_blocks": frozen_blocks}
        if backbone == "small":
            self.backbone = small_features(width, name="backbone")
        else:
            self.backbone = vgg.vgg_features(backbone, FEATURES[backbone], dilated=True, name="backbone")
        for layer in self.backbone.layers:
            if layer.name.startswith(tuple(f"block{block}_" for block in range(1, frozen_blocks + 1))):
                layer.trainable = False
        # One attribute each: on Keras 3 a user's tf.train.Checkpoint would miss layers in a list.
        self.context_rate1 = _convolution(width, 3, 1, name="context_rate1")
        self.context_rate2 = _convolution(width, 3, 2, name="context_rate2")
        self.context_rate4 = _convolution(width, 3, 4, name="context_rate4")
        self.whole = _convolution(width, 1, name="context_whole")
        self.join = _convolution(width, 1, name="join")
        self.skip_stride4 = _convolution(width // 2, 1, name="skip_stride4")
        self.fuse_stride4 = _convolution(width, 3, name="fuse_stride4")
        self.skip_stride2 = _convolution(width // 4, 1, name="skip_stride2")
        self.fuse_stride2 = _convolution(width // 2, 3, name="fuse_stride2")
        self.classify = keras.layers.Conv2D(NUM_LABELS, 1, dtype="float32", name="classify")

    def call(self, inputs: Tensors, training: bool = False) -> dict[str, Tensor]:
        image = inputs["image"]
        stride2, stride4, deep = self._features(image, training)
        whole = self.whole(tf.reduce_mean(deep, axis=(1, 2), keepdims=True))
        contexts = self.context_rate1, self.context_rate2, self.context_rate4
        context = tf.concat([convolution(deep) for convolution in contexts], axis=-1)
        features = self.join(context) + whole
        features = tf.concat([resize_like(features, stride4), self.skip_stride4(stride4)], axis=-1)
        features = self.fuse_stride4(features)
        features = tf.concat([resize_like(features, stride2), self.skip_stride2(stride2)], axis=-1)
        logits = self.classify(self.fuse_stride2(features))
        return {"parsing_logits": resize_like(logits, image)}

    def _features(self, image: Image, training: bool) -> list[Features]:
        """The trunk's features of strides 2, 4 and 8, of unit size or so."""
        if self.config["backbone"] == "small":
            return self.backbone(image, training=training)
        features = self.backbone(vgg.preprocess(image), training=training)
        return [feature * scale for feature, scale in zip(features, SCALES)]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.config}


def _convolution(filters: int, size: int, rate: int = 1, name: str | None = None) -> keras.layers.Layer:
    return keras.layers.Conv2D(
        filters, size, padding="same", dilation_rate=rate, activation="relu", kernel_initializer="he_normal", name=name
    )


def label_probabilities(parser: HumanParser, images: Image, average_flip: bool = True) -> Tensor:
    """Label probabilities of images; those of the mirrored images are averaged in.

    Args:
        parser: A `HumanParser`.
        images: [B, H, W, 3] in [-1, 1].
        average_flip: Whether the mirrored images are parsed too, at twice the cost.

    Returns:
        float32 [B, H, W, 20].
    """
    probabilities = tf.nn.softmax(parser({"image": images}, training=False)["parsing_logits"])
    if not average_flip:
        return probabilities
    mirrored = tf.nn.softmax(parser({"image": images[:, :, ::-1]}, training=False)["parsing_logits"])
    return (probabilities + tf.gather(mirrored[:, :, ::-1], FLIP_PERMUTATION, axis=-1)) / 2.0
