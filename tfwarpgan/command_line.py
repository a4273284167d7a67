"""The way every command starts: flags in, options to its main function, user errors as one sentence.

Nothing here imports TensorFlow: a wrong flag is refused before TensorFlow starts.
"""

import os
import re
import sys

from absl import app, flags, logging

from tfwarpgan.errors import InputError
from tfwarpgan.flagfiles import run_flagfile
from tfwarpgan.flags import all_fields, define_flags, from_flags
from tfwarpgan.inference.released import released_folder
from tfwarpgan.options import RUN_FLAGFILE
from tfwarpgan.storage import object_store


def run_command(main, *classes, reads_run=False):
    """Runs a command: flags in, an instance of each dataclass to `main`, user errors as one sentence.

    Args:
        main: Function of one instance of each class.
        *classes: The dataclasses whose fields are the command's flags.
        reads_run: Whether the options of the run in --run_dir (or of the released --weights) are read before the
            command line, which wins.
    """
    define_flags(*classes)
    for field in all_fields(*classes):  # --help lists the flags of the command's own module
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
        object_store.exit_process(end.code)
        raise


def _told_through_tensorflow(error):
    """The sentence of an `InputError` that was raised inside a graph, where TensorFlow wraps it; else None."""
    if type(error).__module__.startswith("tensorflow"):
        found = re.search(rf"{InputError.__name__}: (.+)", str(error))
        return found and found.group(1)
    return None


def _run_flags(argv):
    weights, run_dir = _argument(argv, "weights"), _argument(argv, "run_dir")
    if weights:
        return [f"--flagfile={os.path.join(released_folder(weights), RUN_FLAGFILE)}"]
    return [f"--flagfile={run_flagfile(run_dir)}"] if run_dir else []


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
