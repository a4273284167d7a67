"""Trains the stages in order, or one of them.

python -m tfwarpgan.train --flagfile=configs/market.flags
"""

import os
import sys

from tfwarpgan.command_line import run_command
from tfwarpgan.options import Options, WorkerOptions
from tfwarpgan.training.source import open_source
from tfwarpgan.training.workers import find_workers


def main(options: Options, worker_options: WorkerOptions) -> None:
    """Trains what the options say; exits with 130 if a signal stopped it, after saving everything."""
    workers = find_workers(worker_options)
    if workers.count > 1 and os.environ.get("TF_CPP_MIN_LOG_LEVEL") == "2":
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"  # of a lost worker it says the same many times
    # Several workers are connected first: one that finds its data missing ends, and the others need not wait for it.
    source = open_source(options) if workers.count == 1 else None
    from tfwarpgan.training.runs import train  # imports TensorFlow, which a wrong flag should not wait for

    if not train(options, source=source, workers=workers):
        sys.exit(130)


def cli() -> None:
    """The command."""
    run_command(main, Options, WorkerOptions)


if __name__ == "__main__":
    cli()
