"""The networks of the system: dictionary in, dictionary out."""

from tfwarpgan.models.discriminator import PyramidDiscriminator
from tfwarpgan.models.geometric_matcher import GeometricMatcher
from tfwarpgan.models.human_parser import HumanParser
from tfwarpgan.models.perceptual import PerceptualFeatures
from tfwarpgan.models.pose_guided_parser import PoseGuidedParser
from tfwarpgan.models.resnet_generator import ResnetGenerator
from tfwarpgan.models.warping_generator import WarpingGenerator

__all__ = [
    "GeometricMatcher",
    "HumanParser",
    "PerceptualFeatures",
    "PoseGuidedParser",
    "PyramidDiscriminator",
    "ResnetGenerator",
    "WarpingGenerator",
]
