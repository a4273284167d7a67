"""What training draws at random in a network, for each row of a batch by its place in the batch of all replicas.

Philox numbers are counted (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011), so that a replica,
or a part of a batch, draws its own rows' alone: the numbers do not depend on how a batch is parted.

A seed is int32 [2]: the step, and which draw of the step it is, in the upper 11 bits, with the first row, in the lower
20.
"""

import itertools
from collections.abc import Callable, Iterator

import tensorflow as tf

from tfwarpgan.typing import Features, Tensor

_ROW_BITS, _PHILOX, _PER_COUNT = 20, 1, 4  # numbers that one count gives


def seeds_from(seed: Tensor | None) -> Iterator[Tensor | None]:
    """Endless seeds for what one pass draws at random, another one each; without `seed`, None each."""
    return (None if seed is None else seed + [0, number << _ROW_BITS] for number in itertools.count())


def dropout(features: Features, rate: float, seed: Tensor) -> Features:
    """[B, ...] with a share of `rate` set to 0, and the rest as much larger."""
    kept = _drawn(tf.raw_ops.StatelessRandomUniformV2, features, seed) >= rate
    return tf.where(kept, features / (1.0 - rate), tf.zeros_like(features))


def normal_around(mean: Features, seed: Tensor) -> Features:
    """A normal sample of deviation 1 around `mean` [B, ...]."""
    return mean + tf.cast(_drawn(tf.raw_ops.StatelessRandomNormalV2, mean, seed), mean.dtype)


def _drawn(distribution: Callable[..., Tensor], like: Features, seed: Tensor) -> Tensor:
    """float32 [B, ...] from one of `tf.raw_ops`."""
    shape = tf.shape(like)
    counts = -(-tf.reduce_prod(shape[1:]) // _PER_COUNT)  # of a row
    first = seed[1] % 2**_ROW_BITS
    key, counter = tf.raw_ops.StatelessRandomGetKeyCounter(seed=seed - [0, first])
    counter += tf.cast([first * counts, 0], tf.uint64)
    numbers = distribution(shape=[shape[0], counts * _PER_COUNT], key=key, counter=counter, alg=_PHILOX)
    return tf.reshape(numbers[:, : tf.reduce_prod(shape[1:])], shape)
