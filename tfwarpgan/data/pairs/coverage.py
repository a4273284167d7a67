"""What of a data set's images and joints is not used, counted and named: `prepare` and the data doctor print it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from tfwarpgan.data.joints.bodies import Where

if TYPE_CHECKING:
    from tfwarpgan.data.layouts.layout import Layout

NAMED = 5  # of those that are counted


def notes(layout: "Layout") -> list[str]:
    """One sentence for each kind of image or row that is left aside, in a data set that can be read."""
    rows = layout.rows()
    keys = {layout.key(name) for name in rows}
    persons = {key: path for key, path in layout.images.items() if layout.person(key) is not None}
    shown: dict[str | None, str] = {key: layout.shown_name(path) for key, path in persons.items()}
    there = {shown[layout.key(name)]: row for name, row in rows.items() if layout.key(name) in shown}
    nobody = {name for name, (_, visible, _) in there.items() if not np.any(visible)}
    skipped = {name: where for name, (_, _, where) in there.items() if isinstance(where, Where) and where.empty}
    kinds = (
        ("image{s} without a row of joints left out", [name for key, name in shown.items() if key not in keys]),
        ("row{s} of joints without an image left out", [name for name in rows if layout.image(name) is None]),
        ("image{s} on which nobody was found left out", nobody),
        ("image{s} with bodies without joints, which were skipped", [name for name in skipped if name not in nobody]),
    )
    alone = [] if layout.trains() else ["no images for training: this data set can be evaluated, not trained"]
    return alone + [
        f"{len(names):,} {kind.format(s='s' * (len(names) != 1))}: {_some(names)}" for kind, names in kinds if names
    ]


def _some(names: Iterable[str]) -> str:
    names = sorted(names)
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
