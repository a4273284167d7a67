"""Checkpoints of a stage: everything that a resumed run needs, and the networks alone for the stages after it."""

import collections
import os
import re
import sys
from collections.abc import Mapping
from typing import Any

import tensorflow as tf
from tensorflow import keras

from tfwarpgan.compat import KERAS_3, trackable, variables_of
from tfwarpgan.errors import InputError
from tfwarpgan.inference.checkpoints import BEST, average_of, checkpoints_in, newest_whole, steps_of, unreadable
from tfwarpgan.storage.writing import write_atomically
from tfwarpgan.training.optimization import inner_optimizer, scales_loss
from tfwarpgan.training.trainer import Trainer

_SKIPPED = "skipped_steps"


class StageCheckpoints:
    """Saves and restores a trainer: networks, optimizers and all else that its next step or next log entry depends on.

    Networks are saved as lists of their variables: what TensorFlow tracks by itself leaves out, without a word, every
    layer that Keras 3 holds in a list, and the lists are alike on both stacks.

    Args:
        trainer: The `Trainer`, compiled.
        folder: Of the stage's checkpoints.
        keep: How many of the newest stay.
        writes: Whether this process writes them; of several workers, the chief alone does.
    """

    def __init__(self, trainer: Trainer, folder: str, keep: int = 2, writes: bool = True) -> None:
        self.trainer, self.folder, self.keep, self.writes = trainer, folder, keep, writes
        self.strategy = tf.distribute.get_strategy()
        self.saved: int | None = None  # the step of what was saved or restored last
        self.networks = {name: variables_of(network) for name, network in trainer.networks.items()}
        self.stage = next(iter(self.networks))  # which every checkpoint holds
        # What a checkpoint need not hold, too: older versions, or other flags, have no such thing.
        self.means = {f"{name}_mean": variables_of(mean) for name, mean in trainer.trackers.items()}
        # Copies of the sums over all replicas, which all workers have to read together.
        self.optional = {name: [tf.Variable(0.0, trainable=False) for _ in parts] for name, parts in self.means.items()}
        self.average = average_of(self.stage)
        if trainer.averages:
            self.optional[self.average] = list(trainer.averages)

    @property
    def last(self) -> str:
        """The path of the checkpoint that was saved or restored last; empty: none."""
        return "" if self.saved is None else os.path.join(self.folder, f"ckpt-{self.saved}")

    def save(self) -> None:
        """Writes a checkpoint of the current step, unless there is one, and removes what it makes superfluous.

        Superfluous are all but the newest, and any of later steps: they were damaged, or the training would go on from
        them. All workers have to call this, whether they write or not.
        """
        step = self.trainer.steps_done
        if step == self.saved:
            return
        self.saved = step
        with self.strategy.scope():
            for name, parts in self.means.items():
                for copy, part in zip(self.optional[name], parts, strict=True):
                    copy.assign(part.read_value())
        if not self.writes:
            return
        path = os.path.join(self.folder, f"ckpt-{step}")
        optimizers = {_optimizer_of(name): trackable(value) for name, value in self.trainer.optimizers.items()}
        skipped = {_SKIPPED: [self.trainer.skipped]}
        write_checkpoint(path, {**self.networks, **optimizers, **self.optional, **skipped})
        self._keep_newest(path)

    def _keep_newest(self, path: str) -> None:
        older = [other for other in checkpoints_in(self.folder) if steps_of(other) < steps_of(path)]
        kept = [path, *older[: self.keep - 1]]
        names = [os.path.basename(other) for other in kept]
        state = [
            f'model_checkpoint_path: "{names[0]}"',
            *(f'all_model_checkpoint_paths: "{name}"' for name in names[::-1]),
        ]
        write_atomically(os.path.join(self.folder, "checkpoint"), "\n".join(state) + "\n")
        for other in checkpoints_in(self.folder):
            if other not in kept:
                remove_checkpoint(other)

    def restore(self) -> int:
        """Restores the newest checkpoint that is whole, if there is one; returns the number of its steps.

        The scale of a scaled loss and a discriminator may come and go: what it does not hold begins anew, and what it
        holds beyond is dropped.

        Raises:
            InputError: If it is of networks of another size, if one cannot be read, or if there are some and all are
                damaged.
        """
        path = newest_whole(self.folder)
        if not path:
            return 0
        try:
            self._read(path)
        except (ValueError, AssertionError, tf.errors.InvalidArgumentError, tf.errors.NotFoundError) as error:
            raise InputError(
                f"The checkpoint {path} is of networks of another size or kind: use the flags that it was trained "
                f"with, or another --run_dir ({str(error).splitlines()[0]})."
            ) from None
        except tf.errors.OpError as error:
            raise unreadable(path, error) from None
        self.saved = self.trainer.steps_done
        return self.saved

    def _read(self, path: str) -> None:
        """Restores what both the trainer and a checkpoint have."""
        reader = tf.train.load_checkpoint(path)
        held = collections.Counter(key.partition("/")[0] for key in reader.get_variable_to_shape_map())
        networks = {name: variables for name, variables in self.networks.items() if name in held or name == self.stage}
        for name, variables in networks.items():
            if held[name] != len(variables):
                raise ValueError(f"{name} has {held[name]} variables there and {len(variables)} here")
        optimizers = {
            _optimizer_of(name): _as_held(self.trainer.optimizers[name], reader, _optimizer_of(name))
            for name in networks
        }
        optional = {name: value for name, value in self.optional.items() if name in held}
        status = tf.train.Checkpoint(**networks, **optimizers, **optional).restore(path)
        status.expect_partial().assert_existing_objects_matched()
        with self.strategy.scope():
            for name in self.means.keys() & optional.keys():
                for copy, part in zip(optional[name], self.means[name], strict=True):
                    part.assign(copy.read_value())
        if _SKIPPED in held:
            skipped = [*reader.get_tensor(_key(_SKIPPED, 0)), *(0 for _ in self.networks)]
            self.trainer.skipped.assign(skipped[: len(self.networks)])
        if self.average not in held:  # it begins with the weights that are there
            for average, variable in zip(self.trainer.averages, self.networks[self.stage]):
                average.assign(variable)
        for name in self.networks.keys() - networks.keys():
            if self.writes:
                print(f"note: {path} holds no {name}: it begins with new weights.", file=sys.stderr)


