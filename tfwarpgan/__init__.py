"""Soft-Gated Warping-GAN for pose-guided person image synthesis, in TensorFlow/Keras."""

__version__ = "0.1.0"
