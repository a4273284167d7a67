"""What the data doctor says of a data set as a whole, by its sums: sides, labels, shapes, and where joints lie."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING

import numpy as np

from tfwarpgan.body.labels import LABELS
from tfwarpgan.data.doctor.facts import BACK, FRONT
from tfwarpgan.data.pictures.framing import Framing
from tfwarpgan.options import PICTURE_FITS, DataOptions

if TYPE_CHECKING:
    from tfwarpgan.data.doctor.examine import Report

FEWEST_PEOPLE = 20  # of one view, before a share of them says anything


def judge(report: Report, data_options: DataOptions) -> None:
    """Adds to a report what its sums tell."""
    _judge_sides(report)
    _judge_labels(report)
    if data_options.dataset != "lip":  # whose images keep their shapes, and have no joints
        _judge_shapes(report, Framing.of(data_options))
        _judge_joints(report, data_options)


def _judge_sides(report: Report) -> None:
    shoulders = sum((split.shoulders for split in report.splits.values()), collections.Counter())
    for view, expected in ((FRONT, True), (BACK, False)):
        right, wrong = shoulders[view, expected], shoulders[view, not expected]
        if right + wrong >= FEWEST_PEOPLE and wrong > right:
            report.warnings["left and right"].append(
                f"Of {right + wrong:,} people seen from the {view}, {wrong:,} have their shoulders the wrong way "
                "round: left and right of the joints seem to be exchanged; they are the person's own."
            )
    own, other = sum((split.limbs for split in report.splits.values()), np.zeros(2, np.int64))
    if own + other >= FEWEST_PEOPLE and other > own:
        report.warnings["left and right"].append(
            f"Of {own + other:,} elbows, wrists, knees and ankles on bare limbs, {other:,} lie on a label of the "
            "other side: left and right of the joints or of the labels seem to be exchanged."
        )


def _judge_labels(report: Report) -> None:
    if len(report.splits) == 2:
        first, *others = report.splits.values()
        never = (first.with_label == 0) & (others[0].with_label > 0) & (first.images > 0)
        for label in np.flatnonzero(never):
            report.warnings["labels"].append(f"Label {label}, {LABELS[label]}, occurs, but never in training.")


def _judge_shapes(report: Report, framing: Framing) -> None:
    sizes = sum((split.sizes for split in report.splits.values()), collections.Counter())
    others = {size: count for size, count in sizes.items() if framing.is_other_shape(size)}
    if others:
        shapes = [f"{width / height:.2f}" for height, width in others]
        report.warnings["sizes"].append(
            f"{sum(others.values()):,} of {sizes.total():,} images, of width over height {min(shapes)} to "
            f"{max(shapes)}, have another shape than {framing.width} x {framing.height}: --picture_fit={framing.fit} "
            f"{PICTURE_FITS[framing.fit]}."
        )


def _judge_joints(report: Report, data_options: DataOptions) -> None:
    """An error where preparing would refuse a split's joints."""
    for name, split in report.splits.items():
        problem = split.tally.problem(data_options.max_stray_joints)
        if problem:
            report.errors["joints that do not lie on the person"].append(f"{name}: {problem}")