def _optimizer_of(name: str) -> str:
    return f"{name}_optimizer"


def _key(name: str, place: int) -> str:
    """The key of one variable of a list in a checkpoint."""
    return f"{name}/{place}/.ATTRIBUTES/VARIABLE_VALUE"


def _as_held(optimizer: keras.optimizers.Optimizer, reader: Any, name: str) -> Any:
    """What reads an optimizer out of a checkpoint, whose loss may be scaled there and not here, or here and not there.

    Args:
        optimizer: From `make_optimizer`, built.
        reader: `tf.train.load_checkpoint` of the checkpoint.
        name: Under which it holds an optimizer.
    """
    keys = [key for key in reader.get_variable_to_shape_map() if key.startswith(f"{name}/")]
    if not KERAS_3:
        if not scales_loss(optimizer) or any(key.startswith(f"{name}/loss_scale/") for key in keys):
            return optimizer
        return {child: part for child, part in optimizer._trackable_children().items() if child != "loss_scale"}
    own, inner = variables_of(optimizer), variables_of(inner_optimizer(optimizer))
    if len(keys) == len(own):
        return own
    # Those of what scales the loss come first; they are read to be dropped.
    dropped = [tf.Variable(reader.get_tensor(_key(name, place))) for place in range(len(keys) - len(inner))]
    return [*dropped, *inner]


def write_checkpoint(path: str, objects: Mapping[str, Any]) -> None:
    """Writes objects under their names."""
    checkpoint = tf.train.Checkpoint(**objects)
    checkpoint.save_counter.assign_add(1)  # makes it: `restore` asks for one
    checkpoint.write(path)


def sweep(folder: str) -> None:
    """Removes what a killed process has left of unfinished checkpoints in a stage's folder."""
    for place in (folder, os.path.join(folder, BEST)):
        whole = {os.path.basename(path) for path in checkpoints_in(place)}
        for name in tf.io.gfile.listdir(place) if tf.io.gfile.isdir(place) else []:
            path, name = os.path.join(place, name), name.rstrip("/")  # object stores mark folders
            if re.fullmatch(r"ckpt-[0-9]+_temp", name):
                tf.io.gfile.rmtree(path)
            elif re.match(r"ckpt-[0-9]+\.", name) and name.partition(".")[0] not in whole:
                tf.io.gfile.remove(path)


def remove_checkpoint(path: str) -> None:
    """Removes a checkpoint's files, its index first: without that it is none."""
    for pattern in (".index", ".data-*"):
        for name in tf.io.gfile.glob(path + pattern):
            tf.io.gfile.remove(name)
