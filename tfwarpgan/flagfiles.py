"""Options as the text of a flagfile, which every run keeps in its folder.

No flag of the program itself is read here: a flagfile is parsed on its own.
"""

import dataclasses
import os

from absl import flags

from tfwarpgan.errors import InputError
from tfwarpgan.flags import define_flags, from_flags
from tfwarpgan.options import RUN_FLAGFILE, Options
from tfwarpgan.storage import object_store


def to_flagfile(options):
    """The text of a flagfile that gives these options again, one flag a line."""
    lines = []
    for field in dataclasses.fields(options):
        value = getattr(options, field.name)
        if dataclasses.is_dataclass(value):
            lines.append(to_flagfile(value).rstrip("\n"))
        else:
            lines.append(f"--{field.name}={','.join(map(str, value)) if field.type is tuple else value}")
    return "\n".join(lines) + "\n"


def run_options(run_dir):
    """The `Options` that a run was trained with, wherever it lies now.

    Raises:
        InputError: If the folder holds no run.
    """
    values = flags.FlagValues()
    define_flags(Options, flag_values=values)
    path = run_flagfile(run_dir)
    try:
        values(["run", f"--flagfile={path}", f"--run_dir={os.path.expanduser(run_dir)}"])
    except flags.Error as error:
        raise InputError(f"{path}: {str(error).splitlines()[0]}") from None
    return from_flags(Options, values)


def run_flagfile(run_dir):
    """A local file with the flagfile of a run.

    Raises:
        InputError: If the folder holds no run.
    """
    path = os.path.join(os.path.expanduser(run_dir), RUN_FLAGFILE)
    if not object_store.exists(path):
        raise InputError(f"{run_dir} holds no run ({RUN_FLAGFILE} is missing); train one there first.")
    return object_store.local_file(path)
