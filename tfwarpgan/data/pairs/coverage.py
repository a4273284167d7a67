"""What of a data set's images and joints is not used, counted and named: `prepare` and the data doctor print it."""

import heapq
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tfwarpgan.data.joints.bodies import Where
from tfwarpgan.data.pictures.label_maps import ANNOTATE

if TYPE_CHECKING:
    from tfwarpgan.data.layouts.layout import Layout

NAMED = 5  # of those that are counted


class Coverage:
    """What is left aside in a data set, or in its parts one after the other."""

    def __init__(self) -> None:
        self._trains = self._is_labeled = False
        self._found: dict[str, tuple[int, list[str]]] = {}  # kind -> number, the first of their names

    def add(self, layout: "Layout") -> None:
        """Counts those of a data set that can be read, or of a part of one."""
        self._trains = self._trains or layout.trains()
        self._is_labeled = layout.has_label_maps
        for kind, names in _unused(layout):
            count, first = self._found.get(kind, (0, []))
            self._found[kind] = count + len(names), heapq.nsmallest(NAMED, [*first, *names])

    def notes(self) -> list[str]:
        """One sentence for each kind of image or row."""
        alone = [] if self._trains else ["no images for training: this data set can be evaluated, not trained"]
        if not self._is_labeled:
            alone.append(f"no label maps: only a --model that sees no parsings can be trained on it; {ANNOTATE}")
        return alone + [
            f"{count:,} {kind.format(s='s' * (count != 1))}: {_some(count, names)}"
            for kind, (count, names) in self._found.items()
            if count
        ]


def notes(layout: "Layout") -> list[str]:
    """The notes of the `Coverage` of a whole data set."""
    found = Coverage()
    found.add(layout)
    return found.notes()


def _unused(layout: "Layout") -> Iterator[tuple[str, Collection[str]]]:
    """(kind, names) of what is left aside; in the kind, "{s}" is the plural's."""
    rows = layout.rows()
    keys = {layout.key(name) for name in rows}
    persons = {key: path for key, path in layout.images.items() if layout.person(key) is not None}
    shown: dict[str | None, str] = {key: layout.shown_name(path) for key, path in persons.items()}
    there = {shown[layout.key(name)]: row for name, row in rows.items() if layout.key(name) in shown}
    nobody = {name for name, (_, visible, _) in there.items() if not np.any(visible)}
    skipped = {name for name, (_, _, where) in there.items() if isinstance(where, Where) and where.empty}
    yield "image{s} without a row of joints left out", [name for key, name in shown.items() if key not in keys]
    if layout.data_options.keypoints:  # in the layout's own lists, such a row is an error
        yield "row{s} of joints without an image left out", [name for name in rows if layout.image(name) is None]
    yield "image{s} on which nobody was found left out", nobody
    yield "image{s} with bodies without joints, which were skipped", skipped - nobody


def _some(count: int, first: Sequence[str]) -> str:
    more = f" and {count - len(first):,} more" if count > len(first) else ""
    return ", ".join(first) + more
