"""Trained networks of a run or a release, loaded for use."""

import dataclasses
import functools
import sys
from collections.abc import Callable
from typing import TypeVar

import tensorflow as tf
from tensorflow import keras

from tfwarpgan.data.pictures.framing import Framing
from tfwarpgan.errors import InputError
from tfwarpgan.flagfiles import run_options
from tfwarpgan.inference.checkpoints import checkpoints_in, chosen_checkpoint, load_network, stage_folder, steps_of
from tfwarpgan.inference.pipeline import LocalPipeline
from tfwarpgan.inference.precision import built_with
from tfwarpgan.inference.released import load_released, released_folder, released_parser
from tfwarpgan.inference.scores import read_scores
from tfwarpgan.models import build
from tfwarpgan.models.catalog import ImagePipeline, build_network, build_pipeline
from tfwarpgan.models.human_parser import label_probabilities
from tfwarpgan.options import Options, stages_of
from tfwarpgan.typing import Image, Size, Tensor

Network = TypeVar("Network")


def load_pipeline(options: Options, weights: str = "", for_new_images: bool = False) -> ImagePipeline:
    """The trained system of a run, or of the released weights of that name.

    Args:
        options: `Options` of the run or the release.
        weights: Name of a release, or empty.
        for_new_images: Whether it has to work where the true target parsing is not known.

    Raises:
        InputError: If a stage has not been trained, there are no such weights, or the run needs true target parsings.
    """
    if for_new_images and options.train.parsing_source == "ground_truth":
        raise InputError(
            "A run of --parsing_source=ground_truth needs the true label map of the target, which a new image lacks; "
            "use a run of --parsing_source=synthesized."
        )
    if weights and options.train.checkpoint != "last":
        raise InputError("--checkpoint chooses among those of a run; released weights have one: leave it out.")
    stages = stages_of(options)
    if weights:
        builders = {name: functools.partial(build_network, name, options) for name in stages}
        return build_pipeline(load_released(weights, builders), options)
    # The generator's checkpoint may be chosen anew; those before it are what it was trained with.
    trained = dataclasses.replace(options.train, checkpoint=run_options(options.train.run_dir).train.checkpoint)
    networks = frozen_networks(dataclasses.replace(options, train=trained))
    networks[stages[-1]] = load_trained(build_network(stages[-1], options), options, stages[-1])
    return build_pipeline(networks, options)


def in_bfloat16(pipeline: ImagePipeline, options: Options) -> ImagePipeline:
    """The same pipeline, whose generator computes in mixed bfloat16.

    The stages before it stay as they are: they decide on labels, and what is decided otherwise is another picture.
    """
    stage = stages_of(options)[-1]
    with built_with("mixed_bfloat16"):
        generator = build_network(stage, options)
    generator.set_weights(pipeline.networks[stage].get_weights())
    return build_pipeline({**pipeline.networks, stage: generator}, options)


def load_local(options: Options, weights: str = "", human_parser_run_dir: str = "") -> LocalPipeline:
    """The trained networks as a `LocalPipeline`, for new images.

    Args:
        options, weights: See `load_pipeline`.
        human_parser_run_dir: Run whose human parser labels images that come without a label map; empty: that of the
            release does, if it has one.

    Raises:
        InputError: As `load_pipeline` and `load_human_parser`.
    """
    pipeline = load_pipeline(options, weights, for_new_images=True)
    parse = load_labeler(options, human_parser_run_dir, weights)
    return LocalPipeline(pipeline, parse, Framing.of(options.data).flags)


def load_labeler(
    options: Options, human_parser_run_dir: str = "", weights: str = ""
) -> Callable[[Image], Tensor] | None:
    """What labels images that come without a label map, see `load_human_parser`; None if nothing does.

    Networks that see no parsing need no labels.

    Args:
        options, human_parser_run_dir, weights: See `load_local`.

    Raises:
        InputError: If such networks are given a human parser, or its run holds none.
    """
    if "condition_parsing" not in options.networks.inputs:
        if human_parser_run_dir:
            raise InputError(
                f"--human_parser_run_dir={human_parser_run_dir} has no effect: these networks see no parsing; leave it "
                "out."
            )
        return None
    size = (options.data.height, options.data.width)
    if human_parser_run_dir:
        return load_human_parser(run_options(human_parser_run_dir), size)
    parser = released_parser(weights)
    return load_human_parser(run_options(released_folder(parser)), size, weights=parser) if parser else None


def load_human_parser(
    options: Options, size: Size | None = None, average_flip: bool = True, weights: str = ""
) -> Callable[[Image], Tensor]:
    """The trained human parser of a run, or a released one, as a function of images.

    It sees images at the size that it was trained at; those of another size are resized for it, and its
    probabilities back, both bilinear.

    Args:
        options: `Options` of the human parser's run or release.
        size: (height, width) of the images it is going to be given; None: those of its training.
        average_flip: Whether the mirrored images are parsed too and averaged in.
        weights: Name of a released one, see `released.released_parser`, or empty.

    Returns:
        Function of float32 [B, H, W, 3] in [-1, 1] that gives label probabilities, float32 [B, H, W, 20].

    Raises:
        InputError: If the run holds no trained human parser.
    """
    with built_with(options.train.precision):  # which is not the generator's
        # The checkpoint holds the backbone's weights too: the initial weights are not needed anymore.
        make = functools.partial(build.human_parser, options, first_weights=False)
        parser = load_released(weights, {"human_parser": make})["human_parser"] if weights else make()
    if not weights:
        load_trained(parser, options, "human_parser")
    own = (options.data.height, options.data.width)

    def parse(images: Image) -> Tensor:
        if size in (None, own):
            return label_probabilities(parser, images, average_flip)
        resized = tf.image.resize(images, own, antialias=True)
        return tf.image.resize(label_probabilities(parser, resized, average_flip), size)

    return tf.function(parse, reduce_retracing=True, autograph=False)


def frozen_networks(options: Options, stage: str = "") -> dict[str, keras.Model]:
    """The networks that a stage builds upon, by default the last, restored from the run.

    Raises:
        InputError: If one of them has not been trained.
    """
    true_parsing = options.train.parsing_source == "ground_truth"
    stages = stages_of(options)
    before = stages[: stages.index(stage or stages[-1])]
    names = [name for name in before if not (true_parsing and name == "pose_guided_parser")]
    return {name: load_trained(build_network(name, options), options, name) for name in names}


def load_trained(network: Network, options: Options, name: str) -> Network:
    """Gives a network the weights of its stage in the run, and prints a note if that stage has not finished.

    Raises:
        InputError: If it has not been trained, or there is no such checkpoint as `--checkpoint` names.
    """
    path = chosen_checkpoint(options.train.run_dir, name, options.train.checkpoint)
    load_network(network, path, name)
    folder = stage_folder(options.train.run_dir, name)
    done, steps = max(map(steps_of, [path, *checkpoints_in(folder)])), options.train.steps_of(name)
    if done < steps and not read_scores(folder).ended(options.train, name):
        print(f"note: {name} has done {done:,} of {steps:,} steps; --stage={name} trains the rest.", file=sys.stderr)
    return network
