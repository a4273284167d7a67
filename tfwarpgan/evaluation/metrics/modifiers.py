"""What is done to both pictures before they are measured: white columns, and masks; see `ids`."""

import dataclasses
from collections.abc import Callable

import numpy as np

from tfwarpgan.evaluation.metrics.masks import MASKS
from tfwarpgan.evaluation.metrics.metric import Accumulator, Levels, Metric, Pairs, Score

Change = Callable[[Pairs], Pairs]
GRAY = 127.5  # zero, of pictures in [-1, 1]


def modified(metric: Metric, modifiers: list[str]) -> Metric:
    """A metric of changed pictures.

    Args:
        metric: Of pictures as they are.
        modifiers: As in an id, applied in their order.
    """
    changes = [_change(modifier) for modifier in modifiers]
    roles = [MASKS[modifier.partition("/")[2]][1] for modifier in modifiers if "mask/" in modifier]
    return dataclasses.replace(
        metric,
        id="+".join([metric.id, *modifiers]),
        protocol="; ".join([metric.protocol, *map(_in_words, modifiers)]),
        start=lambda sources: _Modified(metric.start(sources), changes),
        needs=(*metric.needs, *roles),
    )


class _Modified:
    """An accumulator that is given changed pictures."""

    def __init__(self, accumulator: Accumulator, changes: list[Change]) -> None:
        self._accumulator, self._changes = accumulator, changes

    def update(self, pairs: Pairs) -> None:
        for change in self._changes:
            pairs = change(pairs)
        self._accumulator.update(pairs)

    def result(self) -> Score:
        return self._accumulator.result()


def _change(modifier: str) -> Change:
    if modifier.startswith("white"):
        columns = int(modifier.removeprefix("white"))
        return lambda pairs: _with_both(pairs, lambda levels: padded(levels, columns))
    kind, _, name = modifier.partition("/")
    return lambda pairs: _masked(pairs, name, GRAY if kind == "graymask" else 0)


def _in_words(modifier: str) -> str:
    kind, _, name = modifier.partition("/")
    if kind.startswith("white"):
        return f"both pictures with {kind.removeprefix('white')} white columns at each side"
    color = "gray" if kind == "graymask" else "black"
    return f"both pictures {color} outside of the mask {name} of the {MASKS[name][1]}'s pose"


def padded(levels: Levels, columns: int) -> Levels:
    """Pictures [B, H, W, 3] with white columns at each side, which their joints do not follow: mask first, then pad."""
    return np.pad(levels, [(0, 0), (0, 0), (columns, columns), (0, 0)], constant_values=255)


def _masked(pairs: Pairs, name: str, outside: float) -> Pairs:
    draw, role = MASKS[name]
    size = pairs.target.shape[1:3]
    masks = np.stack([draw(joints, visible, size) for joints, visible in zip(*pairs.poses[role])])[..., np.newaxis]
    fill = outside if outside == GRAY else np.zeros((), pairs.target.dtype)
    return _with_both(pairs, lambda levels: np.where(masks, levels, fill))


def _with_both(pairs: Pairs, change: Callable[[Levels], Levels]) -> Pairs:
    return dataclasses.replace(pairs, target=change(pairs.target), generated=change(pairs.generated))
