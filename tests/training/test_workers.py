"""Several workers of one training equal one, survive each other's ends, and leave one another's files alone."""

import dataclasses
import importlib
import pathlib
import sys

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.training import stages
from tfwarpgan.training.workers import Workers

STEPS = 20


@pytest.fixture(scope="module")
def processes():
    """The module `worker_process`, under a name by which new processes find it too."""
    sys.path.append(str(pathlib.Path(__file__).parent))
    yield importlib.import_module("worker_process")
    sys.path.pop()


def ends(started, seconds=120):
    """The exit codes of processes, which may take that long."""
    for process in started:
        process.join(seconds)
    codes = [process.exitcode for process in started]
    for process in started:
        process.kill()
    return codes


@pytest.fixture
def stage_batches(batch):
    """Stage -> batch of four examples; of the human parser, one without a label."""
    batch = {name: value.numpy() for name, value in batch.items()}
    batches = {stage: batch for stage in stages.TRAINERS}
    parsing = batch["target_parsing"].copy()
    parsing[0] = 255
    return {**batches, "human_parser": {"image": batch["target_image"], "parsing": parsing}}


def test_two_workers_equal_one(processes, options, stage_batches, tmp_path):
    """Through both phases of the matcher; `test_trainers` has every loss term."""
    train = dataclasses.replace(options.train, matcher_pretraining_steps=10, matcher_steps=20, decay_from=0.5)
    options = dataclasses.replace(options, train=train)
    of_two = processes.addresses(2)
    started = [
        processes.start(
            processes.trace_stages, Workers(of_two, index), options, stage_batches, STEPS, tmp_path / "two.npz",
            log=tmp_path / f"log{index}",
        )
        for index in range(2)
    ]  # fmt: skip
    one = {
        f"{stage}/{name}": values
        for stage, batch in stage_batches.items()
        for name, values in processes.stage_course(
            stage, options, batch, STEPS, tf.distribute.get_strategy(), Workers()
        ).items()
    }
    assert ends(started) == [0, 0], [(tmp_path / f"log{index}").read_text()[-3000:] for index in range(2)]
    two = np.load(tmp_path / "two.npz")
    assert set(one) == set(two.files)
    for name, values in one.items():
        assert len(values) == STEPS
        np.testing.assert_allclose(two[name], values, rtol=1e-5, atol=1e-5, err_msg=name)
