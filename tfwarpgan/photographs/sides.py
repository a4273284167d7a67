"""Right and left of a label map by joints: human parsers confuse the sides of a person more often than MoveNet does."""

import numpy as np

from tfwarpgan.body.joints import NAMES
from tfwarpgan.body.labels import LABELS
from tfwarpgan.photographs.figure import ARM, LEG, SIDES
from tfwarpgan.photographs.shapes import capsule
from tfwarpgan.typing import Floats, Joints, LabelMap, Visible

_BONES = {"arm": ARM, "leg": LEG, "shoe": LEG[1:]}  # of what a label goes on: joints from first to last


def with_sides(labels: LabelMap, joints: Joints, visible: Visible) -> LabelMap:
    """A label map whose arms, legs and shoes are on the side of the nearer limb; all as it is where one is not seen.

    Args:
        labels: uint8 [H, W], labels of `body.labels`.
        joints: float [18, 2], (y, x) in its pixels.
        visible: bool [18].
    """
    for part, names in _BONES.items():
        pair = [LABELS.index(f"{side}-{part}") for side in SIDES]
        right, left = (_distance(labels, joints, visible, [f"{side} {name}" for name in names]) for side in SIDES)
        if np.isfinite(right).any() and np.isfinite(left).any():
            labels = np.where(np.isin(labels, pair), np.where(right <= left, *pair), labels).astype(np.uint8)
    return labels


def _distance(labels: LabelMap, joints: Joints, visible: Visible, names: list[str]) -> Floats:
    """Of each pixel from the bones between visible joints, [H, W] in pixels; infinite where there is none."""
    near = np.full(labels.shape, np.inf)
    places = [NAMES.index(name) for name in names]
    for first, last in zip(places, places[1:]):
        if visible[first] and visible[last]:
            size = (labels.shape[0], labels.shape[1])
            near = np.minimum(near, capsule(size, joints[first], joints[last], (1.0, 1.0))[0])
    return near
