"""The design: balance counted, order and repeats checked, for each rater."""

import collections

import pytest

from tfwarpgan.errors import InputError
from tfwarpgan.human_study import design
from tfwarpgan.human_study.design import CHECK, COMPARISON, CORRUPTED, PRACTICE, REAL, REPEAT, Trial

PAIRS = [f"p{number}" for number in range(24)]


def designed(methods, raters, seed=0, repeats=2):
    compared = design.comparisons(methods)
    return design.slots(PAIRS, compared, ["x", "y"], ["u", "v", "w"], repeats, raters, seed)


@pytest.mark.parametrize("methods, raters", [("ab", 2), ("ab", 10), ("abc", 6), ("abcd", 24)])
def test_each_pair_is_judged_equally_often_in_each_comparison_on_each_side(methods, raters):
    compared = design.comparisons(methods)
    slots = designed(methods, raters)
    trials = [trial for slot in slots for trial in slot if trial.kind == COMPARISON]
    found = collections.Counter((trial.name, trial.left, trial.right) for trial in trials)
    assert len(found) == len(PAIRS) * 2 * len(compared)
    assert set(found.values()) == {raters // (2 * len(compared))}


@pytest.mark.parametrize("methods, raters", [("ab", 10), ("abc", 6)])
def test_each_rater_judges_each_pair_once_and_sees_all_arrangements_equally_often(methods, raters):
    arrangements = 2 * len(design.comparisons(methods))
    for slot in designed(methods, raters):
        trials = [trial for trial in slot if trial.kind == COMPARISON]
        assert sorted(trial.name for trial in trials) == sorted(PAIRS)
        counts = collections.Counter((trial.left, trial.right) for trial in trials)
        assert set(counts.values()) == {len(PAIRS) // arrangements} and len(counts) == arrangements


def test_practice_comes_first_and_known_answers_change_sides_between_raters():
    slots = designed("ab", 4)
    for kind, names in ((PRACTICE, "xy"), (CHECK, "uvw")):
        for name in names:
            lefts = [trial.left for slot in slots for trial in slot if (trial.kind, trial.name) == (kind, name)]
            assert collections.Counter(lefts) == {REAL: 2, CORRUPTED: 2}
    assert all([trial.kind == PRACTICE for trial in slot] == [True] * 2 + [False] * (len(slot) - 2) for slot in slots)


def test_repeats_come_later_with_the_sides_swapped():
    for slot in designed("ab", 4, repeats=5):
        again = [(place, trial) for place, trial in enumerate(slot) if trial.kind == REPEAT]
        assert len(again) == 5
        for place, trial in again:
            assert slot.index(Trial(COMPARISON, trial.name, trial.right, trial.left)) < place


def test_the_seed_decides_alone():
    assert designed("ab", 4) == designed("ab", 4) != designed("ab", 4, seed=1)
    orders = {tuple(trial.name for trial in slot) for slot in designed("ab", 10)}
    assert len(orders) == 10


def test_what_is_compared():
    assert design.comparisons("abc") == [("a", "b"), ("a", "c"), ("b", "c")]
    assert design.comparisons("abc", "first") == [("a", "b"), ("a", "c")]
    assert [design.number_of_raters(0, compared) for compared in (1, 3)] == [10, 30]
    assert [design.share_of(0.1, pairs) for pairs in (100, 4, 30)] == [10, 1, 3] and design.share_of(0.0, 9) == 0


@pytest.mark.parametrize("raters, compared, words", [(3, 1, "multiple of 2, to balance both sides"), (10, 3, "of 6")])
def test_raters_who_cannot_be_balanced_are_refused(raters, compared, words):
    with pytest.raises(InputError, match=words):
        design.number_of_raters(raters, compared)
