"""A run: the stages in order, each resumed where it was, and the trained networks for those who use them."""

import contextlib
import dataclasses
import functools
import os
import sys

import tensorflow as tf

from tfwarpgan import object_store
from tfwarpgan.command_line import run_options, to_flagfile
from tfwarpgan.data import lip
from tfwarpgan.data.pipeline import pairs_dataset, pictures_dataset
from tfwarpgan.data.records import check_layout, prepare
from tfwarpgan.data.sources import PATHS, open_lip, with_local_paths
from tfwarpgan.data.storage import disk_errors
from tfwarpgan.errors import InputError
from tfwarpgan.layers.sampling import core_ops_only
from tfwarpgan.models import networks as build
from tfwarpgan.models.human_parser import label_probabilities
from tfwarpgan.models.pipeline import WarpingGAN
from tfwarpgan.models.vgg import check_weights
from tfwarpgan.options import RUN_FLAGFILE, check_places
from tfwarpgan.pictures import write_atomically
from tfwarpgan.training import callbacks, previews
from tfwarpgan.training.checkpoints import StageCheckpoints, stage_folder
from tfwarpgan.training.distribution import choose_strategy
from tfwarpgan.training.optimization import make_optimizer
from tfwarpgan.training.stages import STAGES, frozen_networks, load_trained
from tfwarpgan.weights import load_released

keras = tf.keras
_MAY_CHANGE = (*PATHS, "prepared_dir", "batch_size", "flip", "seed")  # of the data, while a run lasts


def train(options, devices=None):
    """Trains the stage that the options name, or all of a run in order; a finished stage is skipped.

    Args:
        options: `Options`.
        devices: Device names for MirroredStrategy, or None for all GPUs.

    Returns:
        Whether the training went to its end; False if a signal stopped it, after a checkpoint.

    Raises:
        InputError: If the data or a stage before it is missing or unfit.
    """
    strategy, stage = choose_strategy(devices), options.train.stage
    names = [name for name in STAGES if name != "human_parser"] if stage == "all" else [stage]
    _check_devices(options, strategy.num_replicas_in_sync)
    run_dir = _check_folders(options)
    if "warping_generator" in names and options.losses.lambda_perceptual:
        check_weights(options.losses.perceptual_network, options.losses.perceptual_weights, "perceptual_weights")
    data = StageData(options)
    keras.mixed_precision.set_global_policy(options.train.precision)
    with disk_errors(run_dir, "--run_dir"):
        write_atomically(os.path.join(run_dir, RUN_FLAGFILE), to_flagfile(options))
        return all(train_stage(name, options, data, strategy) for name in names)


def _check_devices(options, replicas):
    if options.train.jit_compile and replicas > 1:
        raise InputError("--jit_compile works on one device only; leave it out, or make one device visible.")
    if options.data.batch_size % replicas:
        raise InputError(f"--batch_size={options.data.batch_size} must be a multiple of the {replicas} devices.")


def _check_folders(options):
    """Looks whether the data set is where it should be and the run is the same; gives the run's folder."""
    check_places(options)
    run_dir = os.path.expanduser(options.train.run_dir)
    if options.train.stage == "human_parser":
        open_lip(options.data)
    else:
        check_layout(options.data)
    _check_same_run(options, run_dir)
    return run_dir


def _check_same_run(options, run_dir):
    """Refuses to train other networks, or on other data, in a folder that holds a run already."""
    if not object_store.exists(os.path.join(run_dir, RUN_FLAGFILE)):
        return
    there, here = _identity(run_options(run_dir)), _identity(options)
    other = [f"--{name}={value}" for name, value in there.items() if here.get(name, value) != value]
    if other:
        raise InputError(
            f"{run_dir} holds a run of {' '.join(other)}: give the flags that it was trained with (they are in its "
            f"{RUN_FLAGFILE}), or another --run_dir."
        )


def _identity(options):
    """The flags that decide what a run's networks are and what they learn; where and how long is free."""
    data, same = dataclasses.asdict(options.data), dataclasses.asdict(options.networks)
    del same["human_parser_weights"]  # what training starts from need not be here any more
    if options.train.stage == "human_parser":
        names = ("height", "width", "lip_label_mapping")
        return same | {name: data[name] for name in names} | {"stage": "human_parser"}
    same |= {name: value for name, value in data.items() if name not in _MAY_CHANGE and not name.startswith("lip_")}
    return same | {"parsing_source": options.train.parsing_source, "stage": "all"}


class StageData:
    """The data sets of a run, prepared, if need be, before anything is built.

    Args:
        options: `Options`.
    """

    def __init__(self, options):
        self.options = options
        self.is_lip = options.train.stage == "human_parser"
        self.prepared = prepare(options.data) if not self.is_lip or options.data.dataset == "lip" else None
        self.lip = with_local_paths(options.data) if self.is_lip else None

    def dataset(self, split, start=0):
        """Batches of "train", from position `start` on, or of "test"."""
        if self.is_lip and self.prepared:
            return pictures_dataset(self.prepared, self.options.data, split, start=start)
        if self.is_lip:
            return lip.lip_dataset(self.lip, split, start=start)
        return pairs_dataset(self.prepared, self.options.data, split=split, start=start)


