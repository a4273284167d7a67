"""What `--help` of a command prints: how it is called, what it does, and its flags in groups."""

import argparse
import dataclasses
import shutil
from collections.abc import Sequence
from typing import Any, TypeAlias

from tfwarpgan.flags import all_fields
from tfwarpgan.options import Options

Field: TypeAlias = dataclasses.Field[Any]
Group: TypeAlias = tuple[str, list[Field]]  # title, fields

_NOT_SHOWN = ("", (), False)  # defaults that say nothing
MOST_CHOICES = 90  # characters that fit on the line of their flag
_KINDS: dict[Any, str] = {int: "N", float: "X", str: "TEXT", tuple[float, ...]: "X,X,..."}


def help_groups(classes: Sequence[type[Any]], takes: Sequence[str | type[Any]]) -> list[Group]:
    """The flags of a command in groups: what it takes of `Options` by name, its own dataclasses, then whole parts.

    Args:
        classes: The command's dataclasses.
        takes: Names of fields and parts of `Options`, see `command_line.run_command`.

    Returns:
        List of (title, fields).
    """
    by_name = {field.name: field for field in all_fields(Options)}
    named = [by_name[name] for name in takes if isinstance(name, str)]
    parts = [cls for cls in classes if cls is not Options] + [cls for cls in takes if not isinstance(cls, str)]
    groups = [("The run, and what may differ from its options.", named)] if named else []
    return groups + [((cls.__doc__ or "").splitlines()[0], list(all_fields(cls))) for cls in parts]


def help_text(program: str, description: str | None, groups: Sequence[Group], of_run: Sequence[str] = ()) -> str:
    """The text of `--help`.

    Args:
        program: How the command is called.
        description: What it does, or None.
        groups: See `help_groups`.
        of_run: Names of flags whose default is the run's own value.
    """
    width = min(shutil.get_terminal_size().columns, 120)
    parser = argparse.ArgumentParser(
        program, "%(prog)s [--flag=value ...]", (description or "").strip().replace("%", "%%"), add_help=False,
        epilog="--flagfile=FILE reads flags from a file, one per line. --helpfull lists those of all modules.",
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, max_help_position=28, width=width),
    )  # fmt: skip
    for title, fields in groups:
        group = parser.add_argument_group(title.rstrip("."))
        for field in fields:
            text = " ".join([field.metadata["help"], *_notes(field, field.name in of_run)])
            group.add_argument(_form(field), action="store_true", help=text.replace("%", "%%"))
    return parser.format_help()


def _form(field: Field) -> str:
    """How a flag is written."""
    if field.type is bool:
        return f"--[no]{field.name}"
    choices = _choices(field)
    return f"--{field.name}={choices if 0 < len(choices) <= MOST_CHOICES else _KINDS[field.type]}"


def _choices(field: Field) -> str:
    return "|".join(map(str, field.metadata["choices"] or ()))


def _notes(field: Field, of_run: bool) -> list[str]:
    """What the help adds of a flag's default and bounds, in brackets."""
    minimum, maximum = field.metadata["minimum"], field.metadata["maximum"]
    notes = []
    if len(_choices(field)) > MOST_CHOICES:
        notes.append(f"one of {_choices(field).replace('|', ', ')}")
    told = field.default is True or field.default not in _NOT_SHOWN or field.type in (int, float)
    if told and field.default is not None:
        notes.append("default: " + ("the run's" if of_run else _written(field.default)))
    if minimum is not None and maximum is not None:
        notes.append(f"{_written(minimum)} to {_written(maximum)}")
    elif minimum:
        notes.append(f"at least {_written(minimum)}")
    return [f"({'; '.join(notes)})"] if notes else []


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(f"{number:g}" for number in value) if isinstance(value, tuple) else str(value)
