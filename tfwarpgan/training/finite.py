"""Losses and gradients that are no longer finite end a run: noted in the graph, looked at between two steps.

Nothing is read from the device for it but before a log entry, a picture or a checkpoint. Until then the weights may
become NaN, as they would have done anyway: what counts is the last checkpoint, and no later one is written.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from tfwarpgan.typing import Scalar, Tensor

# A scaled loss (float16) makes a step void now and then, and the scale is halved; from 2**15 it is nothing by then.
MOST_SKIPPED = 40


def all_finite(values: Sequence[Tensor]) -> Scalar:
    """Whether every number of some tensors is finite, in one pass: a sum with infinity or NaN in it is not."""
    return tf.math.is_finite(tf.add_n([tf.reduce_sum(value) for value in values]))


class FiniteWatch:
    """Counts for how many steps in a row each of some values has not been finite.

    Once it has not been `most` times in a row, it counts on, so that the first such step is known later too. Made in
    the scope of the strategy.

    Args:
        names: Of the values.
        most: Times in a row that are too many.
    """

    def __init__(self, names: Sequence[str], most: int = 1) -> None:
        self.names, self.most = tuple(names), most
        self.strategy = tf.distribute.get_strategy()
        self.counts = tf.Variable(
            tf.zeros([len(self.names)], tf.int32),
            trainable=False,
            synchronization=tf.VariableSynchronization.ON_READ,
            aggregation=tf.VariableAggregation.SUM,
        )

    def update(self, finite: Mapping[str, Scalar]) -> None:
        """Adds a step, in replica context: name -> whether its value was finite; those that are missing were."""
        values = tf.stack([tf.convert_to_tensor(finite.get(name, True)) for name in self.names])
        counts = self.counts.read_value()
        self.counts.assign(tf.where(values & (counts < self.most), tf.zeros_like(counts), counts + 1))

    def failed(self) -> tuple[list[str], int]:
        """The names of what was not finite first, and for how many steps by now; no names where all is well.

        All replicas and workers give the same: after one has had such a step, all have, since they share the weights.
        """
        with self.strategy.scope():
            counts = -(-np.asarray(self.counts.read_value()) // self.strategy.num_replicas_in_sync)
        longest = counts.max(initial=0)
        if longest < self.most:
            return [], 0
        return [name for name, count in zip(self.names, counts) if count == longest], int(longest)
