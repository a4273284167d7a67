"""Optimizers, learning rates and the step of one optimizer, under every precision and any number of replicas."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from tensorflow import keras

from tfwarpgan.compat import KERAS_3
from tfwarpgan.options import TrainOptions
from tfwarpgan.typing import Scalar, Tensor


@keras.utils.register_keras_serializable("tfwarpgan")
class LinearDecay(keras.optimizers.schedules.LearningRateSchedule):
    """`initial` until `start` steps, then a straight line to 0 at `steps`."""

    def __init__(self, initial: float, start: int, steps: int) -> None:
        self.initial, self.start, self.steps = initial, start, steps

    def __call__(self, step: Tensor) -> Scalar:
        left = (self.steps - tf.cast(step, tf.float32)) / max(self.steps - self.start, 1)
        return self.initial * tf.clip_by_value(left, 0.0, 1.0)

    def get_config(self) -> dict[str, Any]:
        return {"initial": self.initial, "start": self.start, "steps": self.steps}


@keras.utils.register_keras_serializable("tfwarpgan")
class FusedAdam(keras.optimizers.Adam):
    """Keras' Adam (Kingma & Ba, ICLR 2015), each variable updated by TensorFlow's one fused operation.

    Keras makes about ten passes over a weight and its moments, which a network of hundreds of millions of weights
    feels in every step.
    """

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
    adam = FusedAdam(LinearDecay(rate, int(options.decay_from * steps), steps), options.beta_1, options.beta_2)
    if options.precision == "mixed_float16":
        return keras.mixed_precision.LossScaleOptimizer(adam)
    return adam


def inner_optimizer(optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
    """The optimizer itself, without a wrapper that scales its loss."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def minimize(
    optimizer: keras.optimizers.Optimizer, tape: tf.GradientTape, loss: Scalar, variables: Sequence[tf.Variable]
) -> None:
    """One step of an optimizer.

    Args:
        optimizer: From `make_optimizer`, built on `variables`.
        tape: The gradient tape, still recording, that saw `loss` made.
        loss: Scalar mean over the replica's batch; it is divided here by the number of replicas, over which the
            gradients are summed.
        variables: List of trainable variables.
    """
    with tape:
        loss = loss / tf.distribute.get_strategy().num_replicas_in_sync
        for name in ("scale_loss", "get_scaled_loss"):  # Keras 3, Keras 2
            if hasattr(optimizer, name):
                loss = getattr(optimizer, name)(loss)
                break
    gradients = tape.gradient(loss, variables)
    if hasattr(optimizer, "get_unscaled_gradients"):  # Keras 2; Keras 3 unscales in apply_gradients
        gradients = optimizer.get_unscaled_gradients(gradients)
    optimizer.apply_gradients(zip(gradients, variables, strict=True))
