"""Several workers of one training equal one, survive each other's ends, and leave one another's files alone."""

import dataclasses
import signal
import time

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.flagfiles import to_flagfile
from tfwarpgan.options.systems import SYSTEMS
from tfwarpgan.training.workers import Workers

STEPS = 20


@pytest.fixture
def stage_batches(batch):
    """Stage -> batch of four examples; of the human parser, one without a label."""
    batch = {name: value.numpy() for name, value in batch.items()}
    batches = {stage: batch for stage in SYSTEMS["warpgan"].stages}
    parsing = batch["target_parsing"].copy()
    parsing[0] = 255
    return {**batches, "human_parser": {"image": batch["target_image"], "parsing": parsing}}


def test_two_workers_equal_one(processes, options, stage_batches, tmp_path):
    """Through both phases of the matcher; `test_trainers` has every loss term."""
    train = dataclasses.replace(options.train, learning_rate=0.001, matcher_pretraining_steps=10, matcher_steps=STEPS)
    networks = dataclasses.replace(options.networks, warp_scales="8", warp_parts=1)
    options = dataclasses.replace(options, networks=networks, train=train)
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
    assert processes.ends(started) == [0, 0], [(tmp_path / f"log{index}").read_text()[-3000:] for index in range(2)]
    two = np.load(tmp_path / "two.npz")
    assert set(one) == set(two.files)
    for name, values in one.items():
        assert len(values) == STEPS
        # This one counts pixels, and steps so small, after which no rounding has turned a unit on or off, turn none.
        assert len(set(values)) > 1 or name == "human_parser/pixel_accuracy"
        np.testing.assert_allclose(two[name], values, rtol=1e-5, atol=1e-5, err_msg=name)


@pytest.fixture
def run_options(options, market, tmp_path):
    """Of a run of stage I alone, by its cross-entropy, on the drawn data set."""
    data = dataclasses.replace(
        options.data, dataset="market1501", data_dir=str(market), prepared_dir=str(tmp_path / "prepared"), flip=True
    )
    losses = dataclasses.replace(options.losses, parser_lambda_adversarial=0.0, parser_lambda_pyramid=0.0)
    train = dataclasses.replace(
        options.train, stage="pose_guided_parser", checkpoint_every=2, keep_checkpoints=9, validate_every=0,
        deterministic=True,
    )  # fmt: skip
    return dataclasses.replace(options, data=data, losses=losses, train=train)


@pytest.fixture
def training(processes, run_options, tmp_path):
    """Function of a run's name, its steps, workers and who gets which signal after which step -> the processes.

    The last worker may have flags of its own.
    """

    def training(run, steps, count=2, who=None, step=None, number=None, last=()):
        train = dataclasses.replace(run_options.train, run_dir=str(tmp_path / run), parser_steps=steps)
        flagfile = tmp_path / f"{run}.flags"
        flagfile.write_text(to_flagfile(dataclasses.replace(run_options, train=train)))
        workers = [f"--workers={','.join(processes.addresses(count))}"]
        return [
            processes.start(
                processes.train,
                [f"--flagfile={flagfile}", *workers, f"--worker={index}", *(last if index == count - 1 else ())],
                *((step, number) if index == who else ()), log=tmp_path / f"{run}{index}.log",
            )
            for index in range(count)
        ]  # fmt: skip

    return training


def lines(path, beginning):
    return [line for line in path.read_text().splitlines() if line.startswith(beginning)]


def tensors(path):
    reader = tf.train.load_checkpoint(str(path))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map() if "save_counter" not in name}


def logged(folder):
    """(tag, step) -> value of all scalars but the speed; each has been logged once."""
    found = {}
    for path in sorted(folder.glob("*tfevents*")):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                if value.metadata.plugin_data.plugin_name == "scalars" and "images_per_second" not in value.tag:
                    assert (value.tag, event.step) not in found
                    found[value.tag, event.step] = float(tf.make_ndarray(value.tensor))
    return found


def test_a_run_survives_its_workers(processes, training, tmp_path):
    """Three kills, of either worker, and a termination signal; then with one worker, and with two again."""
    undisturbed = training("undisturbed", 14)  # beside the others
    for who, step in ((1, 3), (0, 5), (1, 7)):
        started = training("run", 10, who=who, step=step, number=signal.SIGKILL)
        started[who].join(600)
        began = time.monotonic()
        codes = processes.ends(started, 60)
        assert time.monotonic() - began < 60
        assert codes == [-9 if index == who else 2 for index in range(2)]
        (sentence,) = lines(tmp_path / f"run{1 - who}.log", "error: ")
        assert sentence.startswith("error: Another worker stopped or cannot be reached any more")
        assert "Traceback" not in (tmp_path / f"run{1 - who}.log").read_text()
    assert processes.ends(training("run", 10, who=1, step=7, number=signal.SIGTERM)) == [130, 130]
    for index in range(2):
        (sentence,) = lines(tmp_path / f"run{index}.log", "pose_guided_parser: stopped")
        assert sentence == "pose_guided_parser: stopped at step 8, which is saved; run again to go on."
    assert processes.ends(training("run", 10)) == [0, 0]
    assert processes.ends(training("run", 12, count=1)) == [0]
    assert processes.ends(training("run", 14)) == [0, 0]
    assert processes.ends(undisturbed) == [0, 0]

    want, got = (tensors(tmp_path / run / "pose_guided_parser/ckpt-10") for run in ("undisturbed", "run"))
    assert want.keys() == got.keys() and len(want) > 50
    for name, value in want.items():
        np.testing.assert_array_equal(got[name], value, err_msg=name)
    want, got = logged(tmp_path / "undisturbed"), logged(tmp_path / "run")
    assert want.keys() == got.keys() and {step for _, step in want} == set(range(1, 15))
    for key, value in want.items():
        np.testing.assert_allclose(got[key], value, rtol=1e-5, atol=1e-6, err_msg=str(key))


def test_the_chief_alone_writes(processes, training, tmp_path):
    before = set(tmp_path.rglob("*"))
    assert processes.ends(training("run", 2)) == [0, 0]
    written = {path for path in set(tmp_path.rglob("*")) - before if path.is_file()}
    assert len([path for path in written if "tfevents" in path.name]) == 1
    assert len(list((tmp_path / "run/pose_guided_parser").glob("*.index"))) == 1


def test_workers_with_other_flags_are_told(processes, training, tmp_path):
    assert processes.ends(training("run", 2, last=["--learning_rate=0.5"])) == [2, 2]
    for index in range(2):
        (sentence,) = lines(tmp_path / f"run{index}.log", "error: ")
        assert sentence == "error: Worker 1 has other flags or data than worker 0: give all of them the same."
    assert not (tmp_path / "run").exists()


def test_a_worker_whose_data_are_missing_ends_the_others(processes, training, tmp_path):
    assert processes.ends(training("run", 2, last=["--data_dir=nowhere"]), 120) == [2, 2]
    (missing,) = lines(tmp_path / "run1.log", "error: ")
    assert missing.startswith("error: nowhere") and "is missing" in missing
    (gone,) = lines(tmp_path / "run0.log", "error: ")
    assert gone.startswith("error: Another worker stopped or cannot be reached any more")
    assert not (tmp_path / "run").exists()
