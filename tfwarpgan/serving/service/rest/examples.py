"""Examples in JSON, to be classified or regressed: each an object of features, with a context common to all."""

import numpy as np

from tfwarpgan.serving.service.rest.requests import invalid, is_b64, shown, to_bytes
from tfwarpgan.serving.wire import messages


def examples(document):
    """The `Input` of a request to classify or regress: `examples`, each an object of features, and a `context`.

    Raises:
        ServingError: If it is none.
    """
    rows = document.get("examples")
    if not isinstance(rows, list) or not rows:
        raise invalid(f"JSON Value: {shown(document)} Expecting 'examples' value to be a list that is not empty")
    found = [_example(row) for row in rows]
    if "context" in document:
        return messages.Input(example_list_with_context={"examples": found, "context": _example(document["context"])})
    return messages.Input(example_list={"examples": found})


def _example(value):
    if not isinstance(value, dict):
        raise invalid(f"Example must be JSON object but got JSON {type(value).__name__}")
    example = messages.Example()
    for name, content in value.items():
        _fill(example.features.feature[name], name, content if isinstance(content, list) else [content])
    return example


def _fill(feature, name, values):
    """Sets the one list of a feature that its values belong to."""
    kinds = {_kind(name, value) for value in values}
    if len(kinds) > 1:
        raise invalid(f"Unexpected element type in feature: {name} expecting type: {sorted(kinds)[0]}")
    try:
        if kinds == {"bytes"}:
            feature.bytes_list.value.extend(map(to_bytes, values))
        elif kinds == {"float"}:
            feature.float_list.value.extend(values)
            if any(np.isinf(own) and np.isfinite(sent) for own, sent in zip(feature.float_list.value, values)):
                raise OverflowError
        elif kinds == {"int64"}:
            feature.int64_list.value.extend(map(int, values))
    except (ValueError, OverflowError):
        raise invalid(f"Feature: {name} has an element that is out of range.") from None


def _kind(name, value):
    if isinstance(value, bool | int):
        return "int64"
    if isinstance(value, float):
        return "float"
    if isinstance(value, str) or is_b64(value):
        return "bytes"
    raise invalid(f"Feature: {name} has element with unexpected JSON type: {type(value).__name__}")
