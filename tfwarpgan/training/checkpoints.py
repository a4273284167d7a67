"""Checkpoints of a stage: everything that a resumed run needs, and the networks alone for the stages after it."""

import os

import tensorflow as tf

from tfwarpgan.compat import trackable, variables_of
from tfwarpgan.errors import InputError


def stage_folder(run_dir, stage):
    """The folder of a stage's checkpoints."""
    return os.path.join(os.path.expanduser(run_dir), stage)


class StageCheckpoints:
    """Saves and restores a trainer: networks and optimizers, their steps included.

    Networks are saved as lists of their variables: what TensorFlow tracks by itself leaves out, without a word, every
    layer that Keras 3 holds in a list, and the lists are alike on both stacks.
    """

    def __init__(self, trainer, folder, keep=2):
        networks = {name: variables_of(network) for name, network in trainer.networks.items()}
        optimizers = {f"{name}_optimizer": trackable(optimizer) for name, optimizer in trainer.optimizers.items()}
        self.trainer = trainer
        self.objects = {**networks, **optimizers}
        self.average = average_of(next(iter(networks)))
        if trainer.averages:
            self.objects[self.average] = trainer.averages
        self.manager = tf.train.CheckpointManager(tf.train.Checkpoint(**self.objects), folder, max_to_keep=keep)

    def save(self):
        """Writes a checkpoint of the present step, unless there is one."""
        step = self.trainer.steps_done
        if not (self.manager.latest_checkpoint or "").endswith(f"ckpt-{step}"):
            self.manager.save(checkpoint_number=step)

    def restore(self):
        """Restores the latest checkpoint, if there is one; gives the number of steps that it has done.

        Raises:
            InputError: If it is of networks of another size.
        """
        path = self.manager.latest_checkpoint
        if not path:
            return 0
        averaged = holds(path, self.average)
        objects = {name: value for name, value in self.objects.items() if averaged or name != self.average}
        if averaged and not self.trainer.averages:  # read, and not gone on with
            objects[self.average] = [tf.Variable(variable) for variable in next(iter(objects.values()))]
        try:
            tf.train.Checkpoint(**objects).restore(path).assert_consumed()
        except (ValueError, AssertionError) as error:
            raise InputError(
                f"The checkpoint {path} is of networks of another size or kind: give the flags that it was trained "
                f"with, or another --run_dir ({str(error).splitlines()[0]})."
            ) from None
        if not averaged:
            for average, variable in zip(self.trainer.averages, next(iter(objects.values()))):
                average.assign(variable)
        return self.trainer.steps_done


def average_of(name):
    """The name under which a checkpoint holds the running mean of a network's weights."""
    return f"{name}_average"


def holds(path, name):
    """Whether a checkpoint holds something of that name."""
    return any(variable.startswith(f"{name}/") for variable, _ in tf.train.list_variables(path))


def steps_saved(run_dir, stage):
    """The steps that a stage's latest checkpoint has done."""
    return int(tf.train.latest_checkpoint(stage_folder(run_dir, stage)).rpartition("-")[2])


def load_network(network, run_dir, stage):
    """Gives a network the weights of a stage's latest checkpoint: their running mean, if it holds one.

    Raises:
        InputError: If there is none, or if it is of another size.
    """
    path = tf.train.latest_checkpoint(stage_folder(run_dir, stage))
    if not path:
        raise InputError(f"{run_dir} holds no checkpoint of the stage {stage}: train it first (--stage={stage}).")
    try:
        name = average_of(stage) if holds(path, average_of(stage)) else stage
        status = tf.train.Checkpoint(**{name: variables_of(network)}).restore(path)
        status.expect_partial().assert_existing_objects_matched()
    except (ValueError, AssertionError) as error:
        raise InputError(
            f"The checkpoint {path} does not fit the network of these flags: give those that it was trained with "
            f"({str(error).splitlines()[0]})."
        ) from None
    return network
