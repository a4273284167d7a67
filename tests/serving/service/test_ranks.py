"""Which ranks a graph takes, as its shape functions know it; what convolutions do not take ends a process."""

import pytest
import tensorflow as tf

from tfwarpgan.serving.service.ranks import Ranks


def convolved(x):
    return tf.nn.conv2d(x, tf.ones([3, 3, 3, 3]), 1, "SAME")


GRAPHS = {
    "by itself": convolved,
    "called": tf.function(lambda x: tf.function(convolved)(x)),
    "in a branch": tf.function(lambda x: tf.cond(tf.size(x) > 1, lambda: convolved(x), lambda: x)),
    "in a loop": tf.function(lambda x: tf.while_loop(lambda i, _: i < 2, lambda i, x: (i + 1, convolved(x)), [0, x])),
    "row by row": tf.function(lambda x: tf.map_fn(lambda row: convolved(row[None])[0], x)),
}


def fitting(function, shape, fetch="y:0"):
    """The ranks up to 5 that the graph of a function takes for an input that is declared with a shape."""
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, shape, "x")
        tf.identity(tf.nest.flatten(function(x))[-1], "y")
        tf.identity(convolved(tf.zeros([1, 2, 2, 3])), "other")
    ranks = Ranks(graph.as_graph_def)
    return [rank for rank in range(6) if ranks.fit(frozenset({("x:0", x.dtype.as_datatype_enum, rank)}), (fetch,))]


@pytest.mark.parametrize("shape", [[None, 8, 8, 3], None], ids=["declared", "of any rank"])
@pytest.mark.parametrize("where", [name for name in GRAPHS if name != "row by row"])
def test_a_convolution_takes_its_rank_alone_wherever_it_is(where, shape):
    assert fitting(GRAPHS[where], shape) == [4]


def test_a_convolution_of_each_row():
    assert fitting(GRAPHS["row by row"], [None, 8, 8, 3]) == [4]


def test_what_takes_any_rank():
    halved = tf.function(lambda x: tf.cond(tf.size(x) > 1, lambda: x / 2, lambda: x))
    assert fitting(halved, [None, 1]) == fitting(lambda x: x * 2, [None, 1]) == list(range(6))


def test_an_ensured_shape():
    assert fitting(tf.function(lambda x: tf.ensure_shape(x, [None, 3]) * 2), [None, 3]) == [2]


def test_only_what_is_fetched_counts():
    assert fitting(convolved, [None, 8, 8, 3], "other:0") == list(range(6))


def test_what_is_fed_in_the_middle_is_not_computed():
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [None, 8, 8, 3])
        middle = convolved(x)
        y = middle * 2
    assert Ranks(graph.as_graph_def).fit(frozenset({(middle.name, tf.float32.as_datatype_enum, 1)}), (y.name,))
