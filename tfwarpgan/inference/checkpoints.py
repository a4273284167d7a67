"""Networks from the checkpoints that a training left in its run; `training.checkpoints` writes them."""

import os
from typing import TypeVar

import tensorflow as tf

from tfwarpgan.compat import variables_of
from tfwarpgan.errors import InputError

Network = TypeVar("Network")


def stage_folder(run_dir: str, stage: str) -> str:
    """The folder of a stage's checkpoints."""
    return os.path.join(os.path.expanduser(run_dir), stage)


def steps_saved(run_dir: str, stage: str) -> int:
    """The steps that a stage's latest checkpoint has done."""
    return int(tf.train.latest_checkpoint(stage_folder(run_dir, stage)).rpartition("-")[2])


def average_of(name: str) -> str:
    """The name under which a checkpoint holds the running mean of a network's weights."""
    return f"{name}_average"


def holds(path: str, name: str) -> bool:
    """Whether a checkpoint holds something of that name."""
    return any(variable.startswith(f"{name}/") for variable, _ in tf.train.list_variables(path))


def load_network(network: Network, run_dir: str, stage: str) -> Network:
    """Gives a network the weights of a stage's latest checkpoint: their running mean, if it holds one.

    Raises:
        InputError: If there is none, or if it is of another size.
    """
    path = tf.train.latest_checkpoint(stage_folder(run_dir, stage))
    if not path:
        raise InputError(f"{run_dir} contains no checkpoint of the stage {stage}: train it first (--stage={stage}).")
    try:
        name = average_of(stage) if holds(path, average_of(stage)) else stage
        status = tf.train.Checkpoint(**{name: variables_of(network)}).restore(path)
        status.expect_partial().assert_existing_objects_matched()
    except (ValueError, AssertionError) as error:
        raise InputError(
            f"The checkpoint {path} does not fit the network of these flags: use those that it was trained with "
            f"({str(error).splitlines()[0]})."
        ) from None
    return network
