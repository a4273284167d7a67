"""The way every command starts: flags in, options to its main function, user errors as one sentence.

Nothing here imports TensorFlow: a wrong flag is refused, and --help is answered, before TensorFlow starts.
"""

import contextlib
import dataclasses
import os
import re
import select
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NoReturn

from absl import app, flags, logging

from tfwarpgan.command_help import Group, help_groups, help_text
from tfwarpgan.errors import InputError
from tfwarpgan.flagfiles import run_flagfile
from tfwarpgan.flags import all_fields, define_flags, from_flags
from tfwarpgan.inference.released import released_folder
from tfwarpgan.options import PARTS, RUN_FLAGFILE, Options
from tfwarpgan.storage import object_store

_HELP = ("help", "helpshort", "h", "?")
# What the extra `tensorflow` brings, beside what it needs itself.
_OF_EXTRA = ("tensorflow", "tensorflow_datasets", "keras", "grpc", "google", "aiohttp", "prometheus_client")


def run_actions(actions: Mapping[str, tuple[Any, ...]]) -> None:
    """Runs a command whose first argument says what to do.

    Args:
        actions: Name -> (function, dataclasses), which are `run_command`'s.
    """
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name in actions:
        main, *classes = actions[name]
        del sys.argv[1]
        run_command(main, *classes, action=f" {name}")
    elif name.lstrip("-").partition("=")[0] in _HELP:
        classes = list(dict.fromkeys(cls for _, *listed in actions.values() for cls in listed))
        description = sys.modules[next(iter(actions.values()))[0].__module__].__doc__
        with ending_with_the_reader():
            print(help_text(f"{_program()} {'|'.join(actions)}", description, help_groups(classes, ())), end="")
    else:
        _exit(f"Say first what to do: {_program()} {', '.join(actions)}; --help lists the flags of each.")


def run_command(
    main: Callable[..., None],
    *classes: type[Any],
    takes: Sequence[str | type[Any]] = PARTS,
    reads_run: bool = False,
    action: str = "",
) -> None:
    """Runs a command: flags in, an instance of each dataclass to `main`, user errors as one sentence.

    Args:
        main: Function of one instance of each class.
        *classes: The dataclasses whose fields are the command's flags.
        takes: Where `Options` is among the classes, what of it has an effect on this command: names of fields and
            whole parts, see `options.PARTS`. Other flags of `Options` are refused on the command line; a flagfile may
            hold them, unless the command reads a run.
        reads_run: Whether the options of the run in --run_dir (or of the released --weights) are read before the
            command line, which wins.
        action: What stands behind the command's name, for the help.
    """
    takes = takes if Options in classes else ()
    groups = help_groups(classes, takes)
    define_flags(*classes)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # TensorFlow's notes about the machine are not the user's
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # also where AVX2 is all there is: 1.36 times as fast

    def parse(argv: list[str]) -> list[str]:
        if any(name in _HELP for name in _names(argv[1:])):
            of_run = [field.name for field in all_fields(Options) if field.name != "run_dir"] if reads_run else []
            print(help_text(_program() + action, sys.modules[main.__module__].__doc__, groups, of_run), end="")
            sys.exit(0)
        try:
            given = flags.FLAGS.read_flags_from_files(argv[1:])
            _refuse_unused(given if reads_run else argv[1:], groups, reads_run)
            of_run = _run_flags(given) if reads_run else []
            leftover = flags.FLAGS([argv[0], *of_run, *given])[1:]
        except flags.Error as error:
            _exit(str(error).strip().splitlines()[0].removeprefix("ERROR:: "))
        if leftover:
            _exit(f"Unexpected argument '{leftover[0]}': options are written --name=value, see --help.")
        _note_former_names(given, classes)
        return argv

    def call(argv: list[str]) -> None:
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
            if not error.name or error.name.partition(".")[0] not in _OF_EXTRA:
                raise
            _exit(f"This needs {error.name}, which is not installed: pip install 'tfwarpgan[tensorflow]' brings it.")
        except Exception as error:
            told = _told_through_tensorflow(error)
            if not told:
                raise
            _exit(told)

    logging.use_absl_handler()
    try:
        with ending_with_the_reader():
            try:
                app.run(call, flags_parser=parse)
            except InputError as error:
                _exit(str(error))
    except SystemExit as end:
        object_store.exit_process(end.code)
        raise


@contextlib.contextmanager
def ending_with_the_reader() -> Iterator[None]:
    """Ends the process without a word where nobody reads on what it prints, as behind `| head -1`."""
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        output = select.poll()
        output.register(sys.stdout.fileno(), 0)
        if not output.poll(0):  # another pipe broke
            raise
        # Python flushes once more at its end, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(128 + signal.SIGPIPE)


def _program() -> str:
    """How the command was called."""
    module = sys.modules["__main__"].__spec__
    return f"python -m {module.name}" if module else os.path.basename(sys.argv[0])


def _told_through_tensorflow(error: Exception) -> str | None:
    """The sentence of an `InputError` that was raised inside a graph, where TensorFlow wraps it; else None."""
    if type(error).__module__.startswith("tensorflow"):
        found = re.search(rf"{InputError.__name__}: (.+)", str(error))
        return found and found.group(1)
    return None


def _refuse_unused(arguments: Sequence[str], groups: Sequence[Group], reads_run: bool) -> None:
    """Refuses flags of `Options` that have no effect on the command."""
    used = {field.name for _, fields in groups for field in fields}
    unused = {name for field in all_fields(Options) for name in _spellings(field) if field.name not in used}
    for name in _names(arguments):
        if name in unused:
            reason = ": the run has its own" if reads_run else ""
            raise InputError(f"--{name} has no effect on this command{reason}; leave it out.")


def _spellings(field: dataclasses.Field[Any]) -> list[str]:
    """The names by which a flag can be given."""
    names = [name for name in (field.name, field.metadata["former"]) if name]
    return names + [f"no{name}" for name in names] if field.type is bool else names


def _note_former_names(arguments: Sequence[str], classes: Sequence[type[Any]]) -> None:
    """Tells once of each flag that is given by the name that it had before."""
    former = {field.metadata["former"]: field.name for field in all_fields(*classes) if field.metadata["former"]}
    given = set(_names(arguments))
    for name, now in former.items():
        if given & {name, f"no{name}"}:
            print(f"note: --{name} is now called --{now}.", file=sys.stderr)


def _run_flags(arguments: Sequence[str]) -> list[str]:
    """The flagfile of the run or of the released weights, as arguments."""
    weights, run_dir = _argument(arguments, "weights"), _argument(arguments, "run_dir")
    if weights and run_dir:
        raise InputError("Give either --weights or --run_dir, not both.")
    if weights:
        return [f"--flagfile={os.path.join(released_folder(weights), RUN_FLAGFILE)}"]
    return [f"--flagfile={run_flagfile(run_dir)}"] if run_dir else []


def _names(arguments: Sequence[str]) -> list[str]:
    """The names of the flags among arguments that are not parsed yet."""
    return [argument.lstrip("-").partition("=")[0] for argument in arguments if argument.startswith("-")]


def _argument(arguments: Sequence[str], wanted: str) -> str:
    """The value of a flag among arguments that are not parsed yet, or an empty string."""
    for argument, following in reversed(list(zip(arguments, [*arguments[1:], ""]))):  # the last one wins
        name, equals, value = argument.lstrip("-").partition("=")
        if argument.startswith("-") and name == wanted:
            return value if equals else following
    return ""


def _exit(sentence: str) -> NoReturn:
    print(f"error: {sentence}", file=sys.stderr)
    sys.exit(2)
