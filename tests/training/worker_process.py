"""Several worker processes of one training, on this machine: what they do, and how the tests start them.

They are forked from one process that has imported TensorFlow, and nothing more, so that each starts at once.
"""

import contextlib
import multiprocessing
import os
import socket
import sys
import time
from unittest import mock

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tfwarpgan.training.runs"])


def addresses(count):
    """Addresses on this machine whose ports are free."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("localhost", 0))
        return tuple(f"localhost:{each.getsockname()[1]}" for each in sockets)


def start(function, *arguments, log):
    """A process that calls the function; what it prints goes to the file."""
    process = _context.Process(target=_call, args=(log, function, *arguments))  # no daemon: it has processes of its own
    process.start()
    return process


def ends(started, seconds=600):
    """The exit codes of processes, which may take that long together."""
    end = time.monotonic() + seconds
    for process in started:
        process.join(max(0, end - time.monotonic()))
    codes = [process.exitcode for process in started]
    for process in started:
        process.kill()
    return codes


def _call(log, function, *arguments):
    with open(log, "w") as file:
        for descriptor in (1, 2):
            os.dup2(file.fileno(), descriptor)
    function(*arguments)
    sys.stdout.flush()


def train(arguments, step=None, number=None):
    """The command, with these arguments; after that step it gets the signal of that number."""
    import tensorflow as tf

    from tfwarpgan import train
    from tfwarpgan.training import runs

    class Signal(tf.keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.steps_done == step:
                os.kill(os.getpid(), number)

    watching = runs._watching
    runs._watching = lambda *arguments: [*watching(*arguments), Signal()]
    sys.argv = ["train", *arguments]
    train.cli()


def choose(workers, path):
    """Writes what this worker hears of the chief's choice, of values of any, and of totals."""
    import json

    import numpy as np
    import tensorflow as tf

    from tfwarpgan.training import distribution

    strategy = distribution.choose_strategy(None, workers)
    asked = []

    def choice():
        asked.append(True)
        return ("c", "a")

    chosen = [distribution.chosen_by_chief(choice, ("a", "b", "c"), strategy, workers) for _ in range(8)]
    tf.keras.backend.clear_session()  # as between two stages
    totals = [distribution.total({"sum": np.array(float(value))}, strategy, workers)["sum"] for value in range(8)]
    found = {
        "asked": bool(asked), "chosen": chosen[-1], "totals": [float(value) for value in totals],
        "any": [distribution.any_worker(workers.index == who, strategy, workers) for who in (1, 2)],
    }  # fmt: skip
    path.write_text(json.dumps(found))


def trace_stages(workers, options, batches, steps, path):
    """The logged means of each step, by stage, of untrained stages on these batches; the chief writes them."""
    import numpy as np

    from tfwarpgan.training.distribution import choose_strategy

    strategy = choose_strategy(None, workers)
    found = {}
    for stage, batch in batches.items():
        for name, values in stage_course(stage, options, batch, steps, strategy, workers).items():
            found[f"{stage}/{name}"] = values
    if workers.is_chief:
        np.savez(path, **found)


def stage_course(stage, options, batch, steps, strategy, workers):
    """Name of a mean -> its value after each step, the steps before it included.

    As in `test_trainers`, Adam's epsilon is so large that a step is no mere sign of the gradient.
    """
    import tensorflow as tf

    from tfwarpgan.data.batches.shares import Share
    from tfwarpgan.models import build
    from tfwarpgan.training import stages
    from tfwarpgan.training.loop import run_steps
    from tfwarpgan.training.optimization import make_optimizer

    def optimizer(name):
        adam = make_optimizer(options.train, steps, name)
        adam.epsilon = 0.1
        return adam

    def untrained(options, stage):
        return {name: getattr(build, name)(options) for name in ("pose_guided_parser", "geometric_matcher")}

    tf.keras.backend.clear_session()
    tf.keras.utils.set_random_seed(0)
    with strategy.scope(), mock.patch.object(stages, "frozen_networks", untrained):
        trainer = stages.TRAINERS[stage](options)
        trainer.compile_networks(optimizer)
    size = len(next(iter(batch.values())))
    share = Share(workers.index, workers.count)
    dataset = share.of(tf.data.Dataset.from_tensor_slices(batch).repeat(), size).batch(share.size(size), True)

    class Record(tf.keras.callbacks.Callback):
        logs = []

        def on_train_batch_end(self, batch, logs=None):
            self.logs.append({name: float(value) for name, value in logs.items()})

    record = Record()
    run_steps(trainer, dataset, steps, [record], strategy)
    return {name: [logs[name] for logs in record.logs] for name in record.logs[0]}
