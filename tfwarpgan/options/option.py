"""A field of an options dataclass, which `flags` makes a flag of."""

import dataclasses
from typing import Any, TypeVar

T = TypeVar("T")


def option(
    default: T,
    help: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[Any, ...] | None = None,
    former: str = "",
) -> T:
    """A dataclass field that knows how to become a flag.

    Args:
        default: Its value where none is given.
        help: One sentence about it.
        minimum: The least number, inclusive; None: any.
        maximum: The greatest number, inclusive; None: any.
        choices: What it may be; None: anything.
        former: A name that it had before, which old flagfiles and command lines may still give it.
    """
    bounds = {"minimum": minimum, "maximum": maximum, "choices": choices}
    return dataclasses.field(default=default, metadata={"help": help, **bounds, "former": former})
