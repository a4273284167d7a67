"""The few differences between the two stacks (TensorFlow 2.15 with Keras 2, TensorFlow 2.21 with Keras 3)."""

import warnings
from typing import Any

import tensorflow as tf
from tensorflow import keras

KERAS_3 = hasattr(tf.keras, "ops")

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that addons is no longer developed, which the user cannot change
        import tensorflow_addons as tensorflow_addons
except ImportError:  # Python 3.12 and later, where addons does not exist
    tensorflow_addons = None


def variables_of(keras_object: keras.Model | keras.optimizers.Optimizer) -> list[tf.Variable]:
    """The TensorFlow variables of a network or an optimizer, in the order in which both stacks make a network's."""
    return [variable.value for variable in keras_object.variables] if KERAS_3 else list(keras_object.variables)


def trackable(optimizer: keras.optimizers.Optimizer) -> Any:
    """What tf.train.Checkpoint has to be given to save an optimizer: on Keras 2 itself, with its loss scale."""
    return variables_of(optimizer) if KERAS_3 else optimizer


class BuiltByCall:
    """Mixin, before a Keras base, of what is made of other layers: these make their weights when `call` reaches them.

    Keras 3 would call such a layer on symbols first, and each layer in it again: once for each level of nesting.
    """

    built: bool

    def build(self, input_shape: Any) -> None:
        """Nothing: a layer has no weights but those of its layers."""
        del input_shape
        self.built = True
