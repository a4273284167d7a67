"""A run: the stages in order, each resumed where it stopped."""

import contextlib
import dataclasses
import functools
import math
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf
from tensorflow import keras

from tfwarpgan.data.joints.stature import write_stature
from tfwarpgan.data.layouts.opening import PATHS, Source
from tfwarpgan.data.records.stature import stature_of_records
from tfwarpgan.errors import InputError
from tfwarpgan.flagfiles import run_options, to_flagfile
from tfwarpgan.inference.checkpoints import stage_folder
from tfwarpgan.inference.precision import policy_of
from tfwarpgan.inference.scores import read_scores
from tfwarpgan.layers.sampling import core_ops_only
from tfwarpgan.models.vgg import check_weights
from tfwarpgan.options import FINISHING, RUN_FLAGFILE, Options, stages_of
from tfwarpgan.storage import object_store
from tfwarpgan.storage.locks import disk_errors
from tfwarpgan.storage.writing import write_atomically
from tfwarpgan.training import callbacks, previews
from tfwarpgan.training.checkpoints import StageCheckpoints, sweep
from tfwarpgan.training.distribution import (
    agree,
    any_worker,
    chief_first,
    choose_strategy,
    chosen_by_chief,
    total,
    wait_for_all,
    worker_errors,
)
from tfwarpgan.training.events import put_back
from tfwarpgan.training.history import flagfile_of
from tfwarpgan.training.loop import run_steps
from tfwarpgan.training.optimization import make_optimizer
from tfwarpgan.training.shared_stages import DATA_THAT_MAY_CHANGE
from tfwarpgan.training.signals import StopSignals
from tfwarpgan.training.source import open_source
from tfwarpgan.training.stage_data import StageData
from tfwarpgan.training.stages import TRAINERS
from tfwarpgan.training.stages_from import take_stages
from tfwarpgan.training.summary import Summary
from tfwarpgan.training.validation import Validation, scorer
from tfwarpgan.training.workers import ALONE, Workers
from tfwarpgan.typing import Picture


def train(
    options: Options,
    devices: Sequence[str] | None = None,
    source: Source | None = None,
    workers: Workers = ALONE,
) -> bool:
    """Trains the stage that the options name, or all of a run in order; a finished stage is skipped.

    Args:
        options: `Options`.
        devices: Device names for MirroredStrategy, or None for all GPUs; of one worker.
        source: What `source.open_source` gave, or None to open it here, once all workers are there.
        workers: `Workers`, all of which call this with the same options; the chief alone writes.

    Returns:
        Whether the training went to its end; False if a signal stopped it, after a checkpoint.

    Raises:
        InputError: If the data or a stage before it is missing or unfit, or another worker stopped.
        KeyboardInterrupt: If a signal came while workers were waited for, or data prepared.
    """
    if options.train.deterministic:
        tf.config.experimental.enable_op_determinism()
    run_dir, stage = os.path.expanduser(options.train.run_dir), options.train.stage
    names = stages_of(options) if stage == "all" else (stage,)
    with worker_errors(workers):
        strategy = choose_strategy(devices, workers)
    # Not before: TensorFlow handles SIGTERM from when it has connected workers.
    with StopSignals() as signals, worker_errors(workers):
        with signals.at_once():
            stage_data = _prepared(options, source, names, strategy, workers)
        with disk_errors(run_dir, "--run_dir"):
            taken = chosen_by_chief(lambda: take_stages(options), names, strategy, workers)
            left = [name for name in names if name not in taken]
            record = functools.cache(functools.partial(_record, options, stage_data, workers))
            finished = all(train_stage(name, options, stage_data, strategy, workers, signals, record) for name in left)
            if finished:  # it may have had nothing left to train
                record()
            return finished


def _prepared(
    options: Options, source: Source | None, stages: Sequence[str], strategy: tf.distribute.Strategy, workers: Workers
) -> StageData:
    """The data of a run, prepared, once all else that may be wrong with it has been looked at."""
    _check_devices(options, strategy.num_replicas_in_sync)
    source = open_source(options) if source is None else source
    _check_same_run(options, os.path.expanduser(options.train.run_dir))
    if _sees_features(options, stages):
        check_weights(options.losses.perceptual_network, options.losses.perceptual_weights, "perceptual_weights")
    keras.mixed_precision.set_global_policy(policy_of(options.train.precision))
    stage_data = chief_first(lambda: StageData(options, source, workers), strategy, workers)
    agree(_shared(options, stage_data), "flags or data", strategy, workers)
    return stage_data


def _record(options: Options, stage_data: StageData, workers: Workers) -> None:
    """Writes what a run is: its flags, and where people stand in its pictures."""
    if not workers.is_chief:
        return
    run_dir = os.path.expanduser(options.train.run_dir)
    write_atomically(os.path.join(run_dir, RUN_FLAGFILE), flagfile_of(run_dir, options))
    stature = stature_of_records(stage_data.prepared) if stage_data.prepared else None
    if stature:
        write_stature(run_dir, stature)


def _sees_features(options: Options, stages: Sequence[str]) -> bool:
    """Whether a loss of one of the stages needs the weights of VGG."""
    losses = options.losses
    paired = losses.lambda_perceptual or losses.lambda_neighbor
    unpaired = losses.content_layer != "image" and (losses.lambda_content or losses.lambda_style)
    needed = {"warping_generator": paired, "image_generator": paired, "unpaired_generator": unpaired}
    return any(needed.get(stage) for stage in stages)


def _check_devices(options: Options, replicas: int) -> None:
    if options.train.jit_compile and replicas > 1:
        raise InputError("--jit_compile works on one device only; leave it out, or make one device visible.")
    if options.data.batch_size % replicas:
        raise InputError(
            f"--batch_size={options.data.batch_size} must be a multiple of the {replicas} devices of all workers."
        )


