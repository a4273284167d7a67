"""Tensors in JSON: requests by row (`instances`) or by column (`inputs`), answers in the same form.

Bytes are `{"b64": "..."}`, in an answer where the output's name ends in `_bytes`.
"""

import base64
import binascii
import json

import numpy as np
from google.protobuf import json_format

from tfwarpgan.serving import messages, tensors
from tfwarpgan.serving.statuses import ServingError

B64 = "b64"
BYTES_SUFFIX = "_bytes"
INTERNAL_NEWLINE = "\n"


def parsed(body):
    """The object of a request's body.

    Raises:
        ServingError: If it is none.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as problem:
        raise _invalid(f"JSON Parse error: {problem}") from None
    if not isinstance(document, dict):
        raise _invalid(f"JSON Value: {_shown(document)} Is not object")
    return document


def signature_name(document):
    """The name of the signature that a request asks for, or an empty string."""
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise _invalid(
            f"JSON Value: {_shown(document)} not formatted correctly. 'signature_name' key must be a string value."
        )
    return name


def inputs(document, infos):
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
        raise _invalid(
            f"JSON Value: {_shown(document)} Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist "
        )
    if by_row:
        columns = _columns(document["instances"], infos)
    elif "inputs" in document:
        columns = _by_name(document["inputs"], infos)
    else:
        raise _invalid("Missing 'inputs' or 'instances' key")
    return {name: _array(values, infos[name].dtype) for name, values in columns.items()}, by_row


def _columns(instances, infos):
    """The values of each input from a list of rows: objects with a value for each input, or bare values for one."""
    if not isinstance(instances, list):
        raise _invalid(f"JSON Value: {_shown(instances)} Excepting 'instances' to be an list/array")
    if not instances:
        raise _invalid("JSON Value: [] No values in 'instances' array")
    named = [_is_object(instance) for instance in instances]
    if not named[0] and len(infos) > 1:
        raise _invalid(
            "instances is a plain list, but expecting list of objects as multiple input tensors required as per "
            "tensorinfo_map"
        )
    if named[0] not in (all(named), any(named)) or all(named) != any(named):
        got = "value/list but got object" if not named[0] else "object but got list"
        raise _invalid(f"Expecting {got} at item {named.index(not named[0])} of input list")
    if not named[0]:
        return {next(iter(infos)): instances}
    for position, instance in enumerate(instances):
        if set(instance) != set(infos):
            raise _invalid(
                f"Failed to process element: {position} of 'instances' list. JSON object: {_shown(instance)} keys must be "
                f"equal to: {','.join(sorted(infos))}"
            )
    return {name: [instance[name] for instance in instances] for name in infos}


def _by_name(value, infos):
    if not _is_object(value):
        if len(infos) > 1:
            raise _invalid(
                "inputs is a plain value/list, but expecting an object as multiple input tensors required as per "
                "tensorinfo_map"
            )
        return {next(iter(infos)): value}
    for name in infos:
        if name not in value:
            raise _invalid(f"Missing named input: {name} in 'inputs' object.")
    return {name: value[name] for name in infos}


def _is_object(value):
    return isinstance(value, dict) and not _is_b64(value)


def _is_b64(value):
    return isinstance(value, dict) and list(value) == [B64] and isinstance(value[B64], str)


def _array(value, data_type):
    """The array of nested lists."""
    if data_type == tensors.STRING:
        return _strings(value)
    name = messages.DataType.Name(data_type)
    dtype = tensors.NUMPY.get(data_type)
    if dtype is None or dtype.kind == "c":
        raise ServingError("UNIMPLEMENTED", f"Conversion of JSON values to type: {name}")
    try:
        array = np.asarray(value)
    except ValueError:  # rows of different lengths
        raise _invalid(f"JSON Value: {_shown(value)} holds lists of different sizes or depths") from None
    if array.size and array.dtype.kind not in {"b": "b", "f": "fiu"}.get(dtype.kind, "iu"):
        raise _invalid(f"JSON Value: {_shown(value)} is not of expected type: {name.removeprefix('DT_').lower()}")
    with np.errstate(over="ignore"):
        converted = array.astype(dtype)
    if dtype.kind in "iu" and np.any(converted != array):
        raise _invalid(f"JSON Value: {_shown(value)} is not of expected type: {name.removeprefix('DT_').lower()}")
    if dtype.kind == "f" and np.any(np.isinf(converted) & np.isfinite(array)):
        raise _invalid(f"Cannot convert JSON value: {_shown(value)} to {dtype} without loss of precision.")
    return converted


def _strings(value):
    """The array of nested lists of strings and bytes."""
    flat, shape = [], []
    level, nested = value, value
    while isinstance(nested, list):
        shape.append(len(nested))
        nested = nested[0] if nested else None

    def collect(part, depth):
        if isinstance(part, list):
            if depth == len(shape) or len(part) != shape[depth]:
                raise _invalid(f"JSON Value: {_shown(level)} holds lists of different sizes or depths")
            for element in part:
                collect(element, depth + 1)
        elif depth != len(shape):
            raise _invalid(f"JSON Value: {_shown(part)} found at incorrect level: {depth + 1} in the JSON DOM.")
        else:
            flat.append(_bytes(part))

    collect(value, 0)
    array = np.empty(len(flat), object)
    array[:] = flat
    return array.reshape(shape)


def _bytes(value):
    if isinstance(value, str):
        return value.encode()
    if not _is_b64(value):
        raise _invalid(f"JSON Value: {_shown(value)} not formatted correctly for base64 data")
    text = value[B64].replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise _invalid("Unable to base64 decode") from None


def predictions(outputs, by_row):
    """The text of an answer to predict.

    Args:
        outputs: Arrays by name.
        by_row: Whether it is by row.

    Raises:
        ServingError: If an answer by row has no rows.
    """
    if by_row:
        sizes = {array.shape[:1] for array in outputs.values()}
        for name, array in outputs.items():
            if not array.ndim:
                raise _invalid(f"Tensor name: {name} has no shape information ")
            if len(sizes) > 1:
                raise _invalid(f"Tensor name: {name} has inconsistent batch size: {len(array)}")
    columns = {name: _listed(name, array) for name, array in outputs.items()}
    if len(columns) == 1:
        (value,) = columns.values()
    elif by_row:
        value = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    else:
        value = columns
    return dumps({"predictions" if by_row else "outputs": value})


def _listed(name, array):
    """Nested lists of an array."""
    if array.dtype == object:
        convert = _b64 if name.endswith(BYTES_SUFFIX) else _text
        return _mapped(array, convert)
    if array.dtype in (np.float64, np.bool_) or array.dtype.kind in "iu":
        return array.tolist()
    if array.dtype.kind == "c":
        raise _invalid(f"Failed to write JSON value for tensor type: {array.dtype}")
    return _mapped(array.astype(np.float32), short)


def _mapped(array, convert):
    flat = np.empty(array.size, object)
    flat[:] = [convert(value) for value in array.ravel()]
    return flat.reshape(array.shape).tolist()


def _b64(value):
    return {B64: base64.b64encode(value).decode()}


def _text(value):
    return value.decode(errors="replace")


def short(value):
    """A float32 as the shortest number that gives it again."""
    return float(str(np.float32(value)))


def examples(document):
    """The `Input` of a request to classify or regress: `examples`, each an object of features, and a `context`.

    Raises:
        ServingError: If it is none.
    """
    rows = document.get("examples")
    if not isinstance(rows, list) or not rows:
        raise _invalid(
            f"JSON Value: {_shown(document)} Expecting 'examples' value to be an list/array that is not empty"
        )
    found = [_example(row) for row in rows]
    if "context" in document:
        return messages.Input(example_list_with_context={"examples": found, "context": _example(document["context"])})
    return messages.Input(example_list={"examples": found})


def _example(value):
    if not isinstance(value, dict):
        raise _invalid(f"Example must be JSON object but got JSON {type(value).__name__}")
    example = messages.Example()
    for name, content in value.items():
        _fill(example.features.feature[name], name, content if isinstance(content, list) else [content])
    return example


def _fill(feature, name, values):
    """Sets the one list of a feature that its values belong to."""
    kinds = {_kind(name, value) for value in values}
    if len(kinds) > 1:
        raise _invalid(f"Unexpected element type in feature: {name} expecting type: {sorted(kinds)[0]}")
    try:
        if kinds == {"bytes"}:
            feature.bytes_list.value.extend(map(_bytes, values))
        elif kinds == {"float"}:
            feature.float_list.value.extend(values)
        elif kinds == {"int64"}:
            feature.int64_list.value.extend(map(int, values))
    except (ValueError, OverflowError):
        raise _invalid(f"Feature: {name} has an element that is out of range.") from None


def _kind(name, value):
    if isinstance(value, bool | int):
        return "int64"
    if isinstance(value, float):
        return "float"
    if isinstance(value, str) or _is_b64(value):
        return "bytes"
    raise _invalid(f"Feature: {name} has element with unexpected JSON type: {type(value).__name__}")


def metadata(response):
    """The text of a `GetModelMetadataResponse`, its signatures unpacked."""
    signatures = messages.SignatureDefMap()
    response.metadata["signature_def"].Unpack(signatures)
    return dumps(
        {
            "model_spec": _dictionary(response.model_spec),
            "metadata": {"signature_def": _dictionary(signatures)},
        }
    )


def message(response):
    """The text of a message."""
    return dumps(_dictionary(response))


def _dictionary(response):
    """A message as a dictionary, fields that are not set included."""
    parameters = json_format.MessageToDict.__code__.co_varnames
    every = "always_print_fields_with_no_presence"  # of protobuf 5 and later
    every = every if every in parameters else "including_default_value_fields"
    return json_format.MessageToDict(response, preserving_proto_field_name=True, **{every: True})


def error(text):
    """The text of an error."""
    return dumps({"error": text})


def dumps(value):
    """JSON as a server writes it."""
    return json.dumps(value, indent=1) + INTERNAL_NEWLINE


def _shown(value):
    text = json.dumps(value)
    return text if len(text) <= 200 else text[:200] + "..."


def _invalid(text):
    return ServingError("INVALID_ARGUMENT", text)
