"""A run: the stages in order, each resumed where it stopped."""

import contextlib
import dataclasses
import functools
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf
from tensorflow import keras

from tfwarpgan.data.batches import human_parser
from tfwarpgan.data.batches.human_parser import prepared_lip_dataset
from tfwarpgan.data.batches.pairs import pairs_dataset
from tfwarpgan.data.layouts.opening import Source
from tfwarpgan.data.records.preparation import prepare
from tfwarpgan.errors import InputError
from tfwarpgan.flagfiles import run_options, to_flagfile
from tfwarpgan.inference.checkpoints import stage_folder
from tfwarpgan.inference.precision import policy_of
from tfwarpgan.layers.sampling import core_ops_only
from tfwarpgan.models.vgg import check_weights
from tfwarpgan.options import RUN_FLAGFILE, Options, stages_of
from tfwarpgan.storage import object_store
from tfwarpgan.storage.locks import disk_errors
from tfwarpgan.storage.writing import write_atomically
from tfwarpgan.training import callbacks, previews
from tfwarpgan.training.checkpoints import StageCheckpoints
from tfwarpgan.training.distribution import choose_strategy
from tfwarpgan.training.optimization import make_optimizer
from tfwarpgan.training.shared_stages import DATA_THAT_MAY_CHANGE
from tfwarpgan.training.source import open_source
from tfwarpgan.training.stages import TRAINERS
from tfwarpgan.training.stages_from import take_stages
from tfwarpgan.typing import Batch, Picture


def train(options: Options, devices: Sequence[str] | None = None, source: Source | None = None) -> bool:
    """Trains the stage that the options name, or all of a run in order; a finished stage is skipped.

    Args:
        options: `Options`.
        devices: Device names for MirroredStrategy, or None for all GPUs.
        source: What `source.open_source` gave, or None to open it here.

    Returns:
        Whether the training went to its end; False if a signal stopped it, after a checkpoint.

    Raises:
        InputError: If the data or a stage before it is missing or unfit.
    """
    strategy, stage = choose_strategy(devices), options.train.stage
    names = stages_of(options) if stage == "all" else (stage,)
    _check_devices(options, strategy.num_replicas_in_sync)
    source = open_source(options) if source is None else source
    run_dir = os.path.expanduser(options.train.run_dir)
    _check_same_run(options, run_dir)
    if "warping_generator" in names and options.losses.lambda_perceptual:
        check_weights(options.losses.perceptual_network, options.losses.perceptual_weights, "perceptual_weights")
    stage_data = StageData(options, source)
    keras.mixed_precision.set_global_policy(policy_of(options.train.precision))
    with disk_errors(run_dir, "--run_dir"):
        taken = take_stages(options)
        write_atomically(os.path.join(run_dir, RUN_FLAGFILE), to_flagfile(options))
        return all(train_stage(name, options, stage_data, strategy) for name in names if name not in taken)


def _check_devices(options: Options, replicas: int) -> None:
    if options.train.jit_compile and replicas > 1:
        raise InputError("--jit_compile works on one device only; leave it out, or make one device visible.")
    if options.data.batch_size % replicas:
        raise InputError(f"--batch_size={options.data.batch_size} must be a multiple of the {replicas} devices.")


def _check_same_run(options: Options, run_dir: str) -> None:
    """Refuses to train other networks, or on other data, in a folder that already contains a run."""
    if not object_store.exists(os.path.join(run_dir, RUN_FLAGFILE)):
        return
    there, here = _identity(run_options(run_dir)), _identity(options)
    other = [f"--{name}={value}" for name, value in there.items() if here.get(name, value) != value]
    if other:
        raise InputError(
            f"{run_dir} contains a run with {' '.join(other)}: use the flags that it was trained with (they are in its "
            f"{RUN_FLAGFILE}), or another --run_dir."
        )


def _identity(options: Options) -> dict[str, Any]:
    """The flags that decide what a run's networks are and what they learn; where and how long is free."""
    data, same = dataclasses.asdict(options.data), dataclasses.asdict(options.networks)
    del same["human_parser_weights"]  # the initial weights are not needed anymore
    if options.train.stage == "human_parser":
        names = ("height", "width", "lip_label_mapping")
        return same | {name: data[name] for name in names} | {"stage": "human_parser"}
    same |= {
        name: value for name, value in data.items() if name not in DATA_THAT_MAY_CHANGE and not name.startswith("lip_")
    }
    return same | {"parsing_source": options.train.parsing_source, "stage": "all"}


