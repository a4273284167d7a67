"""A pipeline and a human parser as small as they can be, with weights, and inputs for their signatures."""

import pytest
import tensorflow as tf

from tfwarpgan.serving.exporting.check import sample_inputs
from tfwarpgan.serving.exporting.signatures import INPUTS

keras = tf.keras
HEIGHT, WIDTH = 16, 8


class TinyPipeline(tf.Module):
    """One convolution over all that goes in; `image` [B, 16, 8, 3] in [-1, 1]."""

    height, width, inputs = HEIGHT, WIDTH, INPUTS

    def __init__(self):
        super().__init__()
        initializer = keras.initializers.RandomNormal(stddev=0.2, seed=1)
        self.convolution = keras.layers.Conv2D(3, 3, padding="same", kernel_initializer=initializer)
        self.convolution.build([None, HEIGHT, WIDTH, 3 + 20 + 36])

    def __call__(self, batch):
        pose = tf.where(batch["target_visible"][..., None], batch["target_keypoints"] / HEIGHT, 0.0)
        pose = tf.broadcast_to(tf.reshape(pose, [-1, 1, 1, 36]), [tf.shape(pose)[0], HEIGHT, WIDTH, 36])
        parsing = tf.one_hot(tf.cast(batch["condition_parsing"], tf.int32), 20)
        features = self.convolution(tf.concat([batch["condition_image"], parsing, pose], axis=-1))
        return {"image": tf.tanh(features)}


@pytest.fixture(scope="module")
def pipeline():
    return TinyPipeline()


@pytest.fixture(scope="module")
def parse():
    initializer = keras.initializers.RandomNormal(seed=2)
    convolution = keras.layers.Conv2D(20, 1, kernel_initializer=initializer)
    convolution.build([None, HEIGHT, WIDTH, 3])
    return tf.function(lambda images: tf.nn.softmax(convolution(images)))


@pytest.fixture
def inputs():
    return sample_inputs(HEIGHT, WIDTH)
