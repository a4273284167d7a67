"""Answers in JSON, in the form of TensorFlow Serving's REST API.

Bytes are `{"b64": "..."}` where the output's name ends in `_bytes`, and text elsewhere.
"""

import base64
import json

import numpy as np
from google.protobuf import json_format

from tfwarpgan.serving.service.rest.requests import B64, invalid
from tfwarpgan.serving.wire import messages

BYTES_SUFFIX = "_bytes"


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
                raise invalid(f"Tensor name: {name} has no shape information ")
            if len(sizes) > 1:
                raise invalid(f"Tensor name: {name} has inconsistent batch size: {len(array)}")
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
        raise invalid(f"Failed to write JSON value for tensor type: {array.dtype}")
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
    return json.dumps(value) + "\n"
