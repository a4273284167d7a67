"""Which pictures each rater sees, in which order, and which of two lies on the left.

A rater judges every pair once. Between raters the comparisons of methods take turns, and so do the sides: a Latin
square, so that each pair is judged equally often in each comparison, with each method equally often on the left; each
rater sees every comparison and either side equally often too.

Beside these are practice (with feedback, first), checks that anyone passes who looks, and repeats of earlier pairs with
the sides swapped. All that is random depends on the seed alone.
"""

import dataclasses
import itertools
import math
import random
from collections.abc import Sequence
from typing import TypeAlias

from tfwarpgan.errors import InputError

PRACTICE, COMPARISON, CHECK, REPEAT = "practice", "comparison", "check", "repeat"
REAL, CORRUPTED = "(real)", "(corrupted)"  # stand for methods in practice and checks
LEFT, RIGHT = "left", "right"
ANSWERS_PER_PAIR = 10  # of the field's studies: 10 raters for each pair

Comparison: TypeAlias = tuple[str, str]  # names of two methods


@dataclasses.dataclass(frozen=True)
class Trial:
    """Two pictures side by side.

    Attributes:
        kind: `PRACTICE`, `COMPARISON`, `CHECK` or `REPEAT`.
        name: Of the pictures.
        left: The method of the left picture, or `REAL` or `CORRUPTED`.
        right: That of the right one.
    """

    kind: str
    name: str
    left: str
    right: str

    def chosen(self, side: str) -> str:
        """The method of the picture on a side."""
        return self.left if side == LEFT else self.right


def comparisons(methods: Sequence[str], which: str = "all") -> list[Comparison]:
    """The pairs of methods that are compared: all, or `which="first"` with each other one."""
    pairs = list(itertools.combinations(methods, 2))
    return pairs if which == "all" else [pair for pair in pairs if pair[0] == methods[0]]


def number_of_raters(raters: int, compared: int) -> int:
    """The number of raters asked for, or of 10 answers to each pair in each comparison where it is 0.

    Raises:
        InputError: If comparisons and sides cannot be balanced over so many.
    """
    if raters % (2 * compared):
        told = "both sides" if compared == 1 else f"{compared} comparisons, each with both sides"
        raise InputError(f"--raters={raters} must be a multiple of {2 * compared}, to balance {told}.")
    return raters or ANSWERS_PER_PAIR * compared


def share_of(share: float, pairs: int) -> int:
    """How many checks or repeats a share of the pairs makes, rounded up."""
    return math.ceil(round(share * pairs, 9))


def slots(
    pairs: Sequence[str],
    compared: Sequence[Comparison],
    practice: Sequence[str],
    checks: Sequence[str],
    repeats: int,
    raters: int,
    seed: int,
) -> list[list[Trial]]:
    """The trials of each rater, in order.

    Args:
        pairs: Names of the pictures to judge.
        compared: The comparisons, see `comparisons`.
        practice: Names of real pictures to practice with.
        checks: Names of real pictures for checks.
        repeats: How many pairs each rater sees again; at most a quarter of the pairs.
        raters: See `number_of_raters`.
        seed: Of everything random.
    """
    state = random.Random(seed)
    arrangements = [arrangement for first, second in compared for arrangement in ((first, second), (second, first))]
    starts = [place % len(arrangements) for place in range(len(pairs))]
    state.shuffle(starts)
    found = []
    for rater in range(raters):
        judged = [
            Trial(COMPARISON, name, *arrangements[(start + rater) % len(arrangements)])
            for name, start in zip(pairs, starts)
        ]
        first = _shuffled(state, _with_known_answer(PRACTICE, practice, rater))
        found.append(first + _ordered(state, judged, _with_known_answer(CHECK, checks, rater), repeats))
    return found


def _with_known_answer(kind: str, names: Sequence[str], rater: int) -> list[Trial]:
    sides = ((REAL, CORRUPTED), (CORRUPTED, REAL))
    return [Trial(kind, name, *sides[(place + rater) % 2]) for place, name in enumerate(names)]


def _ordered(state: random.Random, judged: list[Trial], checks: list[Trial], repeats: int) -> list[Trial]:
    """All in random order; what is repeated comes in the first half, and again in the second."""
    order = _shuffled(state, judged + checks)
    half = (len(order) + 1) // 2
    earlier = [trial for trial in order[:half] if trial.kind == COMPARISON]
    again = [
        Trial(REPEAT, trial.name, trial.right, trial.left)
        for trial in state.sample(earlier, min(repeats, len(earlier)))
    ]
    return order[:half] + _shuffled(state, order[half:] + again)


def _shuffled(state: random.Random, trials: list[Trial]) -> list[Trial]:
    return state.sample(trials, len(trials))
