"""Previews: the pairs that they show."""

import dataclasses
import itertools

import numpy as np
import pytest

from tfwarpgan.data.batches.pairs import pairs_dataset
from tfwarpgan.data.records.preparation import prepare
from tfwarpgan.evaluation.metrics.pose_change import pose_change
from tfwarpgan.options import DataOptions
from tfwarpgan.training import previews


@pytest.fixture
def small_people(market, tmp_path):
    """Options of the drawn data set, of which two people are tested, on 6 + 2 pairs."""
    return DataOptions(
        dataset="market1501", data_dir=str(market), prepared_dir=str(tmp_path), height=64, width=32, batch_size=4
    )


def _test_pairs(prepared, data_options, **arguments):
    """(condition's person, pose change) of each pair."""
    batches = pairs_dataset(prepared, dataclasses.replace(data_options, batch_size=64), "test", names=True, **arguments)
    found = []
    for batch in batches:
        names = [name.decode() for name in batch["condition_name"].numpy()]
        found += zip(names, np.nan_to_num(pose_change(batch, prepared.height)), strict=True)
    return found


def test_previews_show_many_people_and_all_sizes_of_the_pose_change(small_people):
    prepared = prepare(small_people)
    everything = _test_pairs(prepared, small_people)
    positions = previews.spread(prepared, 4)
    length = len(everything) / 4
    assert [int(position // length) for position in positions] == [0, 1, 2, 3]
    for number, position in enumerate(positions):
        stretch = sorted(change for _, change in everything[round(number * length) : round((number + 1) * length)])
        assert everything[position][1] == stretch[number * len(stretch) // 4]
    assert _test_pairs(prepared, small_people, only=positions) == [everything[position] for position in positions]


def test_previews_of_few_pairs_show_each_once(small_people):
    prepared = prepare(small_people)
    total = prepared.num_pairs["test"]
    assert previews.spread(prepared, total + 5) == list(range(total))
    assert len(list(itertools.chain(_test_pairs(prepared, small_people, only=range(total))))) == total
