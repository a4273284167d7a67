"""The sampling paths against hand-computed values, a scalar reference, the peer kernel and one another."""

import contextlib

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.compat import tensorflow_addons
from tfwarpgan.layers import sampling
from tfwarpgan.layers.sampling import core_ops_only, sample, sample_by_gather, sample_by_matrix, sample_by_resampler

needs_addons = pytest.mark.skipif(tensorflow_addons is None, reason="tensorflow-addons does not exist for this Python")
PATHS = [sample, sample_by_matrix, sample_by_gather, pytest.param(sample_by_resampler, marks=needs_addons)]
all_paths = pytest.mark.parametrize("path", PATHS)


def scalar_sample(features, x, y):
    """The definition, for one position of one sample: NumPy float64 [H, W, C], normalized x and y."""
    height, width, _ = features.shape
    u = min(max((x + 1) / 2 * (width - 1), 0), width - 1)
    v = min(max((y + 1) / 2 * (height - 1), 0), height - 1)
    total = np.zeros(features.shape[2])
    for i in range(height):
        for j in range(width):
            total += max(0, 1 - abs(v - i)) * max(0, 1 - abs(u - j)) * features[i, j]
    return total


def random_case(shape=(3, 5, 7, 4), grid_size=(6, 8), reach=1.4, dtype="float32", seed=0):
    """Features and a grid that leaves them on all sides."""
    random = np.random.default_rng(seed)
    grid = random.uniform(-reach, reach, [shape[0], *grid_size, 2])
    return tf.constant(random.normal(size=shape), dtype), tf.constant(grid, dtype)


@all_paths
def test_hand_computed(path):
    features = tf.constant([[[[0.0], [1.0], [2.0]], [[10.0], [11.0], [12.0]]]])  # 2 rows, 3 columns
    positions = {
        (-1, -1): 0, (1, -1): 2, (-1, 1): 10, (1, 1): 12, (0, 0): 6, (0.5, -1): 1.5, (-1, -0.5): 2.5,
        (-7, -1): 0, (7, 9): 12, (0, -3): 1, (3, 0): 7,
    }  # fmt: skip
    grid = tf.constant([[list(positions)]], tf.float32)
    np.testing.assert_allclose(path(features, grid)[0, 0, :, 0], list(positions.values()), atol=1e-6)


@all_paths
def test_scalar_reference_at_random_positions(path):
    features, grid = random_case()
    sampled = path(features, grid)
    assert sampled.shape == (3, 6, 8, 4)
    for b, i, j in np.random.default_rng(1).integers([3, 6, 8], size=[40, 3]):
        expected = scalar_sample(features[b].numpy().astype("float64"), *grid[b, i, j].numpy())
        np.testing.assert_allclose(sampled[b, i, j], expected, atol=1e-5)


@all_paths
@pytest.mark.parametrize("size", [(5, 7), (1, 4), (4, 1), (1, 1)])
def test_identity(path, size):
    features = tf.random.normal([2, *size, 3])
    x, y = np.meshgrid(np.linspace(-1, 1, size[1]), np.linspace(-1, 1, size[0]))
    grid = tf.constant(np.stack([x, y], -1)[None].repeat(2, 0), tf.float32)
    np.testing.assert_allclose(path(features, grid), features, atol=1e-5)


@all_paths
def test_one_row_ignores_y(path):
    features = tf.constant([[[[0.0], [4.0]]]])
    grid = tf.constant([[[[0.0, -1.0], [0.5, 0.3], [2.0, 5.0]]]])
    np.testing.assert_allclose(path(features, grid)[0, 0, :, 0], [2, 3, 4], atol=1e-6)


@all_paths
def test_numeric_gradients(path):
    features, grid = random_case((1, 4, 5, 2), (3, 3), dtype="float64")
    place = (grid.numpy() + 1) / 2 * [4, 3]
    assert np.abs(place - place.round()).min() > 1e-3  # away from the kinks, where there is no derivative
    for theory, numeric in zip(*tf.test.compute_gradient(path, [features, grid], delta=1e-5)):
        np.testing.assert_allclose(theory, numeric, atol=1e-7)
        assert np.abs(theory).max() > 0.1


@all_paths
def test_gradients_at_kinks_are_those_to_the_right(path):
    features = tf.constant([[[[0.0], [1.0], [5.0]]]])
    grid = tf.constant([[[[-2.0, 0], [-1.0, 0], [0.0, 0], [1.0, 0], [2.0, 0]]]])
    with tf.GradientTape() as tape:
        tape.watch(grid)
        sampled = path(features, grid)
    np.testing.assert_allclose(tape.gradient(sampled, grid)[0, 0, :, 0], [0, 1, 4, 0, 0], atol=1e-6)


@pytest.mark.parametrize("path", PATHS[2:])
@pytest.mark.parametrize("reach", [0.9, 1.0, 3.0])
def test_paths_agree(path, reach):
    features, grid = random_case((2, 9, 6, 5), (9, 6), reach)
    grid = tf.concat([grid, tf.round(grid)], axis=1)  # and at the kinks
    upstream = tf.random.normal([2, 18, 6, 5])

    def run(function):
        with tf.GradientTape() as tape:
            tape.watch([features, grid])
            sampled = function(features, grid)
        return [sampled, *tape.gradient(sampled, [features, grid], upstream)]

    for expected, actual in zip(run(sample_by_matrix), run(path)):
        np.testing.assert_allclose(actual, expected, atol=1e-5, rtol=1e-5)