class StageData:
    """The data sets of a run, prepared if needed before anything is built.

    Args:
        options: `Options`.
        source: What `source.open_source` gave.
    """

    def __init__(self, options: Options, source: Source) -> None:
        self.options = options
        self.source: Any = source  # rows of LIP, where nothing is prepared
        self.is_lip = options.train.stage == "human_parser"
        is_prepared = not self.is_lip or options.data.dataset == "lip"
        self.prepared: Any = prepare(options.data, source=source) if is_prepared else None
        if self.prepared and self.prepared.num_pairs.get("train") == 0:
            raise InputError(
                f"The data set in {options.data.data_dir} has no training pairs: it can be evaluated, not trained; "
                "give lists of training pairs, or build pairs with --pair_source=rule."
            )

    def dataset(self, split: str, start: int = 0) -> tf.data.Dataset:
        """Batches of "train", from position `start` on, or of "test"."""
        if self.prepared is None:
            return human_parser.lip_dataset(self.source, self.options.data, split, start=start)
        if self.is_lip:
            return prepared_lip_dataset(self.prepared, self.options.data, split, start=start)
        return pairs_dataset(self.prepared, self.options.data, split=split, start=start)

    def preview_batch(self) -> Batch:
        """The test images, or test pairs, that the previews draw."""
        if self.is_lip:
            return {key: value[: previews.ROWS] for key, value in next(iter(self.dataset("test"))).items()}
        data_options = dataclasses.replace(self.options.data, batch_size=previews.ROWS)
        return next(iter(pairs_dataset(self.prepared, data_options, "test", only=previews.spread(self.prepared))))


def train_stage(name: str, options: Options, stage_data: StageData, strategy: tf.distribute.Strategy) -> bool:
    """Trains one stage to its last step; returns False if a signal stopped it."""
    run_dir, steps = os.path.expanduser(options.train.run_dir), options.train.steps_of(name)
    keras.backend.clear_session()
    keras.utils.set_random_seed(options.data.seed)
    with strategy.scope():
        trainer = TRAINERS[name](options)
        make = functools.partial(make_optimizer, options.train, steps)
        trainer.compile_networks(make, options.train.jit_compile, options.train.ema)
        checkpoints = StageCheckpoints(trainer, stage_folder(run_dir, name), options.train.keep_checkpoints)
        done = checkpoints.restore()
    if done >= steps:
        print(f"{name}: {done} steps are done, nothing to train.", flush=True)
        return True
    saving = callbacks.Checkpoints(checkpoints, options.train.checkpoint_every)
    looking = (
        previews.painter(name, trainer, stage_data.preview_batch(), options),
        previews.scorer(name, trainer, stage_data.dataset("test")),
    )
    watching = _watching(name, options, run_dir, done, steps, looking)
    # XLA compiles TensorFlow's own operations only.
    with core_ops_only() if options.train.jit_compile else contextlib.nullcontext():
        while done < steps and not saving.interrupted:  # once, but for the steps that a scaled loss makes void
            dataset = stage_data.dataset("train", start=done * options.data.batch_size)
            fitting = {"steps_per_epoch": steps - done, "shuffle": False, "verbose": 0}  # the data set comes shuffled
            trainer.fit(dataset, callbacks=[saving, *watching], **fitting)
            done = trainer.steps_done
    if saving.interrupted:
        print(f"{name}: stopped at step {trainer.steps_done}, which is saved; run again to go on.", flush=True)
    return not saving.interrupted


def _watching(
    name: str,
    options: Options,
    run_dir: str,
    done: int,
    steps: int,
    looking: tuple[Callable[[], Picture], Callable[[], dict[str, float]]],
) -> list[keras.callbacks.Callback]:
    writer = tf.summary.create_file_writer(run_dir)
    train = options.train
    watching = [
        callbacks.Progress(name, done, steps),
        callbacks.Previews(writer, name, train.pictures_every, *looking),
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
