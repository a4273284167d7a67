"""Arrays as `TensorProto`s and back, by NumPy alone.

A client sends `tensor_content`, the array's own bytes. A server of TensorFlow Serving answers in typed fields, such as
`float_val`; on the wire that field is the array's bytes as well, behind a tag and a length, so that it is written and
read at the speed of a copy and not value by value. Whole numbers are varints there, which NumPy packs column by column.
"""

import importlib.util
import itertools
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from tfwarpgan.serving.wire.messages import DataType, TensorProto
from tfwarpgan.typing import Array

# A tensor may name a huge shape and hold a single value, which stands for all. It becomes a view of that value, so that
# a few bytes fill no memory before the request is admitted. Several values of which the last repeats need a copy.
LARGEST_VIEW = 256 * 2**20
LARGEST_COPY = 2**20
LARGEST_RANK = 32  # NumPy's before version 2
FIXED = {"float_val": np.float32, "double_val": np.float64, "scomplex_val": np.complex64, "dcomplex_val": np.complex128}
FIELDS = {
    **{"DT_FLOAT": ("f4", "float_val"), "DT_DOUBLE": ("f8", "double_val"), "DT_BOOL": ("?", "bool_val")},
    **{"DT_INT8": ("i1", "int_val"), "DT_INT16": ("i2", "int_val"), "DT_INT32": ("i4", "int_val")},
    **{"DT_UINT8": ("u1", "int_val"), "DT_UINT16": ("u2", "int_val"), "DT_INT64": ("i8", "int64_val")},
    **{"DT_UINT32": ("u4", "uint32_val"), "DT_UINT64": ("u8", "uint64_val"), "DT_HALF": ("f2", "half_val")},
    **{"DT_COMPLEX64": ("c8", "scomplex_val"), "DT_COMPLEX128": ("c16", "dcomplex_val")},
}
NUMPY = {DataType.Value(name): np.dtype(kind) for name, (kind, _) in FIELDS.items()}
FIELD_NAMES = {DataType.Value(name): field for name, (_, field) in FIELDS.items()}
STRING, BFLOAT16 = int(DataType.Value("DT_STRING")), int(DataType.Value("DT_BFLOAT16"))
FIELD_NAMES[BFLOAT16] = "half_val"
DATA_TYPES: dict[np.dtype[Any], int] = {dtype: number for number, dtype in NUMPY.items()}
NUMBERS = {field.name: field.number for field in TensorProto.DESCRIPTOR.fields}


def to_proto(array: npt.ArrayLike) -> TensorProto:
    """The `TensorProto` of an array: its bytes as `tensor_content`, strings as `string_val`.

    Args:
        array: Numbers of any type, or strings: NumPy's, or bytes and str as objects or in lists.

    Raises:
        TypeError: If a tensor cannot hold its type.
    """
    array = as_array(array)
    proto = _header(array)
    if proto.dtype == STRING:
        proto.string_val.extend(_bytes(array))
    else:
        proto.tensor_content = np.ascontiguousarray(array).tobytes()
    return proto


def as_array(value: npt.ArrayLike) -> Array:
    """The array of a value, where bytes and text become objects.

    NumPy's own strings all have the room of the longest, and lose zeros at their end.

    Raises:
        ValueError: If nested lists differ in their lengths.
    """
    leaves: list[Any] = [value]
    shape: list[int] = []
    while leaves and all(isinstance(leaf, list | tuple) for leaf in leaves):
        lengths = {len(leaf) for leaf in leaves}
        if len(lengths) > 1:
            raise ValueError(f"lists of {min(lengths)} and {max(lengths)} elements are an inhomogeneous array")
        shape += lengths
        leaves = list(itertools.chain.from_iterable(leaves))
    if not any(issubclass(kind, bytes | str) for kind in set(map(type, leaves))):
        return np.asarray(value)
    array = np.empty(len(leaves), object)
    array[:] = leaves
    return array.reshape(shape)


def to_wire(array: npt.ArrayLike) -> bytes:
    """The serialized `TensorProto` of an array in typed fields, as TensorFlow Serving answers."""
    array = as_array(array)
    header = _header(array)
    if header.dtype == STRING:
        header.string_val.extend(_bytes(array))
        return bytes(header.SerializeToString())
    name = FIELD_NAMES[header.dtype]
    if name in FIXED:
        values = np.ascontiguousarray(array).tobytes()
    else:
        values = _pack_varints(array.view(np.uint16) if name == "half_val" else array)
    return bytes(header.SerializeToString()) + (delimited(NUMBERS[name], values) if values else b"")