@needs_addons
def test_peer_resampler_in_pixels():
    features, grid = random_case(reach=1.0)
    pixels = (grid + 1) / 2 * tf.constant([6.0, 4.0])
    expected = tensorflow_addons.image.resampler(features, pixels)
    np.testing.assert_allclose(sample_by_gather(features, grid), expected, atol=1e-5)


@all_paths
def test_graph_equals_eager_with_unknown_batch(path):
    features, grid = random_case()
    graph = tf.function(
        path, input_signature=[tf.TensorSpec([None, 5, 7, 4], tf.float32), tf.TensorSpec([None, 6, 8, 2], tf.float32)]
    )
    assert graph.get_concrete_function().output_shapes.as_list() == [None, 6, 8, 4]
    np.testing.assert_allclose(graph(features, grid), path(features, grid), atol=1e-6)
    assert graph(features[:1], grid[:1]).shape[0] == 1
    assert graph(features[:0], grid[:0]).shape == (0, 6, 8, 4)


@all_paths
def test_unknown_sizes(path):
    spec = tf.TensorSpec([None] * 4, tf.float32), tf.TensorSpec([None, None, None, 2], tf.float32)
    graph = tf.function(path, input_signature=spec)
    for shape in [(3, 5, 7, 4), (1, 12, 2, 1)]:
        features, grid = random_case(shape)
        np.testing.assert_allclose(graph(features, grid), path(features, grid), atol=1e-6)


@all_paths
@pytest.mark.parametrize("dtype, tolerance", [("float16", 2e-3), ("bfloat16", 2e-2), ("float64", 1e-4)])
def test_dtypes(path, dtype, tolerance):
    features, grid = random_case((2, 4, 120, 2), (3, 50))
    features = tf.cast(features, dtype)
    with tf.GradientTape() as tape:
        tape.watch([features, grid])
        sampled = path(features, grid)
    assert sampled.dtype == features.dtype
    gradients = tape.gradient(sampled, [features, grid])
    assert [gradient.dtype for gradient in gradients] == [features.dtype, grid.dtype]
    expected = sample_by_gather(tf.cast(features, tf.float32), grid)
    np.testing.assert_allclose(tf.cast(sampled, tf.float32), expected, atol=tolerance, rtol=tolerance)


def test_not_a_number_stays_inside():
    grid = tf.constant([[[[np.nan, 0.0], [0.0, np.inf]]]], tf.float32)
    sampled = sample_by_gather(tf.ones([1, 3, 3, 1]), grid)
    assert np.isnan(sampled[0, 0, 0, 0]) and sampled[0, 0, 1, 0] == 1


def operations(shape, *, inside_context=False, **arguments):
    """Kinds of all operations of a traced `sample`, those of the functions that it calls among them."""

    def traced(features, grid):
        return sample(features, grid, **arguments)

    specs = tf.TensorSpec(shape, tf.float32), tf.TensorSpec([None, 4, 4, 2], tf.float32)
    with core_ops_only() if inside_context else contextlib.nullcontext():
        graph = tf.function(traced).get_concrete_function(*specs).graph.as_graph_def()
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    return {node.op for node in nodes}


def is_addons(operation):
    return operation.startswith("Addons")


def test_small_features_are_a_matrix_product():
    assert "BatchMatMulV2" in operations([None, 16, 8, 512])
    assert "BatchMatMulV2" not in operations([None, 16, 9, 512])
    assert "BatchMatMulV2" not in operations([None, None, 8, 512])


@needs_addons
def test_resampler_only_where_it_is_fast_and_allowed():
    assert any(map(is_addons, operations([None, 64, 64, 3])))
    assert not any(map(is_addons, operations([None, 64, 64, 512])))


@pytest.mark.parametrize("shape", [[None, 8, 8, 3], [None, 64, 64, 3], [None, None, None, None]])
def test_core_ops_only(shape):
    assert not any(map(is_addons, operations(shape, inside_context=True)))
    assert not any(map(is_addons, operations(shape, core_ops=True)))


def test_core_ops_only_nests_and_closes_on_errors():
    with pytest.raises(KeyError), core_ops_only():
        with core_ops_only():
            pass
        assert sampling._core_ops_depth == 1
        raise KeyError
    assert sampling._core_ops_depth == 0


@pytest.mark.parametrize("shape", [(2, 8, 8, 3), (2, 20, 20, 3)])
def test_compiled_by_xla(shape):
    features, grid = random_case(shape)
    with core_ops_only():
        compiled = tf.function(sample, jit_compile=True)(features, grid)
    np.testing.assert_allclose(compiled, sample(features, grid), atol=1e-5)


@pytest.mark.parametrize(
    "features, grid, words",
    [
        (np.zeros([1, 2, 2, 1], "uint8"), np.zeros([1, 2, 2, 2], "float32"), "must be floating"),
        (np.zeros([2, 2, 1], "float32"), np.zeros([1, 2, 2, 2], "float32"), r"\[B, H, W, C\]"),
        (np.zeros([1, 2, 2, 1], "float32"), np.zeros([1, 2, 2, 3], "float32"), r"\[B, h, w, 2\]"),
        (np.zeros([3, 2, 2, 1], "float32"), np.zeros([2, 2, 2, 2], "float32"), "same batch size"),
    ],
)
@all_paths
def test_refusals(path, features, grid, words):
    with pytest.raises(ValueError, match=words):
        path(features, grid)


@pytest.mark.skipif(tensorflow_addons is not None, reason="tensorflow-addons is installed")
def test_resampler_without_addons():
    with pytest.raises(ValueError, match="not installed"):
        sample_by_resampler(*random_case())
