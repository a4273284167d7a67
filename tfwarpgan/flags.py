"""Flags made of the options: `define_flags` turns the fields of dataclasses into absl flags of the same name, and
`from_flags` turns parsed flags back into a dataclass.
"""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from absl import flags

from tfwarpgan.errors import InputError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


def define_flags(*classes: type[DataclassInstance], flag_values: flags.FlagValues = flags.FLAGS) -> None:
    """Defines a flag for each field of the dataclasses (of `Options`: for those of its parts)."""
    for field in all_fields(*classes):
        _define_flag(field, flag_values)


def all_fields(*classes: type[DataclassInstance]) -> Iterator[dataclasses.Field[Any]]:
    """Yields the fields of dataclasses; of `Options`: those of its parts."""
    for cls in classes:
        for field in dataclasses.fields(cls):
            part = part_of(field)
            yield from all_fields(part) if part else [field]


def part_of(field: dataclasses.Field[Any]) -> type[Any] | None:
    """The dataclass that a field of `Options` holds; None for a field that is a flag."""
    return field.type if isinstance(field.type, type) and dataclasses.is_dataclass(field.type) else None


def _define_flag(field: dataclasses.Field[Any], flag_values: flags.FlagValues) -> None:
    bounds = {"lower_bound": field.metadata["minimum"], "upper_bound": field.metadata["maximum"]}
    common = {"help": field.metadata["help"], "flag_values": flag_values}
    choices = field.metadata["choices"]
    default: Any = field.default
    if field.type is bool:
        flags.DEFINE_bool(field.name, default, **common)
    elif choices and field.type is str:
        flags.DEFINE_enum(field.name, default, list(choices), **common)
    elif field.type is int:
        flags.DEFINE_integer(field.name, default, **common, **({} if choices else bounds))
    elif field.type is float:
        flags.DEFINE_float(field.name, default, **common, **bounds)
    elif typing.get_origin(field.type) is tuple:
        flags.DEFINE_list(field.name, [str(value) for value in default], **common)
    else:
        flags.DEFINE_string(field.name, default, **common)
    if field.metadata["former"]:
        flags.DEFINE_alias(field.metadata["former"], field.name, flag_values=flag_values)


def from_flags(cls: type[T], flag_values: flags.FlagValues = flags.FLAGS) -> T:
    """An instance of the dataclass from parsed flags.

    Raises:
        InputError: If a value or a combination of values is impossible.
    """
    values: dict[str, Any] = {}
    for field in dataclasses.fields(cls):
        part = part_of(field)
        if part:
            values[field.name] = from_flags(part, flag_values)
            continue
        value: Any = flag_values[field.name].value
        if typing.get_origin(field.type) is tuple:
            value = _numbers(field, value)
        if any(isinstance(number, float) and not math.isfinite(number) for number in _listed(value)):
            raise InputError(f"--{field.name}={value} must be a finite number.")
        choices = field.metadata["choices"]
        if choices and value not in choices:
            raise InputError(f"--{field.name}={value} must be one of {', '.join(map(str, choices))}.")
        values[field.name] = value
    return cls(**values)


def _listed(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _numbers(field: dataclasses.Field[Any], texts: list[str]) -> tuple[float, ...]:
    try:
        numbers = tuple(float(text) for text in texts)
    except ValueError:
        raise InputError(f"--{field.name}={','.join(texts)} must be numbers separated by commas.") from None
    minimum = field.metadata["minimum"]
    if minimum is not None and any(number < minimum for number in numbers):
        raise InputError(f"--{field.name}={','.join(texts)} must not hold a number below {minimum}.")
    return numbers
