"""What the trainers of all stages share: networks, an optimizer for each, the step, and named means."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import tensorflow as tf
from tensorflow import keras

from tfwarpgan.compat import variables_of
from tfwarpgan.errors import InputError
from tfwarpgan.training.finite import MOST_SKIPPED, FiniteWatch
from tfwarpgan.training.optimization import apply_gradients, gradients_of, inner_optimizer, scales_loss
from tfwarpgan.typing import Batch, Scalar, Tensor


@dataclasses.dataclass(frozen=True)
class Losses:
    """What a trainer finds of a batch.

    Attributes:
        networks: Name of a network -> (its loss, the gradient tape that saw it made); scalar means over the batch.
        logged: Name of a mean -> its value, a scalar mean over the batch.
        weights: Name of a mean -> weight of this batch in it; 1 where a name is missing.
    """

    networks: Mapping[str, tuple[Scalar, tf.GradientTape]]
    logged: Mapping[str, Scalar]
    weights: Mapping[str, Scalar] = dataclasses.field(default_factory=dict)


class Trainer(keras.Model):
    """A stage in training. A subclass names its means in `means` and has `losses`.

    Args:
        networks: Dictionary of the networks that are trained, built; the first is the stage's own.
    """

    means: tuple[str, ...] = ()

    def __init__(self, networks: Mapping[str, keras.Model], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.networks = networks
        self.optimizers: dict[str, keras.optimizers.Optimizer] = {}
        self.ema = 0.0
        self.accumulate = 1
        self.averages: list[tf.Variable] = []
        self.scales_loss = False
        self.trackers = {name: keras.metrics.Mean(name=name) for name in self.means}
        self.built = True  # the networks are; nothing else has weights

    def compile_networks(
        self,
        make_optimizer: Callable[[str], keras.optimizers.Optimizer],
        jit_compile: bool = False,
        ema: float = 0.0,
        accumulate: int = 1,
    ) -> None:
        """Gives each network an optimizer, built on its variables, and the stage's own a running mean of its weights.

        Args:
            make_optimizer: Function of a network's name -> a new optimizer.
            jit_compile: Whether the train step is compiled by XLA.
            ema: Decay of the running mean; 0: none.
            accumulate: Parts of a batch that go through the networks one after the other.
        """
        self.compile(jit_compile=jit_compile)
        self.accumulate = accumulate
        for name, network in self.networks.items():
            self.optimizers[name] = make_optimizer(name)
            self.optimizers[name].build(network.trainable_variables)
        first_replica = tf.VariableAggregation.ONLY_FIRST_REPLICA
        self.scales_loss = any(map(scales_loss, self.optimizers.values()))
        watched = [*([] if self.scales_loss else self.means), *map(_gradient, self.networks)]
        self.watch = FiniteWatch(watched, MOST_SKIPPED if self.scales_loss else 1)
        self.skipped = tf.Variable(tf.zeros([len(self.networks)], tf.int64), trainable=False, aggregation=first_replica)
        if ema:
            self.ema = ema
            self.averages = [
                tf.Variable(variable, trainable=False, aggregation=first_replica) for variable in self._averaged()
            ]

    def _averaged(self) -> list[tf.Variable]:
        return variables_of(next(iter(self.networks.values())))

    def start(self, draw: Callable[[], Batch]) -> None:
        """Before the first step, what a network starts from; a subclass may find more.

        Args:
            draw: Gives a batch, several times as large as those of the steps.
        """
        del draw
        for average, variable in zip(self.averages, self._averaged() if self.averages else (), strict=True):
            average.assign(variable)

    def losses(self, batch: Batch) -> Losses:
        """The losses of a batch, or of a part of one; a subclass says."""
        raise NotImplementedError

    def with_draws(self, batch: Batch) -> Batch:
        """The batch with what is drawn at random for it, before it is parted."""
        return batch

    def train_step(self, batch: Batch) -> dict[str, Scalar]:
        """One step of each network on a batch; gives the means so far, of this replica.

        Of a batch in `accumulate` parts, one part's activations are held at a time; the step is that of the whole.
        """
        batch = self.with_draws(batch)
        gradients, logged = self._gradients(batch) if self.accumulate == 1 else self._accumulated_gradients(batch)
        finite = {
            name: apply_gradients(self.optimizers[name], values, self.networks[name].trainable_variables)
            for name, values in gradients.items()
        }
        self._watch(finite, logged)
        self._update_averages()
        return {name: tf.math.divide_no_nan(*variables_of(self.trackers[name])) for name in logged}

    def _gradients(self, batch: Batch) -> tuple[dict[str, list[Tensor]], list[str]]:
        """The gradients of each network, and the names of what was logged."""
        losses = self.losses(batch)
        for name, value in losses.logged.items():
            self.trackers[name].update_state(value, sample_weight=losses.weights.get(name))
        gradients = {}
        for name, (loss, tape) in losses.networks.items():
            variables = self.networks[name].trainable_variables
            gradients[name] = gradients_of(self.optimizers[name], tape, loss, variables, self.accumulate)
        return gradients, list(losses.logged)

    def _accumulated_gradients(self, batch: Batch) -> tuple[dict[str, list[Tensor]], list[str]]:
        parts = {key: tf.reshape(value, [self.accumulate, -1, *value.shape[1:]]) for key, value in batch.items()}
        logged: list[str] = []

        def add_part(number: Tensor, sums: dict[str, list[Tensor]]) -> tuple[Tensor, dict[str, list[Tensor]]]:
            gradients, logged[:] = self._gradients({key: value[number] for key, value in parts.items()})
            return number + 1, {
                name: [total if part is None else total + part for total, part in zip(sums[name], gradients[name])]
                for name in sums
            }

        zeros = {
            name: [tf.zeros(variable.shape, variable.dtype) for variable in network.trainable_variables]
            for name, network in self.networks.items()
        }
        _, sums = tf.while_loop(lambda number, _: number < self.accumulate, add_part, (0, zeros), parallel_iterations=1)
        return sums, logged

    def _watch(self, finite: Mapping[str, Scalar], logged: Sequence[str]) -> None:
        """Notes what was not finite, see `finite`: of gradients, network -> whether it was."""
        of_gradients = {_gradient(name): value for name, value in finite.items()}
        if self.scales_loss:
            void = tf.stack([tf.logical_not(finite[name]) for name in self.networks])
            self.skipped.assign_add(tf.cast(void, tf.int64))
            self.watch.update(of_gradients)
        else:
            totals = {name: tf.math.is_finite(self.trackers[name].total) for name in logged}
            self.watch.update({**totals, **of_gradients})

    def check_finite(self, stage: str, last: str) -> None:
        """Ends a training that has gone wrong; between two steps, on all workers.

        Args:
            stage: Its name.
            last: The path of its last checkpoint, or empty.

        Raises:
            InputError: If a loss or gradient was not finite, or too often in a row where the loss is scaled.
        """
        names, steps = self.watch.failed()
        if not names:
            return
        first = self.steps_done + 1 if self.scales_loss else self.steps_done - steps + 1
        times = f", {steps} times in a row at ever lower scales of the loss" if self.scales_loss else ""
        raise InputError(
            f"{stage}: not finite at step {first:,}{times}: {', '.join(names)}; the run ends, "
            f"{f'and {last} is kept' if last else 'before its first checkpoint'}: run again with a lower "
            "--learning_rate, with --clip_norm or in another --precision."
        )

    def _update_averages(self) -> None:
        step = tf.cast(self.iterations, tf.float32)
        decay = tf.minimum(self.ema, (1.0 + step) / (10.0 + step))  # the first weights are soon forgotten
        for average, variable in zip(self.averages, self._averaged() if self.averages else (), strict=True):
            average.assign(decay * average + (1.0 - decay) * variable)

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
    def batches_taken(self) -> int:
        """Batches that the steps so far have taken: those of void steps, too, see `skipped`."""
        return self.steps_done + int(self.skipped[0])

    @property
    def skipped_steps(self) -> dict[str, int]:
        """How many steps a scaled loss has made void so far, of each network; empty where no loss is scaled."""
        numbers = map(int, self.skipped.numpy()) if self.scales_loss else ()
        return {f"skipped_steps/{name}": number for name, number in zip(self.networks, numbers)}

    @property
    def learning_rate(self) -> float:
        """The learning rate of the last step, a float; not the optimizer's own, which Keras 3 has of the next step."""
        return float(self._first_optimizer._learning_rate(self.steps_done - 1))

    @property
    def _first_optimizer(self) -> keras.optimizers.Optimizer:
        return inner_optimizer(next(iter(self.optimizers.values())))

    def _maybe_symbolic_build(self, *args: Any, **kwargs: Any) -> None:
        """Nothing is left to build; under a strategy Keras 3 would lose a batch on it, and average its booleans."""

    def call(self, inputs: Any) -> NoReturn:
        raise TypeError("A trainer is not called; call its networks.")


def _gradient(name: str) -> str:
    return f"the gradient of {name}"
