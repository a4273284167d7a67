"""What the trainers of all stages share: networks, an optimizer for each, and named means."""

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import tensorflow as tf
from tensorflow import keras

from tfwarpgan.compat import variables_of
from tfwarpgan.training.optimization import inner_optimizer, minimize
from tfwarpgan.typing import Scalar


class Trainer(keras.Model):
    """A stage in training. A subclass names its means in `means` and has a `train_step`.

    Args:
        networks: Dictionary of the networks that are trained, built; the first is the stage's own.
    """

    means: tuple[str, ...] = ()

    def __init__(self, networks: Mapping[str, keras.Model], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.networks = networks
        self.optimizers: dict[str, keras.optimizers.Optimizer] = {}
        self.ema = 0.0
        self.averages: list[tf.Variable] = []
        self.trackers = {name: keras.metrics.Mean(name=name) for name in self.means}
        self.built = True  # the networks are; nothing else has weights

    def compile_networks(
        self, make_optimizer: Callable[[str], keras.optimizers.Optimizer], jit_compile: bool = False, ema: float = 0.0
    ) -> None:
        """Gives each network an optimizer, built on its variables, and the stage's own a running mean of its weights.

        Args:
            make_optimizer: Function of a network's name -> a new optimizer.
            jit_compile: Whether the train step is compiled by XLA.
            ema: Decay of the running mean; 0: none.
        """
        self.compile(jit_compile=jit_compile)
        for name, network in self.networks.items():
            self.optimizers[name] = make_optimizer(name)
            self.optimizers[name].build(network.trainable_variables)
        if ema:
            self.ema = ema
            first_replica = tf.VariableAggregation.ONLY_FIRST_REPLICA
            self.averages = [
                tf.Variable(variable, trainable=False, aggregation=first_replica) for variable in self._averaged()
            ]

    def _averaged(self) -> list[tf.Variable]:
        return variables_of(next(iter(self.networks.values())))

    def minimize(self, name: str, tape: tf.GradientTape, loss: Scalar) -> None:
        """One step of the network of that name; see `minimize` in `optimization`."""
        minimize(self.optimizers[name], tape, loss, self.networks[name].trainable_variables)
        if self.averages and name == next(iter(self.networks)):
            step = tf.cast(self.iterations, tf.float32)
            decay = tf.minimum(self.ema, (1.0 + step) / (10.0 + step))  # the first weights are soon forgotten
            for average, variable in zip(self.averages, self._averaged(), strict=True):
                average.assign(decay * average + (1.0 - decay) * variable)

    def log(self, weights: Mapping[str, Scalar] | None = None, **values: Scalar) -> dict[str, Scalar]:
        """Adds values to the means of their names; gives the dictionary that a train step returns.

        Args:
            weights: Dictionary, name -> weight of its value in the mean; 1 where a name is missing.
            **values: Scalars.
        """
        for name, value in values.items():
            self.trackers[name].update_state(value, sample_weight=(weights or {}).get(name))
        return {name: self.trackers[name].result() for name in values}

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return list(self.trackers.values())

    @property
    def iterations(self) -> tf.Variable:
        """Steps done so far: an integer variable, for use in the graph."""
        return self._first_optimizer.iterations

    @property
    def steps_done(self) -> int:
        """Steps done so far, an int."""
        return int(self.iterations.numpy())

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step, a float."""
        return float(tf.convert_to_tensor(self._first_optimizer.learning_rate))

    @property
    def _first_optimizer(self) -> keras.optimizers.Optimizer:
        return inner_optimizer(next(iter(self.optimizers.values())))

    def _maybe_symbolic_build(self, *args: Any, **kwargs: Any) -> None:
        """Nothing is left to build; under a strategy Keras 3 would lose a batch on it, and average its booleans."""

    def call(self, inputs: Any) -> NoReturn:
        raise TypeError("A trainer is not called; call its networks.")
