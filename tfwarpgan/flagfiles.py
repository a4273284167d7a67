"""Options as the text of a flagfile, which every run keeps in its folder.

No flag of the program itself is read here: a flagfile is parsed on its own.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from absl import flags

from tfwarpgan.errors import InputError
from tfwarpgan.flags import define_flags, from_flags, part_of
from tfwarpgan.options import RUN_FLAGFILE, Options
from tfwarpgan.storage import object_store

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def to_flagfile(options: DataclassInstance) -> str:
    """The text of a flagfile that gives these options again, one flag per line."""
    lines = []
    for field in dataclasses.fields(options):
        value: Any = getattr(options, field.name)
        if part_of(field):
            lines.append(to_flagfile(value).rstrip("\n"))
        else:
            lines.append(f"--{field.name}={','.join(map(str, value)) if isinstance(value, tuple) else value}")
    return "\n".join(lines) + "\n"


def run_options(run_dir: str) -> Options:
    """The `Options` that a run was trained with, wherever it lies now.

    Raises:
        InputError: If the folder contains no run.
    """
    path = run_flagfile(run_dir)
    return parsed_options([f"--flagfile={path}", f"--run_dir={os.path.expanduser(run_dir)}"], path)


def parsed_options(arguments: Sequence[str], where: str) -> Options:
    """The `Options` that flags give, flagfiles among them included.

    Args:
        arguments: As on a command line.
        where: They come from, for the message.

    Raises:
        InputError: If one of them is wrong.
    """
    values = flags.FlagValues()
    define_flags(Options, flag_values=values)
    try:
        leftover = values(["", *arguments])[1:]
        if leftover:
            raise InputError(f"Unexpected argument '{leftover[0]}': options are written --name=value.")
        return from_flags(Options, values)
    except (flags.Error, InputError) as error:
        raise InputError(f"{where}: {str(error).splitlines()[0]}") from None


def is_run(folder: str) -> bool:
    """Whether a folder, here or in an object store, contains a run."""
    return object_store.exists(_run_path(folder))


def run_flagfile(run_dir: str) -> str:
    """A local file with the flagfile of a run.

    Raises:
        InputError: If the folder contains no run.
    """
    if not is_run(run_dir):
        raise InputError(f"{run_dir} contains no run ({RUN_FLAGFILE} is missing); train one there first.")
    return object_store.local_file(_run_path(run_dir))


def _run_path(folder: str) -> str:
    return os.path.join(os.path.expanduser(folder), RUN_FLAGFILE)