def _shared(options: Options, stage_data: StageData) -> str:
    """What all workers must have in common, as text: flags but for places, what "auto" means, and data."""
    places: dict[str, Any] = dict.fromkeys((*PATHS, "prepared_dir"), "")
    data, train = dataclasses.replace(options.data, **places), dataclasses.replace(options.train, run_dir="")
    flags = to_flagfile(dataclasses.replace(options, data=data, train=train))
    return flags + policy_of(options.train.precision) + stage_data.name


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
    for name in ("human_parser_weights", *FINISHING):  # the initial weights are not needed anymore
        del same[name]
    if options.train.stage == "human_parser":
        names = ("height", "width", "lip_label_mapping")
        return same | {name: data[name] for name in names} | {"stage": "human_parser"}
    same |= {
        name: value for name, value in data.items() if name not in DATA_THAT_MAY_CHANGE and not name.startswith("lip_")
    }
    return same | {"parsing_source": options.train.parsing_source, "stage": "all"}


def train_stage(
    name: str,
    options: Options,
    stage_data: StageData,
    strategy: tf.distribute.Strategy,
    workers: Workers,
    signals: StopSignals,
    record: Callable[[], object],
) -> bool:
    """Trains one stage to its last step.

    Args:
        name: The stage's.
        options: `Options`.
        stage_data: `StageData` of the run.
        strategy: That of the run.
        workers: `Workers`.
        signals: Those that the run heeds.
        record: Called before the first step, when nothing speaks against going on: a start that is refused leaves the
            run as it was.

    Returns:
        Whether it went to its end; False if a signal stopped it, or came before it.

    Raises:
        InputError: If it cannot go on from its checkpoint, or the stages before it are missing.
    """
    if any_worker(signals.received, strategy, workers):
        print(f"Stopped before {name}; run again to go on.", flush=True)
        return False
    run_dir, train = os.path.expanduser(options.train.run_dir), options.train
    steps = train.steps_of(name)
    end = min(steps, train.stop_at or steps)
    keras.backend.clear_session()
    keras.utils.set_random_seed(options.data.seed)
    if workers.is_chief:
        sweep(stage_folder(run_dir, name))
    with strategy.scope():
        trainer = TRAINERS[name](options)
        make = functools.partial(make_optimizer, train, steps)
        trainer.compile_networks(make, train.jit_compile, train.ema, train.accumulate)
        checkpoints = StageCheckpoints(trainer, stage_folder(run_dir, name), train.keep_checkpoints, workers.is_chief)
        done = checkpoints.restore()
        if not done:
            trainer.start(stage_data.first_batch)
    agree(f"{name} {done}", f"checkpoints of {name} (--run_dir={run_dir})", strategy, workers)
    if done >= end or read_scores(checkpoints.folder).until(done).ended(train, name):
        print(f"{name}: {done} steps are done, nothing to train.", flush=True)
        return True
    record()
    if workers.is_chief:
        put_back(run_dir, name, done)
    looking = (
        previews.painter(name, trainer, stage_data.preview_batch(), options),
        scorer(name, trainer, options, stage_data.validation(), lambda sums: total(sums, strategy, workers)),
    )
    watching = _watching(name, options, run_dir, done, steps, looking, workers.is_chief)
    written_every = (train.log_every, train.pictures_every, train.checkpoint_every, train.validate_every)
    finite = callbacks.Finite(checkpoints, name, math.gcd(*written_every))
    # What is logged of a step is written before its checkpoint: going on from that, the step is not logged again.
    saving = callbacks.Checkpoints(checkpoints, train.checkpoint_every)
    # XLA compiles TensorFlow's own operations only.
    with core_ops_only() if train.jit_compile else contextlib.nullcontext():
        dataset = stage_data.dataset("train", start=trainer.batches_taken * stage_data.step_size)
        bar = callbacks.Progress(name, done, steps, stage_data.step_size, workers.is_chief)
        with contextlib.closing(bar) as progress:
            watching = [finite, progress, *watching, saving]
            _, interrupted = run_steps(trainer, dataset, end, watching, strategy, signals)
    wait_for_all(strategy, workers)  # until the chief has saved
    if interrupted:
        print(f"{name}: stopped at step {trainer.steps_done}, which is saved; run again to go on.", flush=True)
    return not interrupted


def _watching(
    name: str,
    options: Options,
    run_dir: str,
    done: int,
    steps: int,
    looking: tuple[Callable[[], Picture], Callable[[], dict[str, float]]],
    is_chief: bool = True,
) -> list[keras.callbacks.Callback]:
    """The same callbacks on all workers, which stay in step so; the chief alone has something to show and to write."""
    writer = tf.summary.create_file_writer(run_dir) if is_chief else tf.summary.create_noop_writer()
    train, (draw, score) = options.train, looking
    step_size = options.data.batch_size * train.accumulate
    summary = Summary(name, options, step_size)

    def watch(step: int, scores: dict[str, float]) -> None:
        callbacks.write_scalars(writer, name, step, scores)
        summary.add(step, scores)

    watching = [
        callbacks.Previews(writer, name, train.pictures_every, steps, summary.keeping(draw) if is_chief else draw),
        *([Validation(name, options, score, watch, is_chief)] if train.validate_every else []),
        *([summary] if is_chief else []),
        callbacks.Scalars(writer, name, train.log_every, step_size),
    ]
    if train.profile_steps and is_chief:
        first, last = map(int, train.profile_steps.split(","))
        if done < first <= steps:
            return [callbacks.Profile(run_dir, first, last), *watching]
        print(
            f"note: --profile_steps={first},{last} records nothing: {name} trains steps {done + 1:,} to {steps:,}.",
            file=sys.stderr,
        )
    return watching