def delimited(number: int, content: bytes | memoryview) -> bytes:
    """A field of bytes, or of anything whose bytes are known, as it is on the wire.

    Args:
        number: Of the field.
        content: Bytes.
    """
    return b"".join([_varint(number << 3 | 2), _varint(len(content)), content])


def data_type(array: Array) -> int:
    """The `DataType` of an array; DT_INVALID where a tensor cannot hold its values."""
    if array.dtype.kind in "OSU":
        return STRING
    return BFLOAT16 if array.dtype.name == "bfloat16" else DATA_TYPES.get(array.dtype, 0)


def from_proto(proto: TensorProto) -> Array:
    """The array of a `TensorProto`; strings are bytes in an array of objects. It may be read-only.

    Brain floats need the package ml_dtypes, which comes with TensorFlow; without it they become float32.

    Raises:
        ValueError: If the message is not a tensor: invalid type or shape, too little or too much content.
    """
    shape = tuple(dim.size for dim in proto.tensor_shape.dim)
    size = math.prod(shape)
    if proto.tensor_shape.unknown_rank or len(shape) > LARGEST_RANK or min(shape, default=0) < 0:
        raise ValueError(f"{list(shape)} is no shape of a tensor")
    if proto.dtype == STRING:
        return _strings(proto, size).reshape(shape)
    if proto.dtype not in FIELD_NAMES:
        raise ValueError(f"tensors of {proto.dtype} are not supported")
    dtype = NUMPY.get(proto.dtype, np.dtype(np.uint16))
    if proto.tensor_content:
        if len(proto.tensor_content) != size * dtype.itemsize:
            raise ValueError(f"{len(proto.tensor_content)} bytes are not {size} values of {dtype}")
        if dtype.kind == "b":  # any other byte would be neither true nor false
            values = np.frombuffer(proto.tensor_content, np.uint8) != 0
        else:
            values = np.frombuffer(proto.tensor_content, dtype.newbyteorder("<"))
    else:
        values = _filled(_typed(proto, dtype), size, dtype)
    return (values if proto.dtype != BFLOAT16 else _brain_floats(values)).reshape(shape)


def _header(array: Array) -> TensorProto:
    proto = TensorProto(dtype=data_type(array))
    if not proto.dtype:
        raise TypeError(f"A tensor cannot hold values of type {array.dtype}.")
    proto.tensor_shape.SetInParent()
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    return proto


def _bytes(array: Array) -> list[bytes]:
    values = array.ravel().tolist()
    for kind in set(map(type, values)):
        if not issubclass(kind, str | bytes | bytearray):
            raise TypeError(f"A tensor of strings cannot hold values of type {kind.__name__}.")
    return [value.encode() if isinstance(value, str) else bytes(value) for value in values]


def _brain_floats(bits: Array) -> Array:
    if importlib.util.find_spec("ml_dtypes"):
        import ml_dtypes

        return bits.view(ml_dtypes.bfloat16)
    return (bits.astype(np.uint32) << 16).view(np.float32)


def _strings(proto: TensorProto, size: int) -> Array:
    values = list(proto.string_val) or _packed_strings(proto.tensor_content, size)
    if len(values) < size and size > LARGEST_COPY // 8:
        raise ValueError(f"a tensor of {size} strings holds {len(values)}")
    values = values[:size] + values[-1:] * (size - len(values))
    array = np.empty(size, object)
    array[:] = values or b""
    return array


def _packed_strings(content: bytes, size: int) -> list[bytes]:
    """The strings of a `tensor_content`: all lengths as varints, then all bytes."""
    data = np.frombuffer(content, np.uint8)
    if not size or not content:
        return []
    ends = np.flatnonzero(data < 128)[:size]
    if len(ends) < size:
        raise ValueError("lengths of strings are missing")
    start = int(ends[-1]) + 1
    stops = start + np.cumsum(_unpack_varints(data[:start]).astype(np.int64))
    if stops[-1] != len(content) or np.any(np.diff(stops) < 0):
        raise ValueError("the lengths of the strings are not those of the content")
    return [content[begin:stop] for begin, stop in zip([start, *stops[:-1].tolist()], stops.tolist())]


