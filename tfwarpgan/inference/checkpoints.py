"""Networks from the checkpoints that a training left in its run; `training.checkpoints` writes them.

TensorFlow stores a CRC-32C with every tensor and with every block of the index, and compares it on reading: whoever has
read all tensors of a checkpoint knows that no bit of it has changed.
"""

import os
import re
import sys
from typing import TypeVar

import tensorflow as tf

from tfwarpgan.compat import variables_of
from tfwarpgan.errors import InputError

Network = TypeVar("Network")
BEST = "best"  # folder of the checkpoint of the best score, in that of a stage


def stage_folder(run_dir: str, stage: str) -> str:
    """The folder of a stage's checkpoints."""
    return os.path.join(os.path.expanduser(run_dir), stage)


def steps_of(path: str) -> int:
    """The steps that a checkpoint has done."""
    return int(path.rpartition("-")[2])


def checkpoints_in(folder: str) -> list[str]:
    """The paths of a folder's checkpoints, whole or damaged, the newest first.

    They are those whose index is there, which TensorFlow writes last; what the file `checkpoint` says is not needed.
    """
    names = tf.io.gfile.listdir(folder) if tf.io.gfile.isdir(folder) else []
    found = [name.removesuffix(".index") for name in names if re.fullmatch(r"ckpt-[0-9]+\.index", name)]
    return [os.path.join(folder, name) for name in sorted(found, key=steps_of, reverse=True)]


def damage_of(path: str) -> str:
    """What TensorFlow finds wrong with a checkpoint when it reads all of it; empty: nothing."""
    try:
        reader = tf.train.load_checkpoint(path)
        for name in reader.get_variable_to_shape_map():
            reader.get_tensor(name)
    except (tf.errors.OpError, IndexError, ValueError, RuntimeError) as error:  # IndexError: where a file is cut
        return str(error).strip().partition("\n")[0].partition(";")[0] or type(error).__name__
    return ""


def newest_whole(folder: str) -> str:
    """The path of a folder's newest checkpoint that is whole; empty if it holds none at all.

    Damaged ones are passed over, with a note.

    Raises:
        InputError: If it holds checkpoints, and all are damaged.
    """
    damaged: dict[str, str] = {}
    for path in checkpoints_in(folder):
        damage = damage_of(path)
        if not damage:
            for other, reason in damaged.items():
                print(f"note: {other} is damaged ({reason}); {os.path.basename(path)} is used.", file=sys.stderr)
            return path
        damaged[path] = damage
    if damaged:
        path, reason = next(iter(damaged.items()))
        raise InputError(
            f"{folder} holds no checkpoint that is whole ({os.path.basename(path)}: {reason}): bring one back from a "
            "copy, or remove the folder to train the stage anew."
        )
    return ""


def latest_checkpoint(run_dir: str, stage: str) -> str:
    """The path of a stage's newest checkpoint that is whole.

    Raises:
        InputError: If there is none.
    """
    path = newest_whole(stage_folder(run_dir, stage))
    if not path:
        raise InputError(f"{run_dir} contains no checkpoint of the stage {stage}: train it first (--stage={stage}).")
    return path


def chosen_checkpoint(run_dir: str, stage: str, which: str) -> str:
    """The path of a stage's checkpoint: the "last", the one of the "best" score, or that of a step.

    Raises:
        InputError: If there is no such checkpoint, or it is damaged; it says which there are.
    """
    last = latest_checkpoint(run_dir, stage)
    if which == "last":
        return last
    folder = stage_folder(run_dir, stage)
    best = newest_whole(os.path.join(folder, BEST))
    if which == BEST:
        if not best:
            raise InputError(
                f"{run_dir} contains no best checkpoint of the stage {stage}: train it with --validate_every, or use "
                "--checkpoint=last."
            )
        return best
    paths = {steps_of(path): path for path in [*([best] if best else []), *checkpoints_in(folder)]}
    path = paths.get(int(which), "")
    if not path or damage_of(path):
        there = ", ".join(map(str, sorted(paths)))
        raise InputError(
            f"{run_dir} contains no {'whole ' * bool(path)}checkpoint of step {which} of the stage {stage}, but of "
            f"{there}: name one of them in --checkpoint, or best or last."
        )
    return path


def average_of(name: str) -> str:
    """The name under which a checkpoint holds the running mean of a network's weights."""
    return f"{name}_average"


def names_in(path: str) -> set[str]:
    """The names of the networks, optimizers and other objects that a checkpoint holds."""
    return {name.partition("/")[0] for name, _ in tf.train.list_variables(path)}


def load_network(network: Network, path: str, stage: str) -> Network:
    """Gives a network the weights of a checkpoint of its stage: their running mean, if it holds one.

    Raises:
        InputError: If it is of another size.
    """
    try:
        name = average_of(stage) if average_of(stage) in names_in(path) else stage
        status = tf.train.Checkpoint(**{name: variables_of(network)}).restore(path)
        status.expect_partial().assert_existing_objects_matched()
    except (ValueError, AssertionError) as error:
        raise InputError(
            f"The checkpoint {path} does not fit the network of these flags: use those that it was trained with "
            f"({str(error).splitlines()[0]})."
        ) from None
    return network
