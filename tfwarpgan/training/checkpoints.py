"""Checkpoints of a stage: everything that a resumed run needs, and the networks alone for the stages after it."""

import tensorflow as tf

from tfwarpgan.compat import trackable, variables_of
from tfwarpgan.errors import InputError
from tfwarpgan.inference.checkpoints import average_of, holds
from tfwarpgan.training.trainer import Trainer


class StageCheckpoints:
    """Saves and restores a trainer: networks and optimizers, their steps included.

    Networks are saved as lists of their variables: what TensorFlow tracks by itself leaves out, without a word, every
    layer that Keras 3 holds in a list, and the lists are alike on both stacks.
    """

    def __init__(self, trainer: Trainer, folder: str, keep: int = 2) -> None:
        networks = {name: variables_of(network) for name, network in trainer.networks.items()}
        optimizers = {f"{name}_optimizer": trackable(optimizer) for name, optimizer in trainer.optimizers.items()}
        self.trainer = trainer
        self.objects = {**networks, **optimizers}
        self.average = average_of(next(iter(networks)))
        if trainer.averages:
            self.objects[self.average] = list(trainer.averages)
        self.manager = tf.train.CheckpointManager(tf.train.Checkpoint(**self.objects), folder, max_to_keep=keep)

    def save(self) -> None:
        """Writes a checkpoint of the current step, unless there is one."""
        step = self.trainer.steps_done
        if not (self.manager.latest_checkpoint or "").endswith(f"ckpt-{step}"):
            self.manager.save(checkpoint_number=step)

    def restore(self) -> int:
        """Restores the latest checkpoint, if there is one; returns the number of its steps.

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
                f"The checkpoint {path} is of networks of another size or kind: use the flags that it was trained "
                f"with, or another --run_dir ({str(error).splitlines()[0]})."
            ) from None
        if not averaged:
            for average, variable in zip(self.trainer.averages, next(iter(objects.values()))):
                average.assign(variable)
        return self.trainer.steps_done
