"""The stages of a run: what each trains, with what, for how long."""

import dataclasses
import sys
from collections.abc import Callable

from tfwarpgan.models import networks as build
from tfwarpgan.models.perceptual import PerceptualFeatures
from tfwarpgan.models.pipeline import WarpingGAN
from tfwarpgan.training.checkpoints import load_network, steps_saved
from tfwarpgan.training.geometric_matcher import GeometricMatcherTrainer
from tfwarpgan.training.human_parser import HumanParserTrainer
from tfwarpgan.training.pose_guided_parser import PoseGuidedParserTrainer
from tfwarpgan.training.warping_generator import WarpingGeneratorTrainer


@dataclasses.dataclass(frozen=True)
class Stage:
    """A stage: `make_trainer` takes `Options`; `steps` is the name of the option that says how long."""

    make_trainer: Callable
    steps: str

    def total_steps(self, options):
        """Steps of this stage in a run of these options."""
        return getattr(options.train, self.steps)


def human_parser_trainer(options):
    """The human parser's trainer."""
    return HumanParserTrainer({"human_parser": build.human_parser(options)})


def pose_guided_parser_trainer(options):
    """Stage I's trainer."""
    networks = {"pose_guided_parser": build.pose_guided_parser(options)}
    if options.losses.parser_lambda_adversarial or options.losses.parser_lambda_pyramid:
        networks["discriminator"] = build.parser_discriminator(options)
    return PoseGuidedParserTrainer(networks, options.data, options.losses)


def geometric_matcher_trainer(options):
    """The matcher's trainer."""
    networks = {"geometric_matcher": build.geometric_matcher(options)}
    return GeometricMatcherTrainer(networks, options.data, options.losses, options.train.matcher_pretraining_steps)


def warping_generator_trainer(options):
    """The generator's trainer, with the stages before it restored from the run and frozen."""
    generator = build.warping_generator(options)
    pipeline = WarpingGAN(
        {**frozen_networks(options), "warping_generator": generator},
        options.data,
        options.train.parsing_source,
        options.networks.parser_average_flip,
    )
    networks, losses = {"warping_generator": generator}, options.losses
    if losses.lambda_adversarial or losses.lambda_pyramid:
        networks["discriminator"] = build.generator_discriminator(options)
    perceptual = None
    if losses.lambda_perceptual and any(losses.perceptual_alphas):
        alphas = losses.perceptual_alphas
        perceptual = PerceptualFeatures(losses.perceptual_network, losses.perceptual_weights, alphas)
    return WarpingGeneratorTrainer(networks, pipeline, losses, perceptual)


def frozen_networks(options):
    """The networks that the generator builds upon, restored from the run.

    Raises:
        InputError: If one of them has not been trained.
    """
    names = ["geometric_matcher"]
    if options.train.parsing_source == "synthesized":
        names.append("pose_guided_parser")
    return {name: load_trained(getattr(build, name)(options), options, name) for name in names}


def load_trained(network, options, name):
    """Gives a network the weights of its stage in the run, and tells it if that stage is not at its end.

    Raises:
        InputError: If it has not been trained.
    """
    load_network(network, options.train.run_dir, name)
    done, steps = steps_saved(options.train.run_dir, name), STAGES[name].total_steps(options)
    if done < steps:
        print(f"note: {name} has done {done:,} of {steps:,} steps; --stage={name} trains the rest.", file=sys.stderr)
    return network


STAGES = {
    "human_parser": Stage(human_parser_trainer, "human_parser_steps"),
    "pose_guided_parser": Stage(pose_guided_parser_trainer, "parser_steps"),
    "geometric_matcher": Stage(geometric_matcher_trainer, "matcher_steps"),
    "warping_generator": Stage(warping_generator_trainer, "generator_steps"),
}
