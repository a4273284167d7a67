"""Checkpoints of a stage: everything that a resumed run needs, and the networks alone for the stages after it."""

import os
import re
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from tfwarpgan.compat import trackable, variables_of
from tfwarpgan.errors import InputError
from tfwarpgan.inference.checkpoints import BEST, average_of, checkpoints_in, names_in, newest_whole, steps_of
from tfwarpgan.storage.writing import write_atomically
from tfwarpgan.training.trainer import Trainer


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
        networks = {name: variables_of(network) for name, network in trainer.networks.items()}
        optimizers = {f"{name}_optimizer": trackable(optimizer) for name, optimizer in trainer.optimizers.items()}
        self.required = {**networks, **optimizers}
        # What a checkpoint need not hold: older versions, or other flags, have no such thing.
        self.means = {f"{name}_mean": variables_of(mean) for name, mean in trainer.trackers.items()}
        # Copies of the sums over all replicas, which all workers have to read together.
        self.optional = {name: [tf.Variable(0.0, trainable=False) for _ in parts] for name, parts in self.means.items()}
        self.optional["skipped_steps"] = [trainer.skipped]
        self.average = average_of(next(iter(networks)))
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
        write_checkpoint(path, {**self.required, **self.optional})
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

        Raises:
            InputError: If it is of networks of another size, or if there are some and all are damaged.
        """
        path = newest_whole(self.folder)
        if not path:
            return 0
        there = names_in(path)
        optional = {name: value for name, value in self.optional.items() if name in there}
        unused = {name: _like(path, name) for name in there if _is_optional(name) and name not in optional}
        try:
            status = tf.train.Checkpoint(**self.required, **optional, **unused).restore(path)
            status.assert_consumed()
        except (ValueError, AssertionError) as error:
            raise InputError(
                f"The checkpoint {path} is of networks of another size or kind: use the flags that it was trained "
                f"with, or another --run_dir ({str(error).splitlines()[0]})."
            ) from None
        with self.strategy.scope():
            for name in self.means.keys() & optional.keys():
                for copy, part in zip(optional[name], self.means[name], strict=True):
                    part.assign(copy.read_value())
        if self.average not in there:  # it begins with the weights that are there
            for average, variable in zip(self.trainer.averages, next(iter(self.required.values()))):
                average.assign(variable)
        self.saved = self.trainer.steps_done
        return self.saved


def _is_optional(name: str) -> bool:
    return name == "skipped_steps" or name.endswith(("_average", "_mean"))


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


def _like(path: str, name: str) -> list[tf.Variable]:
    """Variables into which what a checkpoint holds under a name can be read, to be dropped."""
    shapes = {key: shape for key, shape in tf.train.list_variables(path) if key.startswith(f"{name}/")}
    return [tf.Variable(tf.zeros(shapes[f"{name}/{place}/.ATTRIBUTES/VARIABLE_VALUE"])) for place in range(len(shapes))]
