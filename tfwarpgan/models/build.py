"""Each network at the size that the options say, built and ready for weights; those of other systems: `catalog`."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import tensorflow as tf

from tfwarpgan.body.joints import NUM_JOINTS
from tfwarpgan.body.labels import NUM_LABELS
from tfwarpgan.models import vgg
from tfwarpgan.models.discriminator import PyramidDiscriminator
from tfwarpgan.models.geometric_matcher import GeometricMatcher
from tfwarpgan.models.human_parser import HumanParser
from tfwarpgan.models.pose_guided_parser import PoseGuidedParser
from tfwarpgan.models.resnet_generator import ResnetGenerator
from tfwarpgan.models.warping_gan import WarpingGAN
from tfwarpgan.models.warping_generator import WarpingGenerator
from tfwarpgan.options import DataOptions, Options
from tfwarpgan.typing import Tensor

Network = TypeVar("Network", bound=Callable[..., Any])

PARSER_JUDGED = ("condition_image", "condition_parsing", "target_pose", "parsing")
GENERATOR_JUDGED = ("condition_image", "condition_parsing", "target_parsing", "target_pose", "image")

CHANNELS = {
    "image": 3,
    "condition_image": 3,
    "coarse_image": 3,
    "condition_mask": 1,
    "stickman": 3,
    "condition_parsing": NUM_LABELS,
    "target_parsing": NUM_LABELS,
    "parsing": NUM_LABELS,
    "target_pose": NUM_JOINTS,
    "condition_pose": NUM_JOINTS,
    "grid": 2,
}


def built(network: Network, keys: Iterable[str], data_options: DataOptions, **more: Tensor) -> Network:
    inputs = {key: tf.zeros([1, data_options.height, data_options.width, CHANNELS[key]]) for key in keys}
    network({**inputs, **more})
    return network


def human_parser(options: Options, first_weights: bool = True) -> HumanParser:
    """The human parser; its backbone starts from `--human_parser_weights`, unless a checkpoint will be loaded anyway.

    The first two blocks keep their ImageNet weights; without such weights, they are trained too.
    """
    networks = options.networks
    frozen_blocks = 0 if networks.human_parser_weights == "none" else 2
    parser = HumanParser(networks.human_parser_backbone, networks.human_parser_width, frozen_blocks)
    parser = built(parser, ["image"], options.data)
    if first_weights and networks.human_parser_backbone != "small":
        vgg.load_weights(parser.backbone, networks.human_parser_backbone, networks.human_parser_weights)
    return parser


def pose_guided_parser(options: Options) -> PoseGuidedParser:
    """Stage I's parser."""
    networks = options.networks
    parser = PoseGuidedParser(
        networks.parser_width, networks.parser_blocks, networks.parser_uses_image, networks.upsampling,
        options.train.recompute,
    )  # fmt: skip
    return built(parser, parser.keys, options.data)


def parser_discriminator(options: Options) -> PyramidDiscriminator:
    """Stage I's discriminator."""
    networks = options.networks
    discriminator = PyramidDiscriminator(PARSER_JUDGED, networks.discriminator_width, networks.num_discriminators)
    return built(discriminator, PARSER_JUDGED, options.data)


def geometric_matcher(options: Options) -> GeometricMatcher:
    """The geometric matcher."""
    networks = options.networks
    matcher = GeometricMatcher(
        networks.matcher_width, networks.matcher_scale, networks.matcher_control_points, networks.warp_parts
    )
    return built(matcher, ["condition_parsing", "target_parsing"], options.data)


def warping_generator(options: Options) -> WarpingGenerator | ResnetGenerator:
    """The generator: with the soft-gated warping block, or the one that an ablation puts in its place."""
    networks = options.networks
    if networks.model == "resnet":
        return built(
            ResnetGenerator(
                networks.generator_keys, networks.generator_width, networks.generator_blocks, networks.upsampling,
                networks.decorrelated_colors, options.train.recompute,
            ),
            networks.generator_keys, options.data,
        )  # fmt: skip
    generator = WarpingGenerator(
        networks.generator_width, networks.generator_blocks, networks.fusion_width,
        networks.warp_residual, networks.warp_gate, networks.upsampling, networks.decorrelated_colors,
        () if networks.warp == "none" else networks.scales_of_warp(), options.train.recompute,
    )  # fmt: skip
    return built(generator, networks.generator_keys, options.data)


def generator_discriminator(options: Options) -> PyramidDiscriminator:
    """The generator's discriminator, which sees an image with what the generator made it from, but for the warp."""
    networks = options.networks
    judged = [name for name in GENERATOR_JUDGED if name == "image" or name in networks.generator_keys]
    discriminator = PyramidDiscriminator(judged, networks.discriminator_width, networks.num_discriminators)
    return built(discriminator, judged, options.data)


def pipeline(networks: Mapping[str, Any], options: Options) -> WarpingGAN:
    """The stages as one."""
    flags = {"parsing": options.networks.parser_average_flip, "image": options.networks.generator_average_flip}
    return WarpingGAN(
        networks, options.data, options.train.parsing_source, [name for name in flags if flags[name]],
        options.networks.generator_keys, options.networks.generator_color_transfer,
        options.networks.generator_average_shifts, options.networks.generator_sharpening,
    )  # fmt: skip
