"""The stages of a run: what each trains, and with what."""

import dataclasses
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tfwarpgan.inference.loading import frozen_networks
from tfwarpgan.models import build
from tfwarpgan.models.catalog import build_discriminator, build_network, build_pipeline
from tfwarpgan.models.perceptual import PerceptualFeatures
from tfwarpgan.options import LossOptions, Options, stages_of
from tfwarpgan.training.geometric_matcher import GeometricMatcherTrainer
from tfwarpgan.training.human_parser import HumanParserTrainer
from tfwarpgan.training.image_generator import ImageGeneratorTrainer
from tfwarpgan.training.losses import FEATURE_SCALE
from tfwarpgan.training.pose_detector import PoseDetectorTrainer
from tfwarpgan.training.pose_guided_parser import PoseGuidedParserTrainer
from tfwarpgan.training.trainer import Trainer
from tfwarpgan.training.unpaired_generator import UnpairedGeneratorTrainer
from tfwarpgan.typing import Features, Image


def human_parser_trainer(options: Options) -> HumanParserTrainer:
    """The human parser's trainer."""
    return HumanParserTrainer({"human_parser": build.human_parser(options)})


def pose_guided_parser_trainer(options: Options) -> PoseGuidedParserTrainer:
    """Stage I's trainer."""
    networks = {"pose_guided_parser": build.pose_guided_parser(options)}
    if options.losses.parser_lambda_adversarial or options.losses.parser_lambda_pyramid:
        networks["discriminator"] = build.parser_discriminator(options)
    return PoseGuidedParserTrainer(networks, options.data, options.losses)


def geometric_matcher_trainer(options: Options) -> GeometricMatcherTrainer:
    """The matcher's trainer."""
    networks = {"geometric_matcher": build.geometric_matcher(options)}
    return GeometricMatcherTrainer(networks, options.data, options.losses, options.train.matcher_pretraining_steps)


def coarse_generator_trainer(options: Options) -> ImageGeneratorTrainer:
    """The trainer of the stage whose images another one refines: of its terms, the pixel loss alone counts."""
    names = [field.name for field in dataclasses.fields(LossOptions) if field.name.startswith("lambda_")]
    weights: dict[str, Any] = {**dict.fromkeys(names, 0.0), "lambda_pixel": 1.0}
    losses = dataclasses.replace(options.losses, **weights)
    return image_generator_trainer(dataclasses.replace(options, losses=losses), "coarse_generator")


def image_generator_trainer(options: Options, stage: str = "") -> ImageGeneratorTrainer:
    """The trainer of a stage that makes images, by default the last; those before it are restored and frozen."""
    stage, losses = stage or stages_of(options)[-1], options.losses
    networks = {stage: build_network(stage, options)}
    pipeline = build_pipeline({**frozen_networks(options, stage), **networks}, options)
    if losses.lambda_adversarial or losses.lambda_pyramid:
        networks["discriminator"] = build_discriminator(options)
    perceptual = None
    if losses.lambda_perceptual and any(losses.perceptual_alphas):
        alphas = losses.perceptual_alphas
        perceptual = PerceptualFeatures(
            losses.perceptual_network, losses.perceptual_weights, alphas, convolution=losses.perceptual_convolution
        )
    neighbor = None
    if losses.lambda_neighbor:
        neighbor = PerceptualFeatures(losses.perceptual_network, losses.perceptual_weights, layers=["block1_conv2"])
    return ImageGeneratorTrainer(networks, pipeline, losses, perceptual, neighbor, options.train.steps_of(stage))


def pose_detector_trainer(options: Options) -> PoseDetectorTrainer:
    """The trainer of the detector that `unpaired_generator` is judged by."""
    return PoseDetectorTrainer({"pose_detector": build_network("pose_detector", options)}, options.data)


def unpaired_generator_trainer(options: Options) -> UnpairedGeneratorTrainer:
    """The trainer of a generator that no target image teaches."""
    losses, stage = options.losses, "unpaired_generator"
    networks = {stage: build_network(stage, options)}
    pipeline = build_pipeline(networks, options)
    if losses.lambda_adversarial:
        networks["discriminator"] = build_discriminator(options)
    (detector,) = frozen_networks(options, stage).values()
    detector.trainable = False
    features = _positive
    if (losses.lambda_content or losses.lambda_style) and losses.content_layer != "image":
        vgg = PerceptualFeatures(losses.perceptual_network, losses.perceptual_weights, layers=[losses.content_layer])

        def features(images: Image) -> Features:
            return tf.nest.flatten(vgg(images))[0] / FEATURE_SCALE

    return UnpairedGeneratorTrainer(networks, pipeline, detector, losses, features)


def _positive(images: Image) -> Features:
    """Images in [0, 2]: a color and its opposite are to have different Gram matrices."""
    return images + 1.0


# The trainer of each stage, a function of `Options`, in the order of a run.
TRAINERS: dict[str, Callable[[Options], Trainer]] = {
    "human_parser": human_parser_trainer,
    "pose_guided_parser": pose_guided_parser_trainer,
    "geometric_matcher": geometric_matcher_trainer,
    "warping_generator": image_generator_trainer,
    "coarse_generator": coarse_generator_trainer,
    "image_generator": image_generator_trainer,
    "pose_detector": pose_detector_trainer,
    "unpaired_generator": unpaired_generator_trainer,
}
