"""A training looks for its data once, before TensorFlow starts, and prepares what it found."""

import collections
import dataclasses
import sys

import numpy as np
import pytest
from PIL import Image

from tfwarpgan import train
from tfwarpgan.data.layouts import layout, lip, opening
from tfwarpgan.errors import InputError
from tfwarpgan.options import DataOptions, LossOptions, Options, TrainOptions, WorkerOptions, check_data_place
from tfwarpgan.training import runs
from tfwarpgan.training.source import open_source


@pytest.fixture
def data(market, tmp_path):
    """Options of the drawn pairs, with a LIP folder of one image per split."""
    for split in ("train", "val"):
        for folder in (
            f"TrainVal_images/{split}_images/a.jpg",
            f"TrainVal_parsing_annotations/{split}_segmentations/a.png",
        ):
            path = tmp_path / "lip" / folder
            path.parent.mkdir(parents=True)
            Image.fromarray(np.ones([40, 30], np.uint8)).save(path)
        (tmp_path / f"lip/{split}_id.txt").write_text("a\n")
    return DataOptions(
        dataset="market1501", data_dir=str(market), lip_dir=str(tmp_path / "lip"), height=64, width=32,
        prepared_dir=str(tmp_path / "prepared"),
    )  # fmt: skip


@pytest.fixture
def calls(monkeypatch):
    """How often a training start opens its data and looks whether they have a place; no stage is trained."""
    watched = {
        function.__code__: name
        for name, function in {
            "place": check_data_place, "open_layout": opening.open_layout, "open_lip": opening.open_lip,
            "Layout": layout.Layout.__init__, "find_lip": lip.find_lip,
        }.items()
    }  # fmt: skip
    counts = collections.Counter()

    def count(frame, event, argument):
        del argument
        if event == "call" and frame.f_code in watched:
            counts[watched[frame.f_code]] += 1

    monkeypatch.setattr(runs, "train_stage", lambda name, options, stage_data, *others: bool(stage_data.source))
    sys.setprofile(count)
    yield counts
    sys.setprofile(None)


def run_options(data, run_dir, **more):
    losses = LossOptions(lambda_perceptual=0.0)
    return Options(data=data, losses=losses, train=TrainOptions(run_dir=str(run_dir), **more))


def start(data, tmp_path, **more):
    train.main(run_options(data, tmp_path / "run", **more), WorkerOptions())


def test_the_layout_is_opened_once(data, tmp_path, calls):
    start(data, tmp_path)
    assert calls == {"place": 1, "open_layout": 1, "Layout": 1}
    runs.train(run_options(data, tmp_path / "other"))
    assert calls == {"place": 2, "open_layout": 2, "Layout": 2}


def test_the_rows_of_lip_are_found_once(data, tmp_path, calls):
    start(data, tmp_path, stage="human_parser")
    assert calls == {"open_lip": 1, "find_lip": 1}
    start(dataclasses.replace(data, dataset="lip", data_dir=""), tmp_path, stage="human_parser")
    assert calls == {"open_lip": 2, "find_lip": 2}


def test_what_is_missing_is_said_before_the_run_has_a_folder(data, tmp_path):
    with pytest.raises(InputError, match="nowhere.* is missing"):
        start(dataclasses.replace(data, data_dir=str(tmp_path / "nowhere")), tmp_path)
    assert not (tmp_path / "run").exists()


def test_the_source_is_a_layout_or_the_rows_of_lip(data):
    assert open_source(run_options(data, "run")).images
    assert set(open_source(run_options(data, "run", stage="human_parser"))) == {"train", "val"}
