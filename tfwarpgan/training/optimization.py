"""Optimizers, learning rates and the step of one optimizer, under every precision and any number of replicas."""

import tensorflow as tf

keras = tf.keras


@keras.utils.register_keras_serializable("tfwarpgan")
class LinearDecay(keras.optimizers.schedules.LearningRateSchedule):
    """`initial` until `start` steps, then a straight line to 0 at `steps`."""

    def __init__(self, initial, start, steps):
        self.initial, self.start, self.steps = initial, start, steps

    def __call__(self, step):
        left = (self.steps - tf.cast(step, tf.float32)) / max(self.steps - self.start, 1)
        return self.initial * tf.clip_by_value(left, 0.0, 1.0)

    def get_config(self):
        return {"initial": self.initial, "start": self.start, "steps": self.steps}


def make_optimizer(options, steps):
    """Adam as `TrainOptions` says, for a stage of `steps` steps; scales its loss where the precision is half."""
    rate = LinearDecay(options.learning_rate, int(options.decay_from * steps), steps)
    adam = keras.optimizers.Adam(rate, options.beta_1, options.beta_2)
    if options.precision == "mixed_float16":
        return keras.mixed_precision.LossScaleOptimizer(adam)
    return adam


def inner_optimizer(optimizer):
    """The optimizer itself, without a wrapper that scales its loss."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def minimize(optimizer, tape, loss, variables):
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
