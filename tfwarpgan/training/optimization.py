"""Optimizers, learning rates and the step of one optimizer, under every precision and any number of replicas."""

import math
from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from tensorflow import keras

from tfwarpgan.compat import KERAS_3
from tfwarpgan.options import TrainOptions
from tfwarpgan.training.finite import all_finite
from tfwarpgan.typing import Scalar, Tensor


@keras.utils.register_keras_serializable("tfwarpgan")
class LearningRate(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate over the steps: warm-up, halvings and decay, each a factor of `peak`.

    Args:
        peak: The learning rate that the factors multiply.
        steps: Length of the stage, at whose end a decay has reached 0.
        decay_from: Step from which on it decays; `steps` or more: never.
        decay: "linear", a straight line; or "cosine", half a cosine (Loshchilov & Hutter, ICLR 2017, equation 5).
        warmup_steps: Steps over which it rises in a straight line to its peak (Goyal et al. 2017, section 2.2).
        halve_every: Steps after which it is halved, again and again; 0: never.
    """

    def __init__(
        self,
        peak: float,
        steps: int,
        decay_from: int,
        decay: str = "linear",
        warmup_steps: int = 0,
        halve_every: int = 0,
    ) -> None:
        self.peak, self.steps, self.decay_from, self.decay = peak, steps, decay_from, decay
        self.warmup_steps, self.halve_every = warmup_steps, halve_every

    def __call__(self, step: Tensor) -> Scalar:
        step = tf.cast(step, tf.float32)
        left = tf.clip_by_value((self.steps - step) / max(self.steps - self.decay_from, 1), 0.0, 1.0)
        rate = self.peak * (left if self.decay == "linear" else 0.5 - 0.5 * tf.cos(math.pi * left))
        if self.warmup_steps:
            rate *= tf.minimum((step + 1.0) / self.warmup_steps, 1.0)
        return rate * 0.5 ** (step // self.halve_every) if self.halve_every else rate

    def get_config(self) -> dict[str, Any]:
        return {
            "peak": self.peak,
            "steps": self.steps,
            "decay_from": self.decay_from,
            "decay": self.decay,
            "warmup_steps": self.warmup_steps,
            "halve_every": self.halve_every,
        }


@keras.utils.register_keras_serializable("tfwarpgan")
class FusedAdam(keras.optimizers.Adam):
    """Keras' Adam (Kingma & Ba, ICLR 2015), each variable updated by TensorFlow's one fused operation.

    Keras makes about ten passes over a weight and its moments, which a network of hundreds of millions of weights
    feels in every step.
    """

    def _all_reduce_sum_gradients(self, grads_and_vars: Any) -> Any:
        """Keras 3's sum over the replicas, which `apply_gradients` of this module has already made."""
        return grads_and_vars

    def update_step(self, gradient: Tensor, variable: tf.Variable, learning_rate: Scalar | None = None) -> None:
        index = self._get_variable_index(variable) if KERAS_3 else self._index_dict[self._var_key(variable)]
        first, second = self._momentums[index], self._velocities[index]
        if KERAS_3:
            first, second = first.value, second.value
        step = tf.cast(self.iterations + 1, tf.float32)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=first.handle,
            v=second.handle,
            beta1_power=self.beta_1**step,
            beta2_power=self.beta_2**step,
            lr=tf.cast(self.learning_rate if learning_rate is None else learning_rate, tf.float32),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )


def make_optimizer(options: TrainOptions, steps: int, network: str = "") -> keras.optimizers.Optimizer:
    """Adam as `TrainOptions` says, for a stage of `steps` steps; scales its loss where the precision is half.

    Args:
        options: `TrainOptions`.
        steps: Length of the stage, in steps, at whose end the learning rate may have fallen to 0.
        network: Name of the network that it is for; a "discriminator" may have a learning rate of its own.
    """
    rate = options.learning_rate
    if network == "discriminator" and options.discriminator_learning_rate:
        rate = options.discriminator_learning_rate
    schedule = LearningRate(
        rate, steps, int(options.decay_from * steps), options.decay, options.warmup_steps, options.halve_every
    )
    adam = FusedAdam(schedule, options.beta_1, options.beta_2, global_clipnorm=options.clip_norm or None)
    if options.precision == "mixed_float16":
        return keras.mixed_precision.LossScaleOptimizer(adam)
    return adam


def scales_loss(optimizer: keras.optimizers.Optimizer) -> bool:
    """Whether an optimizer scales its loss, as for float16."""
    return hasattr(optimizer, "inner_optimizer")


def inner_optimizer(optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
    """The optimizer itself, without a wrapper that scales its loss."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def gradients_of(
    optimizer: keras.optimizers.Optimizer,
    tape: tf.GradientTape,
    loss: Scalar,
    variables: Sequence[tf.Variable],
    parts: int = 1,
) -> list[Tensor]:
    """The gradients of one part of a batch, for `apply_gradients`; those of all parts and replicas are summed.

    Args:
        optimizer: From `make_optimizer`; it scales the loss where the precision is half.
        tape: The gradient tape, still recording, that saw `loss` made.
        loss: Scalar mean over the part; it is divided here by the number of parts and replicas.
        variables: List of trainable variables.
        parts: Number of parts of a replica's batch.
    """
    with tape:
        loss = loss / (tf.distribute.get_strategy().num_replicas_in_sync * parts)
        for name in ("scale_loss", "get_scaled_loss"):  # Keras 3, Keras 2
            if hasattr(optimizer, name):
                loss = getattr(optimizer, name)(loss)
                break
    return tape.gradient(loss, variables)


def apply_gradients(
    optimizer: keras.optimizers.Optimizer, gradients: Sequence[Tensor], variables: Sequence[tf.Variable]
) -> Scalar:
    """One step of an optimizer, in replica context; gives whether all gradients were finite.

    The gradients are summed over the replicas first: their norm, and whether they are finite, is then that of the
    whole batch, and the same on each replica. Where the loss is scaled, gradients that are not finite change nothing
    but the scale, and are no step of `iterations`.

    Args:
        optimizer: From `make_optimizer`, built on `variables`.
        gradients: This replica's, from `gradients_of`.
        variables: List of trainable variables.
    """
    pairs = [pair for pair in zip(gradients, variables, strict=True) if pair[0] is not None]
    gradients = [gradient for gradient, _ in pairs]
    gradients = tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, gradients)
    if hasattr(optimizer, "get_unscaled_gradients"):  # Keras 2; Keras 3 unscales in apply_gradients
        gradients = optimizer.get_unscaled_gradients(gradients)
    reduced = {} if KERAS_3 else {"skip_gradients_aggregation": True}
    finite = all_finite(gradients)
    optimizer.apply_gradients(zip(gradients, (variable for _, variable in pairs), strict=True), **reduced)
    if scales_loss(optimizer) and not KERAS_3:  # which counts a step that has changed nothing, too
        inner_optimizer(optimizer).iterations.assign_sub(tf.cast(tf.logical_not(finite), tf.int64))
    return finite
