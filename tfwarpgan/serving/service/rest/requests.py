"""Requests in JSON: arrays by row (`instances`) or by column (`inputs`), in the form of TensorFlow Serving's REST API.

Bytes are `{"b64": "..."}`.
"""

import base64
import binascii
import itertools
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from tfwarpgan.serving.wire import messages, tensors
from tfwarpgan.serving.wire.statuses import ServingError
from tfwarpgan.typing import Array

B64 = "b64"
MOST_SHOWN = 200  # characters


def parsed(body: bytes | str) -> dict[str, Any]:
    """The object of a request's body.

    Raises:
        ServingError: If it is malformed.
    """
    try:
        text = body if isinstance(body, str) else body.decode("utf-8-sig")
        document = json.loads(text)
        if "\\ud" in text.lower():
            json.dumps(document, ensure_ascii=False).encode()  # half of a surrogate pair is no text
    except UnicodeEncodeError:
        raise invalid("JSON Parse error: The surrogate pair in string is invalid.") from None
    except (ValueError, RecursionError) as problem:
        raise invalid(f"JSON Parse error: {problem}") from None
    if not isinstance(document, dict):
        raise invalid(f"JSON Value: {shown(document)} Is not object")
    return document


def signature_name(document: dict[str, Any]) -> str:
    """The name of the signature that a request asks for, or an empty string."""
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise invalid(
            f"JSON Value: {shown(document)} not formatted correctly. 'signature_name' key must be a string value."
        )
    return name


def inputs(document: dict[str, Any], infos: Mapping[str, messages.TensorInfo]) -> tuple[dict[str, Array], bool]:
    """The arrays of a request to predict.

    Args:
        document: The request.
        infos: `TensorInfo`s by name of the signature's inputs.

    Returns:
        (arrays, by_row): dictionary by name, and whether the request, and so its answer, is by row.

    Raises:
        ServingError: If the request does not fit the inputs.
    """
    by_row = "instances" in document
    if by_row and "inputs" in document:
        raise invalid(
            f"JSON Value: {shown(document)} Not formatted correctly expecting only one of 'inputs' or "
            "'instances' keys to exist"
        )
    if by_row:
        columns = _columns(document["instances"], infos)
    elif "inputs" in document:
        columns = _by_name(document["inputs"], infos)
    else:
        raise invalid("Missing 'inputs' or 'instances' key")
    return {name: _array(values, infos[name].dtype) for name, values in columns.items()}, by_row


def _columns(instances: Any, infos: Mapping[str, messages.TensorInfo]) -> dict[str, Any]:
    """The values of each input from a list of rows: objects with a value for each input, or bare values for one."""
    if not isinstance(instances, list):
        raise invalid(f"JSON Value: {shown(instances)} Excepting 'instances' to be an list/array")
    if not instances:
        raise invalid("JSON Value: [] No values in 'instances' array")
    named = [_is_object(instance) for instance in instances]
    if not named[0] and len(infos) > 1:
        raise invalid(
            "instances is a plain list, but expecting list of objects as multiple input tensors required as per "
            "tensorinfo_map"
        )
    if all(named) != any(named):
        got = "object but got list" if named[0] else "value/list but got object"
        raise invalid(f"Expecting {got} at item {named.index(not named[0])} of input list")
    if not named[0]:
        return {next(iter(infos)): instances}
    for position, instance in enumerate(instances):
        if set(instance) != set(infos):
            raise invalid(
                f"Failed to process element: {position} of 'instances' list. JSON object: {shown(instance)} keys must "
                f"be equal to: {','.join(sorted(infos))}"
            )
    return {name: [instance[name] for instance in instances] for name in infos}


def _by_name(value: Any, infos: Mapping[str, messages.TensorInfo]) -> dict[str, Any]:
    if not _is_object(value):
        if len(infos) > 1:
            raise invalid(
                "inputs is a plain value/list, but expecting an object as multiple input tensors required as per "
                "tensorinfo_map"
            )
        return {next(iter(infos)): value}
    for name in infos:
        if name not in value:
            raise invalid(f"Missing named input: {name} in 'inputs' object.")
    return {name: value[name] for name in infos}


