"""Flags made of the options: `define_flags` turns the fields of dataclasses into absl flags of the same name, and
`from_flags` turns parsed flags back into a dataclass.
"""

import dataclasses
import math

from absl import flags

from tfwarpgan.errors import InputError


def define_flags(*classes, flag_values=flags.FLAGS):
    """Defines a flag for each field of the dataclasses (of `Options`: for those of its parts)."""
    for field in all_fields(*classes):
        _define_flag(field, flag_values)


def all_fields(*classes):
    """Yields the fields of dataclasses; of `Options`: those of its parts."""
    for cls in classes:
        for field in dataclasses.fields(cls):
            yield from all_fields(field.type) if dataclasses.is_dataclass(field.type) else [field]


def _define_flag(field, flag_values):
    bounds = {"lower_bound": field.metadata["minimum"], "upper_bound": field.metadata["maximum"]}
    common = {"help": field.metadata["help"], "flag_values": flag_values}
    choices = field.metadata["choices"]
    if field.type is bool:
        flags.DEFINE_bool(field.name, field.default, **common)
    elif choices and field.type is str:
        flags.DEFINE_enum(field.name, field.default, list(choices), **common)
    elif field.type is int:
        flags.DEFINE_integer(field.name, field.default, **common, **({} if choices else bounds))
    elif field.type is float:
        flags.DEFINE_float(field.name, field.default, **common, **bounds)
    elif field.type is tuple:
        flags.DEFINE_list(field.name, [str(value) for value in field.default], **common)
    else:
        flags.DEFINE_string(field.name, field.default, **common)


def from_flags(cls, flag_values=flags.FLAGS):
    """An instance of the dataclass from parsed flags.

    Raises:
        InputError: If a value or a combination of values is impossible.
    """
    values = {}
    for field in dataclasses.fields(cls):
        if dataclasses.is_dataclass(field.type):
            values[field.name] = from_flags(field.type, flag_values)
            continue
        value = flag_values[field.name].value
        if field.type is tuple:
            value = _numbers(field, value)
        if any(isinstance(number, float) and not math.isfinite(number) for number in _listed(value)):
            raise InputError(f"--{field.name}={value} must be a finite number.")
        choices = field.metadata["choices"]
        if choices and value not in choices:
            raise InputError(f"--{field.name}={value} must be one of {', '.join(map(str, choices))}.")
        values[field.name] = value
    return cls(**values)


def _listed(value):
    return value if isinstance(value, tuple) else (value,)


def _numbers(field, texts):
    try:
        numbers = tuple(float(text) for text in texts)
    except ValueError:
        raise InputError(f"--{field.name}={','.join(texts)} must be numbers separated by commas.") from None
    minimum = field.metadata["minimum"]
    if minimum is not None and any(number < minimum for number in numbers):
        raise InputError(f"--{field.name}={','.join(texts)} must not hold a number below {minimum}.")
    return numbers