def _filled(values: Array, size: int, dtype: np.dtype[Any]) -> Array:
    """As many values as the shape names: the last one stands for those that follow, zero where there is none."""
    if len(values) >= size:
        return values[:size]
    if size * dtype.itemsize > (LARGEST_VIEW if len(values) < 2 else LARGEST_COPY):
        raise ValueError(f"a tensor of {size} values holds {len(values)}")
    if len(values) < 2:
        return np.broadcast_to(values[0] if len(values) else dtype.type(), size)
    return np.concatenate([values, np.full(size - len(values), values[-1], dtype)])


def _typed(proto: TensorProto, dtype: np.dtype[Any]) -> Array:
    """The values of the typed field that belongs to the tensor's type."""
    name = FIELD_NAMES[proto.dtype]
    field = getattr(proto, name)
    if hasattr(field, "__array__"):  # later protobufs give the values at once
        values = np.asarray(field)
    else:
        data = np.frombuffer(_packed_field(proto, name), np.uint8)
        values = data if name in FIXED else _unpack_bytes(data) if dtype == np.uint8 else _unpack_varints(data)
    if name in FIXED:
        return values.view(FIXED[name])
    if name == "half_val":
        return values.astype(np.uint16).view(dtype)
    return values.astype(dtype)


def _packed_field(proto: TensorProto, name: str) -> bytes | memoryview:
    """The bytes of a packed field on the wire; serializing copies them, while reading them one by one is slow."""
    data = memoryview(proto.SerializeToString())
    position = 0
    while position < len(data):
        tag, position = _read_varint(data, position)
        if tag & 7 == 0:
            _, position = _read_varint(data, position)
            continue
        length, position = _read_varint(data, position) if tag & 7 == 2 else ({1: 8, 5: 4}[tag & 7], position)
        if tag == NUMBERS[name] << 3 | 2:
            return data[position : position + length]
        position += length
    return b""


def _varint(number: int) -> bytes:
    data = bytearray()
    while number >= 128:
        data.append(number & 127 | 128)
        number >>= 7
    data.append(number)
    return bytes(data)


def _read_varint(data: memoryview, position: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[position]
        position += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, position
        shift += 7


def _pack_varints(values: Array) -> bytes:
    """Varints of whole numbers: their n-th bytes are column n; the columns that a number has are kept, row by row."""
    if not values.size:
        return b""
    if values.dtype == np.uint8:
        return _pack_bytes(values.ravel())
    rest = values.ravel().astype(np.int64).view(np.uint64) if values.dtype != np.uint64 else values.ravel()
    columns: list[Array] = []
    kept = [np.ones(rest.size, bool)]
    while True:
        low, rest = (rest & 127).astype(np.uint8), rest >> 7
        more = rest > 0
        columns.append(low | (more.view(np.uint8) << 7))
        if not more.any():
            return bytes(np.stack(columns, 1)[np.stack(kept, 1)].tobytes())
        kept.append(more)


def _pack_bytes(values: Array) -> bytes:
    """Varints of bytes, for images: a 1 follows each that has its highest bit set."""
    shifts = np.cumsum(values >= 128)
    packed = np.ones(values.size + int(shifts[-1]), np.uint8)
    positions = np.arange(values.size)
    positions[1:] += shifts[:-1]
    packed[positions] = values
    return packed.tobytes()


def _unpack_bytes(data: npt.NDArray[np.uint8]) -> Array:
    """The bytes whose varints these are; or whole numbers, should one be none."""
    first = np.ones(data.size, bool)
    np.less(data[:-1], 128, out=first[1:])
    values = data[np.flatnonzero(first)]
    follow = np.count_nonzero(~first & (data == 1))
    return values if values.size + follow == data.size else _unpack_varints(data)


def _unpack_varints(data: npt.NDArray[np.uint8]) -> Array:
    """Whole numbers (uint64, negative ones in two's complement) from the bytes of their varints."""
    ends = np.flatnonzero(data < 128)
    starts = np.concatenate([[0], ends[:-1] + 1])[: len(ends)]
    lengths = ends - starts + 1
    values = np.zeros(len(ends), np.uint64)
    for column in range(lengths.max(initial=0)):
        longer = lengths > column
        bits = (data[starts[longer] + column] & 127).astype(np.uint64)
        values[longer] |= bits << np.uint64(7 * column)
    return values
