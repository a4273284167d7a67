"""kill -9 in every stage: what a run leaves in the end is, bit by bit, what it leaves undisturbed."""

import dataclasses
import os
import pathlib
import signal

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfwarpgan.flagfiles import to_flagfile
from tfwarpgan.inference.checkpoints import checkpoints_in
from tfwarpgan.options import Options

STAGES = ("human_parser", "pose_guided_parser", "geometric_matcher", "warping_generator")
STEPS = 5


def write_lip(folder):
    """A LIP folder of six blocks of color."""
    for archive, kind, suffix in (
        ("TrainVal_images", "images", "jpg"), ("TrainVal_parsing_annotations", "segmentations", "png")
    ):  # fmt: skip
        for split, count in (("train", 6), ("val", 2)):
            (folder / archive / f"{split}_{kind}").mkdir(parents=True)
            for number in range(count):
                labels = np.zeros([40, 30], np.uint8)
                labels[10:30, 10:20] = number + 1
                picture = Image.fromarray(labels if suffix == "png" else labels[..., None].repeat(3, -1) * 30)
                picture.save(folder / archive / f"{split}_{kind}" / f"{number}.{suffix}")
            (folder / f"{split}_id.txt").write_text("".join(f"{number}\n" for number in range(count)))
    return str(folder)


@pytest.fixture
def train(processes, options, market, tmp_path):
    """Function of a folder, a stage and the step where it is to be killed, if any -> its process, begun.

    With a discriminator for the generator alone, and one warping block: each process compiles its stage anew.
    """
    losses = dataclasses.replace(options.losses, parser_lambda_adversarial=0.0, parser_lambda_pyramid=0.0)
    networks = dataclasses.replace(options.networks, warp_scales="8", warp_parts=1)
    data = dataclasses.replace(
        options.data, dataset="market1501", data_dir=str(market), prepared_dir=str(tmp_path / "prepared"),
        lip_dir=write_lip(tmp_path / "lip"), flip=True, seed=3,
    )  # fmt: skip

    def train(folder, stage, step=None):
        course = dataclasses.replace(
            options.train, stage=stage, run_dir=str(tmp_path / folder / run_of(stage)), deterministic=True,
            human_parser_steps=STEPS, parser_steps=STEPS, matcher_steps=STEPS, matcher_pretraining_steps=3,
            generator_steps=STEPS, checkpoint_every=2, log_every=3, pictures_every=4,
        )  # fmt: skip
        flagfile = tmp_path / f"{folder}_{stage}.flags"
        flagfile.write_text(to_flagfile(Options(data, networks, losses, course)))
        log = tmp_path / f"{folder}_{stage}.log"
        return processes.start(processes.train, [f"--flagfile={flagfile}"], step, signal.SIGKILL, log=log)

    return train


def run_of(stage):
    return "human_parser" if stage == "human_parser" else "run"


def tensors(folder):
    reader = tf.train.load_checkpoint(checkpoints_in(str(folder))[0])
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map() if "save_counter" not in name}


def logged(folder):
    """(tag, step, value as bytes) of all that was logged but for the speed, which no two runs have in common."""
    return sorted(
        (value.tag, event.step, value.tensor.SerializeToString())
        for name in os.listdir(folder)
        if "tfevents" in name
        for event in tf.compat.v1.train.summary_iterator(os.path.join(folder, name))
        for value in event.summary.value
        if "images_per_second" not in value.tag
    )


def test_a_run_that_was_killed_in_every_stage_ends_as_one_that_was_not(processes, train, tmp_path):
    """Killed at a step of which what is logged has been written, and no checkpoint."""
    for stage in STAGES:
        undisturbed = train("undisturbed", stage)  # beside the others
        killed = processes.ends([train("killed", stage, 4)])
        codes = killed + processes.ends([train("killed", stage), undisturbed])
        logs = [(tmp_path / f"{run}_{stage}.log").read_text()[-3000:] for run in ("killed", "undisturbed")]
        assert codes == [-9, 0, 0], logs

    for run in ("run", "human_parser"):
        want, got = logged(tmp_path / "undisturbed" / run), logged(tmp_path / "killed" / run)
        assert [entry[:2] for entry in got] == [entry[:2] for entry in want]
        assert got == want
        assert {step for _, step, _ in want} == {3, 4, 5}
    for stage in STAGES:
        place = pathlib.Path(run_of(stage)) / stage
        want, got = tensors(tmp_path / "undisturbed" / place), tensors(tmp_path / "killed" / place)
        assert want.keys() == got.keys() and len(want) > 50
        for name, value in want.items():
            np.testing.assert_array_equal(got[name], value, err_msg=name)
        assert not [name for name in os.listdir(tmp_path / "killed" / place) if "temp" in name]
