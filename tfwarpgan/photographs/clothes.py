"""How far clothes reach, by the colors of a photograph: bare is what is nearer to the color of face and hands."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from tfwarpgan.photographs.shapes import Mask
from tfwarpgan.typing import Floats, Pixels

# How much of arms or legs is covered, from shoulders or hips on.
SLEEVES = {"long": 1.0, "short": 0.4, "none": 0.0}
LEGS = {"trousers": 1.0, "shorts": 0.4, "skirt": 0.45, "dress": 0.45}
STEPS = 8  # of a limb, each of which is bare or covered
_NOT_SKIN = 50.0  # levels from the color of face and hands, beyond which nothing is skin
_WARM = 1.08  # times as much red as blue
_SAME_CLOTH = 60.0  # levels between skirt and top of a dress, whose patterns differ in what is seen of them
_FEWEST = 3  # pixels that say a color


@dataclasses.dataclass(frozen=True)
class Limb:
    """An arm or a leg.

    Attributes:
        mask: Where it is, bool [H, W].
        position: How far each pixel lies from shoulder or hip (0) to wrist or ankle (1), float [H, W].
        core: Its middle, which shows no color but its own, bool [H, W].
    """

    mask: Mask
    position: Floats
    core: Mask


@dataclasses.dataclass(frozen=True)
class Clothes:
    """What a person wears.

    Attributes:
        sleeves: A key of `SLEEVES`, or "auto": as the colors say.
        legs: A key of `LEGS`, or "auto".
    """

    sleeves: str = "auto"
    legs: str = "auto"


def color_of(pixels: Pixels, mask: Mask) -> Floats | None:
    """The median color of a part of a picture, float [3]; None where the part has hardly a pixel."""
    return np.median(pixels[mask].astype(float), axis=0) if mask.sum() >= _FEWEST else None


def difference(first: Floats, second: Floats) -> float:
    """Of two colors, in levels; brightness counts half, since light changes it."""
    apart = first - second
    gray = apart.mean()
    return float(np.hypot(np.linalg.norm(apart - gray), 0.5 * np.sqrt(3) * gray))


def is_warm(color: Floats) -> bool:
    """Whether a color may be that of skin, light or dark: it has more red than blue."""
    return float(color[0]) > _WARM * float(color[2])


def covered(pixels: Pixels, limbs: Sequence[Limb], skin: Floats | None, cloth: Floats | None) -> float:
    """How much of arms or legs is covered, from shoulders or hips on.

    Args:
        pixels: uint8 [H, W, 3].
        limbs: Both arms or both legs, as far as they are seen.
        skin: Color of face and hands; None: it is not known. One that is not warm is not theirs.
        cloth: Color of what covers arms, where anything does; None: any.

    Returns:
        Share of their length, 0 to 1, at which the colors change best from cloth to skin; 1 if nothing tells.
    """
    if skin is None or not is_warm(skin):
        return 1.0
    gains = np.zeros(STEPS)
    for limb in limbs:
        steps = np.minimum(limb.position * STEPS, STEPS - 1).astype(int)
        for step in range(STEPS):
            color = color_of(pixels, limb.core & (steps == step))
            if color is not None:
                bare = difference(color, skin) if is_warm(color) else np.inf
                is_cloth = _NOT_SKIN if cloth is None else min(difference(color, cloth), _NOT_SKIN)
                gains[step] += np.clip(bare - is_cloth, -_NOT_SKIN, _NOT_SKIN)
    totals = np.concatenate([[0.0], np.cumsum(gains)])
    return float(np.flatnonzero(totals >= totals.max() - 1e-9)[-1]) / STEPS


def skirt_kind(pixels: Pixels, gap: Mask, thighs: Mask, around: Mask, top: Floats | None) -> str:
    """What covers thighs: "skirt" or "dress" if its cloth is between the legs too, else "pants".

    Args:
        pixels: uint8 [H, W, 3].
        gap: What lies between the legs, above the hem.
        thighs: What is covered of the legs.
        around: Background beside them.
        top: Color of what covers the chest, which a dress has too; None: it is not known.
    """
    color, cloth, background = (color_of(pixels, mask) for mask in (gap, thighs, around))
    if color is None or cloth is None or background is None:
        return "pants"
    if difference(color, cloth) >= difference(color, background):
        return "pants"
    return "dress" if top is not None and difference(cloth, top) < _SAME_CLOTH else "skirt"
