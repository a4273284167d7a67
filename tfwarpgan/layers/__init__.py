"""The layers of the networks, which other networks can use too."""

from tfwarpgan.layers.normalization import InstanceNormalization
from tfwarpgan.layers.warping import SoftGatedWarpingBlock

__all__ = ["InstanceNormalization", "SoftGatedWarpingBlock"]