def _is_object(value: Any) -> bool:
    return isinstance(value, dict) and not is_b64(value)


def is_b64(value: Any) -> bool:
    """Whether a value stands for bytes."""
    return isinstance(value, dict) and list(value) == [B64] and isinstance(value[B64], str)


def _array(value: Any, data_type: int) -> Array:
    """The array of nested lists."""
    if data_type == tensors.STRING:
        return _strings(value)
    name = messages.DataType.Name(data_type)
    dtype = tensors.NUMPY.get(data_type)
    if dtype is None or dtype.kind == "c":
        raise ServingError("UNIMPLEMENTED", f"Conversion of JSON values to type: {name}")
    if not _leaf_types(value) <= {int, float, bool}:  # NumPy would give each string the room of the longest
        raise invalid(f"JSON Value: {shown(value)} is not of expected type: {name.removeprefix('DT_').lower()}")
    try:
        array = np.asarray(value)
    except ValueError:  # rows of different lengths
        raise invalid(f"JSON Value: {shown(value)} holds lists of different sizes or depths") from None
    if array.size and array.dtype.kind not in {"b": "b", "f": "fiu"}.get(dtype.kind, "iu"):
        raise invalid(f"JSON Value: {shown(value)} is not of expected type: {name.removeprefix('DT_').lower()}")
    with np.errstate(over="ignore"):
        converted = array.astype(dtype)
    if dtype.kind in "iu" and np.any(converted != array):
        raise invalid(f"JSON Value: {shown(value)} is not of expected type: {name.removeprefix('DT_').lower()}")
    if dtype.kind == "f" and np.any(np.isinf(converted) & np.isfinite(array)):
        raise invalid(f"Cannot convert JSON value: {shown(value)} to {dtype} without loss of precision.")
    return converted


def _leaf_types(value: Any) -> set[type]:
    """The types of what nested lists hold, apart from lists."""
    types: set[type] = set()
    level = [value]
    while level:
        types.update(map(type, level))
        level = list(itertools.chain.from_iterable(part for part in level if type(part) is list))
    return types - {list}


def _strings(value: Any) -> Array:
    """The array of nested lists of strings and bytes."""
    flat, shape, nested = [], [], value
    while isinstance(nested, list):
        shape.append(len(nested))
        nested = nested[0] if nested else None
    if len(shape) > tensors.LARGEST_RANK:
        raise invalid(f"JSON Value: {shown(value)} is nested too deeply")

    def collect(part: Any, depth: int) -> None:
        if isinstance(part, list):
            if depth == len(shape) or len(part) != shape[depth]:
                raise invalid(f"JSON Value: {shown(value)} holds lists of different sizes or depths")
            for element in part:
                collect(element, depth + 1)
        elif depth != len(shape):
            raise invalid(f"JSON Value: {shown(part)} found at incorrect level: {depth + 1} in the JSON DOM.")
        else:
            flat.append(to_bytes(part))

    collect(value, 0)
    array = np.empty(len(flat), object)
    array[:] = flat
    return array.reshape(shape)


def to_bytes(value: Any) -> bytes:
    """The bytes of a string, or of an object of base64."""
    if isinstance(value, str):
        return value.encode()
    if not is_b64(value):
        raise invalid(f"JSON Value: {shown(value)} not formatted correctly for base64 data")
    text = value[B64].replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise invalid("Unable to base64 decode") from None


def shown(value: Any) -> str:
    """The start of a value, for an error."""
    text = ""
    for part in json.JSONEncoder().iterencode(value):
        text += part
        if len(text) > MOST_SHOWN:
            return text[:MOST_SHOWN] + "..."
    return text


def invalid(text: str) -> ServingError:
    """The error of a request that is wrong."""
    return ServingError("INVALID_ARGUMENT", text)
