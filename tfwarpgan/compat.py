"""The few differences between the two stacks (TensorFlow 2.15 with Keras 2, TensorFlow 2.21 with Keras 3)."""

try:
    import tensorflow_addons
except ImportError:  # Python 3.12 and later, where addons does not exist
    tensorflow_addons = None
