"""Layers that the networks are made of, and that other networks can use on their own."""

from tfwarpgan.layers.normalization import InstanceNormalization
from tfwarpgan.layers.warping import SoftGatedWarpingBlock

__all__ = ["InstanceNormalization", "SoftGatedWarpingBlock"]
