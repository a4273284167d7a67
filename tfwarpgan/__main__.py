"""Lists the commands: `python -m tfwarpgan`."""

import importlib
import sys
from collections.abc import Sequence

from tfwarpgan.command_line import ending_with_the_reader

COMMANDS = (
    "prepare",
    "train",
    "evaluate",
    "compare",
    "synthesize",
    "photo",
    "studio",
    "export",
    "serve",
    "annotate",
    "traces",
    "study",
    "convert",
)


def main(arguments: Sequence[str]) -> int:
    """Prints a line on each command; gives the exit code."""
    if arguments and arguments != ["--help"]:
        print(
            f"error: Unexpected argument '{arguments[0]}': run a command as python -m tfwarpgan.train.", file=sys.stderr
        )
        return 2
    print("usage: python -m tfwarpgan.COMMAND [--flag=value ...]\n\ncommands; --help of each lists its flags:")
    for name in COMMANDS:
        description = importlib.import_module(f"tfwarpgan.{name}").__doc__ or ""
        print(f"  {name:10}  {description.splitlines()[0]}")
    return 0


if __name__ == "__main__":
    with ending_with_the_reader():
        code = main(sys.argv[1:])
    sys.exit(code)
