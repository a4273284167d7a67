"""Trains the stages: `python -m tfwarpgan.train --flagfile=configs/market.flags --run_dir=runs/market`."""

import sys

from tfwarpgan.options import Options, run_command


def main(options):
    """Trains what the options say; exits with 130 when a signal stopped it (everything is saved then)."""
    from tfwarpgan.training.runs import train

    if not train(options):
        sys.exit(130)


def cli():
    """The command."""
    run_command(main, Options)


if __name__ == "__main__":
    cli()
