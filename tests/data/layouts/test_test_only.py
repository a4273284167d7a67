"""Data sets that are only tested: no lists for training, or lists of a header alone."""

import shutil

import pytest

from tfwarpgan.data.doctor import examine
from tfwarpgan.data.layouts.opening import open_layout
from tfwarpgan.data.pairs.persons import read_persons
from tfwarpgan.data.records import preparation
from tfwarpgan.errors import InputError
from tfwarpgan.options import Options, TrainOptions

LISTS = ("market-annotation-train.csv", "market-pairs-train.csv")


def _headers(market):
    for name in LISTS:
        (market / name).write_text((market / name).read_text().splitlines()[0] + "\n")


def _absent(market):
    for name in LISTS:
        (market / name).unlink()


def _nothing(market):
    _absent(market)
    shutil.rmtree(market / "bounding_box_train")


def _empty_pairs(market):
    (market / LISTS[1]).write_text("from,to\n")


@pytest.mark.parametrize("make", [_headers, _absent, _nothing, _empty_pairs])
def test_it_is_checked_and_read(options, market, make):
    make(market)
    layout = open_layout(options())
    assert not layout.trains() and read_persons(layout, "train") == [] and len(read_persons(layout, "test")) == 2
    report = examine.examine(options(), workers=1)
    assert not report.is_fatal and report.splits["test"].pairs == 8
    notes = report.warnings["images and joints that are not used"]
    assert notes[0] == "no images for training: this data set can be evaluated, not trained"
    assert not report.warnings["labels"]


def test_it_is_prepared_and_not_trained(options, market):
    from tfwarpgan.training.stage_data import StageData

    _nothing(market)
    prepared = preparation.prepare(options())
    assert prepared.num_pairs == {"train": 0, "test": 8} and prepared.num_persons == {"train": 0, "test": 2}
    assert len(list(prepared.records("test").as_numpy_iterator())) == 2
    with pytest.raises(InputError, match="has no training pairs: it can be evaluated, not trained.*--pair_source=rule"):
        StageData(Options(data=options(), train=TrainOptions(stage="all")), open_layout(options()))


def test_the_rule_needs_no_training_either(options, market):
    _absent(market)
    (market / "market-pairs-test.csv").unlink()
    layout = open_layout(options(pair_source="rule"))
    assert not layout.trains() and read_persons(layout, "train") == []


@pytest.mark.parametrize("name", ["market-pairs-train.csv", "market-pairs-test.csv"])
def test_a_list_that_was_forgotten_is_named_with_the_rule(options, market, name):
    (market / name).unlink()
    with pytest.raises(InputError, match=rf"{name} is missing: .*--pair_source=rule"):
        open_layout(options())


def test_joints_for_training_that_are_missing_are_named(options, market):
    (market / "market-annotation-train.csv").unlink()
    with pytest.raises(InputError, match=r"market-annotation-train\.csv is missing"):
        open_layout(options())
