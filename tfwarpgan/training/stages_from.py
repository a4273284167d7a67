"""Finished stages of earlier runs, copied into a run (`--stages_from`), so that it stays complete by itself."""

import os
import sys
from collections.abc import Collection, Sequence

import tensorflow as tf

from tfwarpgan.errors import InputError
from tfwarpgan.flagfiles import run_options
from tfwarpgan.inference.checkpoints import BEST, checkpoints_in, newest_whole, stage_folder, steps_of
from tfwarpgan.inference.scores import read_scores, write_scores
from tfwarpgan.options import Options, stages_of
from tfwarpgan.storage.writing import write_atomically
from tfwarpgan.training.shared_stages import network_flags


def take_stages(options: Options) -> tuple[str, ...]:
    """Copies the stages before the generator from the runs that `--stages_from` names, and gives their names.

    A stage that the run already has is kept. Of a stage that an earlier run cannot give, a note says why.

    Raises:
        InputError: If a run that is needed does not exist or can give none of the stages, or the flag has no effect.
    """
    sources = [name.strip() for name in options.train.stages_from.split(",") if name.strip()]
    if not sources:
        return ()
    wanted = stages_of(options)[:-1]
    if options.train.stage not in ("all", stages_of(options)[-1]) or not wanted:
        raise InputError(
            f"--stages_from={options.train.stages_from} has no effect: this run trains no generator that builds upon "
            "another stage; leave it out."
        )
    taken = [stage for stage in wanted if _finished(options, options.train.run_dir, stage)]
    reasons: dict[str, list[str]] = {}
    for source in sources:
        if len(taken) < len(wanted):
            taken += _take_from(source, wanted, taken, options, reasons)
    for stage, told in reasons.items():
        if stage not in taken:
            print(f"note: --stages_from: {stage} is trained here ({'; '.join(told)}).", file=sys.stderr)
    return tuple(taken)


def _take_from(
    source: str, stages: Sequence[str], there: Collection[str], options: Options, reasons: dict[str, list[str]]
) -> list[str]:
    """Copies what a run can give of the stages that are not there; adds why it cannot give the others.

    A run that could give one that is there already, as to this command when it was interrupted, is not refused.
    """
    against = {stage: _reason_against(source, stage, options) for stage in stages}
    if all(against.values()):
        told = "; ".join(f"{stage}: {reason}" for stage, reason in against.items())
        raise InputError(f"--stages_from: {source} has no stage that this run can take ({told}).")
    taken = [stage for stage, reason in against.items() if not reason and stage not in there]
    for stage, reason in against.items():
        if reason:
            reasons.setdefault(stage, []).append(f"{source}: {reason}")
    for stage in taken:
        _copy_stage(stage_folder(source, stage), stage_folder(options.train.run_dir, stage))
        print(f"{stage}: taken from {source}.", flush=True)
    return taken


def _reason_against(source: str, stage: str, options: Options) -> str:
    """Why a run cannot give a stage; empty if it can."""
    its_options = run_options(source)
    there, here = (network_flags(of, stage) for of in (its_options, options))
    other = [f"--{name}={there[name]}" for name in here if there[name] != here[name]]
    if other:
        return f"trained with {' '.join(other)}"
    path = newest_whole(stage_folder(source, stage))
    if not path:
        return "not trained"
    done, steps = steps_of(path), options.train.steps_of(stage)
    ended = read_scores(stage_folder(source, stage)).ended(its_options.train, stage)
    return f"{done:,} of {steps:,} steps" if done < steps and not ended else ""


def _finished(options: Options, run_dir: str, stage: str) -> bool:
    path = newest_whole(stage_folder(run_dir, stage))
    ended = read_scores(stage_folder(run_dir, stage)).ended(options.train, stage)
    return bool(path) and (ended or steps_of(path) >= options.train.steps_of(stage))


def _copy_stage(source: str, folder: str) -> None:
    """Copies the newest checkpoint, the best one, and the scores."""
    for best in checkpoints_in(os.path.join(source, BEST))[:1]:
        _copy(best, os.path.join(folder, BEST))
    scores = read_scores(source)
    if scores.values:
        write_scores(folder, scores)
    _copy(newest_whole(source), folder)


def _copy(checkpoint: str, folder: str) -> None:
    """Copies a checkpoint; the file that names it comes last, so that half a copy is none."""
    tf.io.gfile.makedirs(folder)
    for path in sorted(tf.io.gfile.glob(f"{checkpoint}.*")):  # the index after what it tells of
        tf.io.gfile.copy(path, os.path.join(folder, os.path.basename(path)), overwrite=True)
    name = os.path.basename(checkpoint)
    state = f'model_checkpoint_path: "{name}"\nall_model_checkpoint_paths: "{name}"\n'
    write_atomically(os.path.join(folder, "checkpoint"), state)
