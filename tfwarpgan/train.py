"""Trains the stages: `python -m tfwarpgan.train --flagfile=configs/market.flags`."""

import sys

from tfwarpgan.command_line import run_command
from tfwarpgan.options import Options, check_places


def main(options):
    """Trains what the options say; exits with 130 if a signal stopped it, after saving everything."""
    check_places(options)
    from tfwarpgan.training.runs import train  # imports TensorFlow, which a wrong flag should not wait for

    if not train(options):
        sys.exit(130)


def cli():
    """The command."""
    run_command(main, Options)


if __name__ == "__main__":
    cli()
