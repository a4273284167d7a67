"""A label map drawn from joints, for photographs that no human parser has labeled.

The body's shapes are those of `figure`; how far sleeves and legs of clothes reach, and whether there is a skirt, colors
say, or `Clothes`.
"""

import numpy as np

from tfwarpgan.body.labels import LABELS
from tfwarpgan.photographs import clothes as clothing
from tfwarpgan.photographs.clothes import Clothes, Limb
from tfwarpgan.photographs.figure import ARM, LEG, SIDES, Figure
from tfwarpgan.photographs.shapes import Mask
from tfwarpgan.typing import Floats, Joints, LabelMap, Pixels, Visible

_BORDER = 2  # columns at each side that show background


def draw_labels(pixels: Pixels, joints: Joints, visible: Visible, clothes: Clothes) -> LabelMap:
    """The label map of a person.

    Args:
        pixels: Image of the person, uint8 [H, W, 3].
        joints: float [18, 2], (y, x) in its pixels.
        visible: bool [18].
        clothes: `Clothes`, as far as they are known.

    Returns:
        uint8 [H, W], labels of `body.labels`.

    Raises:
        InputError: If neck and hips are not visible.
    """
    figure = Figure(joints, visible, (pixels.shape[0], pixels.shape[1]))
    arms, legs = ({side: figure.limb(side, names) for side in SIDES} for names in (ARM, LEG))
    neck, hair, face = figure.head()
    hands = {side: figure.hand(side) for side in SIDES}
    skin = clothing.color_of(pixels, face | hands["right"] | hands["left"])
    cloth = clothing.color_of(pixels, figure.chest())
    sleeve, leg = clothing.SLEEVES.get(clothes.sleeves), clothing.LEGS.get(clothes.legs)
    sleeve = clothing.covered(pixels, _seen(arms), skin, cloth) if sleeve is None else sleeve
    leg = clothing.covered(pixels, _seen(legs), skin, None) if leg is None else leg
    kind = clothes.legs if clothes.legs != "auto" else _lower(pixels, figure, _seen(legs), leg, cloth)
    top = "dress" if kind == "dress" else "upper-clothes"

    labels = np.zeros(figure.size, np.uint8)
    front = figure.front
    back = SIDES[1 - SIDES.index(front)]
    for side in (back, front):
        _put_limb(labels, legs[side], leg, "pants", f"{side}-leg")
        _put(labels, figure.foot(side), f"{side}-shoe")
    if kind in ("skirt", "dress"):
        _put(labels, figure.skirt(leg), kind)

    def put_arm(side: str) -> None:
        _put(labels, hands[side], f"{side}-arm")
        _put_limb(labels, arms[side], sleeve, top, f"{side}-arm")

    if figure.is_sideways:
        put_arm(back)
    for mask, name in ((figure.torso(), top), (neck, "face"), (hair, "hair"), (face, "face")):
        _put(labels, mask, name)
    if not figure.is_sideways:
        put_arm(back)
    put_arm(front)
    return labels


def _put(labels: LabelMap, mask: Mask, name: str) -> None:
    labels[mask] = LABELS.index(name)


def _put_limb(labels: LabelMap, limb: Limb | None, reach: float, cloth: str, skin: str) -> None:
    if limb is not None:
        _put(labels, limb.mask, skin)
        _put(labels, limb.mask & ((limb.position < reach) | (reach >= 1)), cloth)


def _seen(limbs: dict[str, Limb | None]) -> list[Limb]:
    return [limb for limb in limbs.values() if limb is not None]


def _lower(pixels: Pixels, figure: Figure, legs: list[Limb], reach: float, top: Floats | None) -> str:
    """What covers the legs, by the colors: "skirt", "dress" or "pants"."""
    if not 0 < reach < 1 or len(legs) < 2:
        return "pants"
    thighs = np.logical_or.reduce([limb.core & (limb.position < reach) for limb in legs])
    gap = figure.skirt(reach - 1 / clothing.STEPS, widened=False)
    gap &= ~np.logical_or.reduce([limb.mask for limb in legs])
    around = np.zeros_like(gap)
    around[:, :_BORDER] = around[:, -_BORDER:] = np.any(gap, axis=1)[:, np.newaxis]
    return clothing.skirt_kind(pixels, gap, thighs, around, top)
