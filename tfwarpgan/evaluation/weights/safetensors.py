"""Tensors of safetensors files: a length, a JSON header of types, shapes and places, and the numbers."""

import json
import math
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

from tfwarpgan.errors import InputError
from tfwarpgan.typing import Array

MOST_HEADER = 100 << 20  # bytes, the format's own limit
DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "U8": "u1", "BF16": "<u2"}


def read_safetensors(path: str) -> dict[str, Array]:
    """The tensors of a file by name; bfloat16 becomes float32.

    Raises:
        InputError: If the file is damaged or holds another type of numbers.
    """
    try:
        with open(path, "rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > MOST_HEADER:
                raise ValueError("its header is too long")
            header = json.loads(file.read(length))
            numbers = file.read()
        header.pop("__metadata__", None)
        return {name: _array(entry, numbers) for name, entry in header.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
        raise InputError(f"{path} is not a whole safetensors file ({error}); fetch it again.") from None


def _array(entry: Mapping[str, Any], numbers: bytes) -> Array:
    kind, shape, (start, end) = str(entry["dtype"]), entry["shape"], entry["data_offsets"]
    dtype = np.dtype(DTYPES[kind])
    if not 0 <= start <= end <= len(numbers) or end - start != math.prod(shape) * dtype.itemsize:
        raise ValueError("a tensor reaches beyond its numbers")
    array = np.frombuffer(numbers[start:end], dtype).reshape(shape)
    if kind == "BF16":
        return (array.astype(np.uint32) << 16).view(np.float32)
    return array.copy()
