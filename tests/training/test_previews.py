"""Previews: the pairs that they show."""

import dataclasses
import functools
import itertools

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.compat import variables_of
from tfwarpgan.data.batches.pairs import pairs_dataset
from tfwarpgan.data.records.preparation import prepare
from tfwarpgan.evaluation.metrics.pose_change import pose_change
from tfwarpgan.layers.label_maps import binomial_filter
from tfwarpgan.models.inputs import dense_inputs
from tfwarpgan.options import DataOptions
from tfwarpgan.training import previews
from tfwarpgan.training.optimization import make_optimizer
from tfwarpgan.training.stages import TRAINERS
from tfwarpgan.training.validation import averaged


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


def test_a_preview_shows_what_others_will_use(options, batch, monkeypatch):
    """The running mean of the weights, and a parsing without stray pixels."""
    name = "pose_guided_parser"
    trainer = TRAINERS[name](options)
    trainer.compile_networks(functools.partial(make_optimizer, options.train, 5), ema=0.9)
    shown = []
    monkeypatch.setattr(previews.drawing, "grid", lambda columns, scale: shown.append(columns["synthesized parsing"]))
    paint = previews.painter(name, trainer, batch, options)
    paint()
    for variable in variables_of(trainer.networks[name]):
        variable.assign(tf.zeros_like(variable))  # of which no parsing would come but of one label
    paint()
    np.testing.assert_array_equal(*shown)
    with averaged(trainer):
        logits = trainer.networks[name](dense_inputs(batch, options.data))["parsing_logits"]
    labels = np.argmax(binomial_filter(logits), axis=-1)
    assert (labels != np.argmax(logits, axis=-1)).any()
    np.testing.assert_array_equal(shown[0], previews.drawing.color_parsing(labels))


def test_previews_of_few_pairs_show_each_once(small_people):
    prepared = prepare(small_people)
    total = prepared.num_pairs["test"]
    assert previews.spread(prepared, total + 5) == list(range(total))
    assert len(list(itertools.chain(_test_pairs(prepared, small_people, only=range(total))))) == total
