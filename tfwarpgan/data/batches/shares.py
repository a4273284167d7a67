"""Which examples of the training stream each worker reads, where several train one run.

The stream is the same for any number of workers, and so is the batch of each step: a worker reads its part of every
batch, in the order of the workers. A run may therefore go on with more or fewer of them, exactly where it was.
"""

import dataclasses

import tensorflow as tf

from tfwarpgan.typing import Tensor


@dataclasses.dataclass(frozen=True)
class Share:
    """The part of each batch that one of several workers reads.

    Attributes:
        worker: Its number, from 0.
        workers: How many there are; they divide the batch.
    """

    worker: int = 0
    workers: int = 1

    def size(self, batch_size: int) -> int:
        """Examples of a batch that are this worker's."""
        return batch_size // self.workers

    def holds(self, position: Tensor, batch_size: int) -> Tensor:
        """Whether the example at a position of the stream, counted from the start of a batch, is this worker's.

        Args:
            position: Integers, of any shape.
            batch_size: Of all workers together.

        Returns:
            bool, of the same shape.
        """
        return position % batch_size // self.size(batch_size) == self.worker

    def positions(self, number: Tensor, batch_size: int) -> Tensor:
        """The positions of this worker's examples in the batch of that number, int64 [size]."""
        size = self.size(batch_size)
        return number * batch_size + self.worker * size + tf.range(size, dtype=tf.int64)

    def of(self, examples: tf.data.Dataset, batch_size: int) -> tf.data.Dataset:
        """This worker's examples of a stream that begins with a batch."""
        if self.workers == 1:
            return examples
        held = examples.enumerate().filter(lambda position, example: self.holds(position, batch_size))
        return held.map(lambda position, example: example)


WHOLE = Share()
