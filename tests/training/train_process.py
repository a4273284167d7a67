"""What test_kills.py does in processes of its own: trains stages, and kills itself in one: `FLAGFILE STAGE[=STEP] ...`.

At that step, what is logged of it has been written, and its checkpoint not.
"""

import dataclasses
import os
import signal
import sys

import tensorflow as tf
from absl import flags

from tfwarpgan.flags import define_flags, from_flags
from tfwarpgan.options import Options
from tfwarpgan.training import runs


class Kill(tf.keras.callbacks.Callback):
    """Kills the process at a step."""

    def __init__(self, step):
        super().__init__()
        self.step = step

    def on_train_batch_end(self, batch, logs=None):
        if self.model.steps_done == self.step:
            os.kill(os.getpid(), signal.SIGKILL)


def main(flagfile, *stages):
    define_flags(Options)
    flags.FLAGS(["train", f"--flagfile={flagfile}"])
    options, watching = from_flags(Options), runs._watching
    for stage, _, step in (argument.partition("=") for argument in stages):
        killing = [Kill(int(step))] if step else []
        runs._watching = lambda *arguments, killing=killing: [*watching(*arguments), *killing]
        run_dir = os.path.join(options.train.run_dir, "human_parser" if stage == "human_parser" else "run")
        train = dataclasses.replace(options.train, stage=stage, run_dir=run_dir)
        assert runs.train(dataclasses.replace(options, train=train))


if __name__ == "__main__":
    main(*sys.argv[1:])
