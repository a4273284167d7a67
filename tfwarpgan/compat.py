"""The few differences between the two stacks (TensorFlow 2.15 with Keras 2, TensorFlow 2.21 with Keras 3)."""

import warnings

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that addons is no longer developed, which the user cannot change
        import tensorflow_addons
except ImportError:  # Python 3.12 and later, where addons does not exist
    tensorflow_addons = None
