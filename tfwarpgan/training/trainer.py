"""What the trainers of all stages share: networks, an optimizer for each, and named means."""

import tensorflow as tf

from tfwarpgan.compat import variables_of
from tfwarpgan.training.optimization import inner_optimizer, minimize

keras = tf.keras


class Trainer(keras.Model):
    """A stage in training. A subclass names its means in `means` and has a `train_step`.

    Args:
        networks: Dictionary of the networks that are trained, built; the first is the stage's own.
    """

    means = ()

    def __init__(self, networks, **kwargs):
        super().__init__(**kwargs)
        self.networks = networks
        self.optimizers = {}
        self.ema, self.averages = 0.0, []
        self.trackers = {name: keras.metrics.Mean(name=name) for name in self.means}
        self.built = True  # the networks are; nothing else has weights

    def compile_networks(self, make_optimizer, jit_compile=False, ema=0.0):
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

    def _averaged(self):
        return variables_of(next(iter(self.networks.values())))

    def minimize(self, name, tape, loss):
        """One step of the network of that name; see `minimize` in `optimization`."""
        minimize(self.optimizers[name], tape, loss, self.networks[name].trainable_variables)
        if self.averages and name == next(iter(self.networks)):
            step = tf.cast(self.iterations, tf.float32)
            decay = tf.minimum(self.ema, (1.0 + step) / (10.0 + step))  # the first weights are soon forgotten
            for average, variable in zip(self.averages, self._averaged(), strict=True):
                average.assign(decay * average + (1.0 - decay) * variable)

    def log(self, weights=None, **values):
        """Adds values to the means of their names; gives the dictionary that a train step returns.

        Args:
            weights: Dictionary, name -> weight of its value in the mean; 1 where a name is missing.
            **values: Scalars.
        """
        for name, value in values.items():
            self.trackers[name].update_state(value, sample_weight=(weights or {}).get(name))
        return {name: self.trackers[name].result() for name in values}

    @property
    def metrics(self):
        return list(self.trackers.values())

    @property
    def iterations(self):
        """Steps done so far: an integer variable, for use in the graph."""
        return self._first_optimizer.iterations

    @property
    def steps_done(self):
        """Steps done so far, an int."""
        return int(self.iterations.numpy())

    @property
    def learning_rate(self):
        """The learning rate of the next step, a float."""
        return float(tf.convert_to_tensor(self._first_optimizer.learning_rate))

    @property
    def _first_optimizer(self):
        return inner_optimizer(next(iter(self.optimizers.values())))

    def _maybe_symbolic_build(self, *args, **kwargs):
        """Nothing is left to build; under a strategy Keras 3 would lose a batch on it, and average its booleans."""

    def call(self, inputs):
        raise TypeError("A trainer is not called; call its networks.")
