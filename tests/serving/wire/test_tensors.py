"""Arrays and tensors of the wire, against TensorFlow's own conversion."""

import time
import tracemalloc

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

from tfwarpgan.serving.wire import messages, tensors

NUMBERS = ["float32", "float64", "float16", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
TYPES = [*NUMBERS, "bool", "complex64", "complex128", "bfloat16"]


def array_of(name):
    dtype = tf.dtypes.as_dtype(name).as_numpy_dtype
    if np.dtype(dtype).kind in "iu":
        limits = np.iinfo(dtype)
        return np.array([[0, 1, 127], [limits.max, limits.min, limits.max // 3]], dtype)
    if name == "bool":
        return np.array([[True, False, True], [False, True, True]])
    values = np.array([[0, -1.5, 0.1], [1e4, np.inf, np.nan]])
    return (values * (1 + 2j) if "complex" in name else values).astype(dtype)


def theirs(proto):
    return tensor_pb2.TensorProto.FromString(proto if isinstance(proto, bytes) else proto.SerializeToString())


def ours(proto):
    return messages.TensorProto.FromString(proto.SerializeToString())


def same(first, second):
    return first.dtype == second.dtype and first.shape == second.shape and first.tobytes() == second.tobytes()


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_each_type_is_what_tensorflow_makes_of_it(name):
    full = array_of(name)
    for array in (full, full[:, :2], full[:0], full[1, 2]):  # neither contiguous, nor full, nor with a rank
        for wire in (tensors.to_proto(array).SerializeToString(), tensors.to_wire(array)):
            assert same(tf.make_ndarray(theirs(wire)), np.ascontiguousarray(array).reshape(array.shape))
            assert same(tensors.from_proto(messages.TensorProto.FromString(wire)), array)
    assert tensors.from_proto(ours(tf.make_tensor_proto(array_of(name)))).tobytes() == array_of(name).tobytes()


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_typed_fields_of_tensorflow_are_read(name):
    array = array_of(name).ravel()
    proto = theirs(tensors.to_wire(array))
    assert not proto.tensor_content
    assert same(tf.io.parse_tensor(proto.SerializeToString(), tf.dtypes.as_dtype(name)).numpy(), array)
    assert same(tensors.from_proto(ours(proto)), array)


def test_floats_are_answered_in_float_val():
    proto = messages.TensorProto.FromString(tensors.to_wire(np.float32([[1, 2]])))
    assert list(proto.float_val) == [1, 2] and [dim.size for dim in proto.tensor_shape.dim] == [1, 2]
    assert list(messages.TensorProto.FromString(tensors.to_wire(np.int8([-1, 5]))).int_val) == [-1, 5]


def test_numbers_that_are_no_bytes_wrap_around_as_in_tensorflow():
    proto = messages.TensorProto(dtype=4, int_val=[200, 3, 256 + 7, -1, 2**31 - 1], tensor_shape={"dim": [{"size": 5}]})
    assert tensors.from_proto(proto).tolist() == [200, 3, 7, 255, 255]
    assert tf.io.parse_tensor(proto.SerializeToString(), tf.uint8).numpy().tolist() == [200, 3, 7, 255, 255]


@pytest.mark.parametrize("array", [np.array([b"a", b"\x00\xff", b""], object), np.array(["é", "b"]), np.array(b"one")])
def test_strings(array):
    expected = [value.encode() if isinstance(value, str) else value for value in array.ravel().tolist()]
    for wire in (tensors.to_proto(array).SerializeToString(), tensors.to_wire(array)):
        assert tf.make_ndarray(theirs(wire)).ravel().tolist() == expected
        read = tensors.from_proto(messages.TensorProto.FromString(wire))
        assert read.shape == array.shape and read.ravel().tolist() == expected


ZEROS = [b"a\0\0", b"\0", b"", "é\0"]


@pytest.mark.parametrize(
    "value", [ZEROS, tuple(ZEROS), [ZEROS, ZEROS[::-1]], [[]], b"a\0", "a\0", [np.array(ZEROS, object)]]
)
def test_lists_of_bytes_are_kept_as_they_are(value):
    expected = np.vectorize(lambda x: x.encode() if isinstance(x, str) else x, [object])(np.array(value, object))
    for wire in (tensors.to_proto(value).SerializeToString(), tensors.to_wire(value)):
        read = tensors.from_proto(messages.TensorProto.FromString(wire))
        assert read.tolist() == expected.tolist()


def test_a_long_string_does_not_make_the_short_ones_long():
    strings = [b"x" * 2**23] + [b"short"] * 200
    for convert in (tensors.to_proto, tensors.to_wire):
        tracemalloc.start()
        convert(strings)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 5 * 2**23


@pytest.mark.parametrize("value", [[b"a", 3], [3, b"a"], [b"a", None], [b"a", [b"b"]], np.array([10**9, b"a"], object)])
def test_what_is_no_string_beside_strings_is_refused(value):
    with pytest.raises((TypeError, ValueError), match="string|inhomogeneous"):
        tensors.to_proto(value)


def test_strings_in_the_content():
    content = bytes([2, 0x80 | 2, 1]) + b"ab" + b"c" * 130
    proto = messages.TensorProto(dtype=7, tensor_content=content, tensor_shape={"dim": [{"size": 2}]})
    assert tensors.from_proto(proto).tolist() == [b"ab", b"c" * 130]
    assert tf.io.parse_tensor(proto.SerializeToString(), tf.string).numpy().tolist() == [b"ab", b"c" * 130]
    for broken in (content[:-1], content + b"x", content[:1]):
        proto.tensor_content = broken
        with pytest.raises(ValueError, match="lengths"):
            tensors.from_proto(proto)


def test_the_last_value_stands_for_those_that_follow():
    shape = {"dim": [{"size": 2}, {"size": 2}]}
    cases = (([], [0, 0, 0, 0]), ([3], [3, 3, 3, 3]), ([1, 2], [1, 2, 2, 2]), ([1, 2, 3, 4, 5], [1, 2, 3, 4]))
    for values, expected in cases:
        proto = messages.TensorProto(dtype=1, float_val=values, tensor_shape=shape)
        assert tensors.from_proto(proto).ravel().tolist() == expected
        assert tf.io.parse_tensor(proto.SerializeToString(), tf.float32).numpy().ravel().tolist() == expected
    proto = messages.TensorProto(dtype=7, string_val=[b"a"], tensor_shape=shape)
    assert tensors.from_proto(proto).tolist() == [[b"a", b"a"], [b"a", b"a"]]


@pytest.mark.parametrize("dtype, field", [(1, "float_val"), (4, "int_val"), (14, "half_val"), (19, "half_val")])
def test_one_value_fills_no_memory_however_large_the_shape(dtype, field):
    shape = {"dim": [{"size": 25}, {"size": 10**6}]}
    array = tensors.from_proto(messages.TensorProto(dtype=dtype, tensor_shape=shape, **{field: [1]}))
    assert array.shape == (25, 10**6) and array.strides == (0, 0) and array[24, -1] == array[0, 0] != 0
    with pytest.raises(ValueError, match="25000000 values holds 2"):
        tensors.from_proto(messages.TensorProto(dtype=dtype, tensor_shape=shape, **{field: [1, 1]}))


@pytest.mark.parametrize(
    "broken",
    [
        {"dtype": 0},
        {"dtype": 20},
        {"dtype": 1, "tensor_shape": {"unknown_rank": True}},
        {"dtype": 1, "tensor_shape": {"dim": [{"size": -1}]}},
        {"dtype": 1, "tensor_shape": {"dim": [{"size": 1}] * 33}},
        {"dtype": 1, "tensor_shape": {"dim": [{"size": 2**40}, {"size": 2**40}]}, "float_val": [1]},
        {"dtype": 7, "tensor_shape": {"dim": [{"size": 2**40}]}, "string_val": [b"a"]},
        {"dtype": 1, "tensor_shape": {"dim": [{"size": 3}]}, "tensor_content": b"12345678"},
        {"dtype": 4, "tensor_shape": {"dim": [{"size": 3}]}, "tensor_content": b"12345678"},
    ],
)
def test_what_is_no_tensor_is_refused(broken):
    with pytest.raises(ValueError):
        tensors.from_proto(messages.TensorProto(**broken))


def test_what_no_tensor_holds_is_refused():
    with pytest.raises(TypeError, match="datetime64"):
        tensors.to_proto(np.zeros(2, "datetime64[s]"))


@pytest.mark.parametrize("array", [np.zeros([8, 256, 176, 3], np.float32), np.full([8, 128, 64, 3], 200, np.uint8)])
def test_packing_is_far_faster_than_value_by_value(array):
    def seconds(function):
        times = []
        for _ in range(3):
            start = time.perf_counter()
            function()
            times.append(time.perf_counter() - start)
        return min(times)

    field = "float_val" if array.dtype == np.float32 else "int_val"
    wire = tensors.to_wire(array)
    slow = seconds(lambda: messages.TensorProto(**{field: array.ravel().tolist()}))
    assert seconds(lambda: tensors.to_wire(array)) < slow
    proto = messages.TensorProto.FromString(wire)
    assert seconds(lambda: tensors.from_proto(proto)) < seconds(lambda: np.array(list(getattr(proto, field))))
