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
# What TensorFlow says of a file whose content is wrong; all else is that it could not be read.
_DAMAGES = (
    tf.errors.DataLossError,
    tf.errors.OutOfRangeError,
    tf.errors.NotFoundError,
    tf.errors.InvalidArgumentError,
)
_OF_ANY_KIND = (tf.errors.OpError, IndexError, ValueError, RuntimeError)  # IndexError: where a file is cut


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
    """What TensorFlow finds wrong with a checkpoint when it reads all of it; empty: nothing.

    Raises:
        InputError: If it cannot be read, for a reason that says nothing of what it holds.
    """
    try:
        with tf.io.gfile.GFile(f"{path}.index", "rb") as index:
            index.read()
        return _damage_of_index(path) or _damage_of_tensors(path)
    except _DAMAGES as error:
        return _reason(error).partition(";")[0]
    except tf.errors.OpError as error:
        raise unreadable(path, error) from None


def _damage_of_index(path: str) -> str:
    """What is wrong with an index that can be read: TensorFlow's reader has one kind of error for everything."""
    try:
        tf.train.load_checkpoint(path).get_variable_to_dtype_map()
    except _OF_ANY_KIND as error:
        return _reason(error).partition(";")[0]
    return ""


def _damage_of_tensors(path: str) -> str:
    """Reads all tensors; where the reader fails, the operation that restores them says by its error what it is."""
    reader = tf.train.load_checkpoint(path)
    for name, dtype in reader.get_variable_to_dtype_map().items():
        try:
            reader.get_tensor(name)
        except _OF_ANY_KIND:
            with tf.device("CPU:0"):
                tf.raw_ops.RestoreV2(prefix=path, tensor_names=[name], shape_and_slices=[""], dtypes=[dtype])
    return ""


def unreadable(path: str, error: tf.errors.OpError) -> InputError:
    """The sentence about a checkpoint that could not be read, whether it is whole or not."""
    return InputError(
        f"{path} cannot be read ({_reason(error)}); nothing was changed: run the same command when it can be."
    )


def _reason(error: Exception) -> str:
    """The first line of what TensorFlow says, without the operation that says it."""
    line = str(error).strip().partition("\n")[0]
    return re.sub(r"^{{.*?}} | \[Op:\w+\]$", "", line) or type(error).__name__


def newest_whole(folder: str, otherwise: str = "remove the folder to train the stage anew") -> str:
    """The path of a folder's newest checkpoint that is whole; empty if it holds none at all.

    Damaged ones are passed over, with a note.

    Args:
        folder: Of checkpoints.
        otherwise: What to do where all are damaged and there is no copy, for the message.

    Raises:
        InputError: If it holds checkpoints, and all are damaged; or if one cannot be read.
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
            f"copy, or {otherwise}."
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

    Others than that may be damaged.

    Raises:
        InputError: If there is no such checkpoint, or it is damaged; it says which there are.
    """
    folder = stage_folder(run_dir, stage)
    best = os.path.join(folder, BEST)
    there = [*checkpoints_in(folder), *checkpoints_in(best)]
    if which == "last" or not there:
        return latest_checkpoint(run_dir, stage)
    if which == BEST:
        path = newest_whole(best, otherwise="use --checkpoint=last")
        if not path:
            raise InputError(
                f"{run_dir} contains no best checkpoint of the stage {stage}: train it with --validate_every, or use "
                "--checkpoint=last."
            )
        return path
    asked = [path for path in there if steps_of(path) == int(which)]
    for path in asked:
        if not damage_of(path):
            return path
    others = ", ".join(map(str, sorted({steps_of(path) for path in there} - {int(which)})))
    instead = f", but of {others}: name one of them in --checkpoint, or best or last" if others else ""
    raise InputError(
        f"{run_dir} contains no {'whole ' * bool(asked)}checkpoint of step {which} of the stage {stage}"
        f"{instead or ': bring it back from a copy'}."
    )


def average_of(name: str) -> str:
    """The name under which a checkpoint holds the running mean of a network's weights."""
    return f"{name}_average"


def names_in(path: str) -> set[str]:
    """The names of the networks, optimizers and other objects that a checkpoint holds."""
    return {name.partition("/")[0] for name, _ in tf.train.list_variables(path)}


def load_network(network: Network, path: str, stage: str) -> Network:
    """Gives a network the weights of a checkpoint of its stage: their running mean, if it holds one.

    Raises:
        InputError: If it is of another size, or cannot be read.
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
    except tf.errors.OpError as error:
        raise unreadable(path, error) from None
    return network
