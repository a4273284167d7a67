"""The few differences between the two stacks (TensorFlow 2.15 with Keras 2, TensorFlow 2.21 with Keras 3)."""

import warnings

import tensorflow as tf

KERAS_3 = hasattr(tf.keras, "ops")

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that addons is no longer developed, which the user cannot change
        import tensorflow_addons
except ImportError:  # Python 3.12 and later, where addons does not exist
    tensorflow_addons = None


def trackable(keras_object):
    """What tf.train.Checkpoint has to be given to save all variables of a network or an optimizer.

    On Keras 3 that is the list of its variables: what TensorFlow tracks by itself leaves out, without a word, every
    layer that is held in a list.
    """
    return [variable.value for variable in keras_object.variables] if KERAS_3 else keras_object