def train_stage(name, options, data, strategy):
    """Trains one stage to its last step; gives False if a signal stopped it."""
    stage, run_dir = STAGES[name], os.path.expanduser(options.train.run_dir)
    steps = stage.total_steps(options)
    keras.backend.clear_session()
    keras.utils.set_random_seed(options.data.seed)
    with strategy.scope():
        trainer = stage.make_trainer(options)
        make = functools.partial(make_optimizer, options.train, steps)
        trainer.compile_networks(make, options.train.jit_compile, options.train.ema)
        checkpoints = StageCheckpoints(trainer, stage_folder(run_dir, name), options.train.keep_checkpoints)
        done = checkpoints.restore()
    if done >= steps:
        print(f"{name}: {done} steps are done, nothing to train.", flush=True)
        return True
    saving = callbacks.Checkpoints(checkpoints, options.train.checkpoint_every)
    test = data.dataset("test")
    looking = previews.painter(name, trainer, test, options), previews.scorer(name, trainer, test)
    watching = _watching(name, options, run_dir, done, steps, looking)
    # XLA compiles TensorFlow's own operations only.
    with core_ops_only() if options.train.jit_compile else contextlib.nullcontext():
        while done < steps and not saving.interrupted:  # once, but for the steps that a scaled loss makes void
            dataset = data.dataset("train", start=done * options.data.batch_size)
            fitting = {"steps_per_epoch": steps - done, "shuffle": False, "verbose": 0}  # the data set comes shuffled
            trainer.fit(dataset, callbacks=[saving, *watching], **fitting)
            done = trainer.steps_done
    if saving.interrupted:
        print(f"{name}: stopped at step {trainer.steps_done}, which is saved; run again to go on.", flush=True)
    return not saving.interrupted


def _watching(name, options, run_dir, done, steps, looking):
    writer = tf.summary.create_file_writer(run_dir)
    train = options.train
    watching = [
        callbacks.Progress(name, done, steps),
        callbacks.Look(writer, name, train.pictures_every, *looking),
        callbacks.Scalars(writer, name, train.log_every, options.data.batch_size),
    ]
    if train.profile_steps:
        first, last = map(int, train.profile_steps.split(","))
        if done < first <= steps:
            return [callbacks.Profile(run_dir, first, last), *watching]
        print(
            f"note: --profile_steps={first},{last} records nothing: {name} trains steps {done + 1:,} to {steps:,}.",
            file=sys.stderr,
        )
    return watching


def load_pipeline(options, weights="", for_new_pictures=False):
    """The trained `WarpingGAN` of a run, or of the released weights of that name.

    Args:
        options: `Options` of the run or the release.
        weights: Name of a release, or empty.
        for_new_pictures: Whether it has to work where the true target parsing is not known.

    Raises:
        InputError: If a stage has not been trained, there are no such weights, or the run needs true target parsings.
    """
    if for_new_pictures and options.train.parsing_source == "ground_truth":
        raise InputError(
            "A run of --parsing_source=ground_truth needs the true parsing of the target, which a new picture lacks; "
            "use a run of --parsing_source=synthesized."
        )
    average_flip = options.networks.parser_average_flip
    if weights:
        names = ("pose_guided_parser", "geometric_matcher", "warping_generator")
        builders = {name: functools.partial(getattr(build, name), options) for name in names}
        return WarpingGAN(load_released(weights, builders), options.data, average_flip=average_flip)
    networks = frozen_networks(options)
    networks["warping_generator"] = load_trained(build.warping_generator(options), options, "warping_generator")
    return WarpingGAN(networks, options.data, options.train.parsing_source, average_flip)


def load_human_parser(options, size=None, average_flip=True):
    """The trained human parser of a run as a function of pictures.

    It sees pictures at the size that it was trained at; those of another size are resized for it, and its
    probabilities back, both bilinear.

    Args:
        options: `Options` of the human parser's run.
        size: (height, width) of the pictures it is going to be given; None: those of its training.
        average_flip: Whether the mirrored pictures are parsed too and averaged in.

    Returns:
        Function of float32 [B, H, W, 3] in [-1, 1] that gives label probabilities, float32 [B, H, W, 20].

    Raises:
        InputError: If the run holds no trained human parser.
    """
    policy = keras.mixed_precision.global_policy()
    keras.mixed_precision.set_global_policy(options.train.precision)
    # The checkpoint holds the backbone's weights too: what training started from need not be here any more.
    parser = build.human_parser(options, first_weights=False)
    keras.mixed_precision.set_global_policy(policy)  # the human parser's precision is not the generator's
    load_trained(parser, options, "human_parser")
    own = (options.data.height, options.data.width)

    def parse(images):
        if size in (None, own):
            return label_probabilities(parser, images, average_flip)
        resized = tf.image.resize(images, own, antialias=True)
        return tf.image.resize(label_probabilities(parser, resized, average_flip), size)

    return tf.function(parse, reduce_retracing=True)
