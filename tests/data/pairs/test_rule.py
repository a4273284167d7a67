"""Pairs by the rule: which, how many, drawn by a seed."""

import tracemalloc

import numpy as np
import pytest

from tfwarpgan.data.pairs import rule
from tfwarpgan.data.pairs.persons import Person
from tfwarpgan.errors import InputError

WHOLE = np.ones(18, bool)


def _without(*joints):
    return ~np.isin(np.arange(18), joints)


def _person(name, visible):
    return Person(name, names=[f"{name}{k}" for k in range(len(visible))], visible=visible)


@pytest.mark.parametrize("joint", [2, 5, 8, 11])
def test_each_shoulder_and_hip_is_needed(joint):
    visible = [WHOLE, _without(joint), _without(0, 1, 3, 4, 6, 7, 9, 10, 12, 13, 14, 15, 16, 17)]
    assert rule.person_pairs(visible) == [(0, 2), (2, 0)]


def test_all_ordered_pairs_of_each_person():
    persons = [_person("a", [WHOLE] * 3), _person("b", [WHOLE]), _person("c", [WHOLE] * 2)]
    built = rule.build_pairs(persons, "train")
    assert [person.name for person in built] == ["a", "c"]
    assert built[0].pairs == [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)] and built[1].pairs == [(0, 1), (1, 0)]
    assert rule.build_pairs(persons, "train")[0].pairs == built[0].pairs  # not twice as many


def test_a_draw_is_the_seed_s():
    def draw(most, seed=0, split="test"):
        persons = [_person(str(k), [WHOLE] * 5) for k in range(10)]
        return [(p.name, pair) for p in rule.build_pairs(persons, split, most, seed) for pair in p.pairs]

    everything = draw(0)
    assert len(everything) == 200 == len(draw(500))
    some = draw(50)
    assert len(set(some)) == len(some) == 50 and set(some) < set(everything)
    assert some == draw(50) and some == sorted(some, key=everything.index)
    assert some != draw(50, seed=1) and some != draw(50, split="train")


def test_nobody_to_pair():
    with pytest.raises(InputError, match=r"No person of test has two images .* \(of 1 persons\)"):
        rule.build_pairs([_person("a", [WHOLE, _without(8)])], "test")


def test_what_is_drawn_is_not_listed_first():
    """3,000 pictures of one person have 9 million pairs."""
    person = _person("a", [WHOLE] * 3000)
    person.names = []
    tracemalloc.start()
    (built,) = rule.build_pairs([person], "train", 1000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(set(built.pairs)) == 1000 and all(first != second for first, second in built.pairs)
    assert peak < 2 << 20


def test_drawn_positions_are_those_of_all_pairs():
    visible = [WHOLE, _without(2), WHOLE, WHOLE]
    everything = rule.person_pairs(visible)
    assert rule.person_pairs(visible, range(6)) == everything == rule.person_pairs(visible, [0, 1, 2, 3, 4, 5])
