"""The flags that are derived from the options, and the way every command starts.

`define_flags` turns the fields of dataclasses into absl flags of the same name, `from_flags` turns parsed flags back
into a dataclass, and `run_command` does both around a command's main function. Nothing here imports TensorFlow: a wrong
flag is refused before TensorFlow starts.
"""

import dataclasses
import math
import os
import re
import sys

from absl import app, flags, logging

from tfwarpgan.errors import InputError
from tfwarpgan.options import RUN_FLAGFILE, Options
from tfwarpgan.storage import object_store


def define_flags(*classes, flag_values=flags.FLAGS):
    """Defines a flag for each field of the dataclasses (of `Options`: for those of its parts)."""
    for field in _fields(*classes):
        _define_flag(field, flag_values)


def _fields(*classes):
    for cls in classes:
        for field in dataclasses.fields(cls):
            yield from _fields(field.type) if dataclasses.is_dataclass(field.type) else [field]


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


def run_command(main, *classes, reads_run=False):
    """Runs a command: flags in, an instance of each dataclass to `main`, user errors as one sentence.

    Args:
        main: Function of one instance of each class.
        *classes: The dataclasses whose fields are the command's flags.
        reads_run: Whether the options of the run in --run_dir (or of the released --weights) are read before the
            command line, which wins.
    """
    define_flags(*classes)
    for field in _fields(*classes):  # --help lists the flags of the command's own module
        flags.FLAGS.register_key_flag_for_module(sys.argv[0], flags.FLAGS[field.name])
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # TensorFlow's notes about the machine are not the user's

    def parse(argv):
        if reads_run:
            argv = [argv[0], *_run_flags(argv), *argv[1:]]
        try:
            leftover = flags.FLAGS(argv)[1:]
        except flags.Error as error:
            _exit(str(error).strip().splitlines()[0].removeprefix("ERROR:: "))
        if leftover:
            _exit(f"Unexpected argument '{leftover[0]}': options are written --name=value, see --help.")
        return argv

    def call(argv):
        del argv
        if not flags.FLAGS["verbosity"].present:
            logging.set_verbosity(logging.WARNING)
        try:
            main(*[from_flags(cls) for cls in classes])
        except InputError as error:
            _exit(str(error))
        except KeyboardInterrupt:
            print("Stopped.", file=sys.stderr)
            sys.exit(130)
        except ModuleNotFoundError as error:
            if error.name != "tensorflow":
                raise
            _exit("TensorFlow is not installed, which this needs: pip install 'tfwarpgan[tensorflow]' brings it.")
        except Exception as error:
            told = _told_through_tensorflow(error)
            if not told:
                raise
            _exit(told)

    logging.use_absl_handler()
    try:
        try:
            app.run(call, flags_parser=parse)
        except InputError as error:
            _exit(str(error))
    except SystemExit as end:
        object_store.leave(end.code)
        raise


def _told_through_tensorflow(error):
    """The sentence of an `InputError` that was raised inside a graph, where TensorFlow wraps it; else None."""
    if type(error).__module__.startswith("tensorflow"):
        found = re.search(rf"{InputError.__name__}: (.+)", str(error))
        return found and found.group(1)
    return None


def released_folder(name):
    """The folder of released weights of that name.

    Raises:
        InputError: If there are none.
    """
    root = os.path.join(os.path.dirname(__file__), "weights")
    folder = os.path.join(root, name)
    if not os.path.exists(os.path.join(folder, RUN_FLAGFILE)):
        names = sorted(entry for entry in os.listdir(root) if os.path.exists(os.path.join(root, entry, RUN_FLAGFILE)))
        raise InputError(f"--weights={name} is not released; there are: {', '.join(names) or 'none'}.")
    return folder


def run_options(run_dir):
    """The `Options` that a run was trained with, wherever it lies now.

    Raises:
        InputError: If the folder holds no run.
    """
    values = flags.FlagValues()
    define_flags(Options, flag_values=values)
    path = _run_flagfile(run_dir)
    try:
        values(["run", f"--flagfile={path}", f"--run_dir={os.path.expanduser(run_dir)}"])
    except flags.Error as error:
        raise InputError(f"{path}: {str(error).splitlines()[0]}") from None
    return from_flags(Options, values)


def _run_flagfile(run_dir):
    path = os.path.join(os.path.expanduser(run_dir), RUN_FLAGFILE)
    if not object_store.exists(path):
        raise InputError(f"{run_dir} holds no run ({RUN_FLAGFILE} is missing); train one there first.")
    return object_store.local_file(path)


def _run_flags(argv):
    weights, run_dir = _argument(argv, "weights"), _argument(argv, "run_dir")
    if weights:
        return [f"--flagfile={os.path.join(released_folder(weights), RUN_FLAGFILE)}"]
    return [f"--flagfile={_run_flagfile(run_dir)}"] if run_dir else []


def _argument(argv, wanted):
    """The value of a flag on a command line that is not parsed yet, or an empty string."""
    for argument, following in reversed(list(zip(argv, [*argv[1:], ""], strict=True))):  # the last one wins
        name, equals, value = argument.lstrip("-").partition("=")
        if argument.startswith("-") and name == wanted:
            return value if equals else following
    return ""


def _exit(sentence):
    print(f"error: {sentence}", file=sys.stderr)
    sys.exit(2)
