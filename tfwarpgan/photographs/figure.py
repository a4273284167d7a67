"""The parts of a person's body in a picture, as shapes around the joints; sizes follow from the torso's length.

Left and right are the person's own.
"""

import numpy as np

from tfwarpgan.body.joints import NAMES
from tfwarpgan.errors import InputError
from tfwarpgan.photographs.clothes import Limb
from tfwarpgan.photographs.shapes import Mask, capsule, ellipse, hull
from tfwarpgan.typing import Floats, Joints, Size, Visible

SIDES = ("right", "left")
ARM, LEG = ("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle")
# Radii at both ends of the bones, and other sizes, as shares of the torso's length.
RADII: dict[tuple[str, ...], tuple[tuple[float, float], ...]] = {
    ARM: ((0.15, 0.12), (0.12, 0.09)),
    LEG: ((0.25, 0.17), (0.17, 0.11)),
}
TORSO, SKIRT, NECK = 0.1, 0.2, 0.1
HAND = (0.25, 0.09, 0.07)  # length, radii
FOOT, SOLE = (0.16, 0.15), 0.12  # radii, how far its middle is below the ankle
FACE, HAIR = (0.2, 0.16), (0.31, 0.23)
_CHEST = (0.3, 0.12)
_CORE = 0.5  # of a limb's radii
_SIDEWAYS = 0.35  # of the torso: shoulders that are nearer to each other are seen from the side


class Figure:
    """A person's joints by name, and the shapes around them.

    Args:
        joints: float [18, 2], (y, x) in pixels.
        visible: bool [18].
        size: (height, width) of the picture, and of all masks.

    Attributes:
        at: Name -> place; "hips" is their middle.
        unit: Length of the torso in pixels, or the width of the shoulders where that is more.

    Raises:
        InputError: If neck and hips are not visible.
    """

    def __init__(self, joints: Joints, visible: Visible, size: Size) -> None:
        self.size = size
        self.at = {name: np.asarray(joints[place], float) for place, name in enumerate(NAMES) if visible[place]}
        hips = self._places("right hip", "left hip")
        if "neck" not in self.at or not hips:
            raise InputError("Labels cannot be drawn of a person without neck and hips; give them with --parsing.")
        self.at["hips"] = np.mean(hips, axis=0)
        spine, shoulders = self.at["neck"] - self.at["hips"], self._places("right shoulder", "left shoulder")
        self._across = float(np.linalg.norm(shoulders[0] - shoulders[1])) if len(shoulders) == 2 else 0.0
        self.unit = max(float(np.linalg.norm(spine)), self._across, 1.0)
        self._up = spine / max(float(np.linalg.norm(spine)), 1e-6)

    def _places(self, *names: str) -> list[Floats]:
        return [self.at[name] for name in names if name in self.at]

    @property
    def is_sideways(self) -> bool:
        """Whether the person is seen from the side, one arm before the torso and one behind it."""
        return self._across < _SIDEWAYS * self.unit

    @property
    def front(self) -> str:
        """The side that is nearer to the camera: the left one of a person who looks, or leans, to the left."""
        points = self._places("nose") or self._places("hips")
        return "right" if (points[0] - self.at["neck"])[1] > 0 else "left"

    def limb(self, side: str, names: tuple[str, ...]) -> Limb | None:
        """An arm or leg as far as its joints are there; None without a bone."""
        places = [self.at.get(f"{side} {name}") for name in names]
        near, position = np.full(self.size, np.inf), np.zeros(self.size)
        for number, (first, last, radii) in enumerate(zip(places, places[1:], RADII[names])):
            if first is not None and last is not None:
                distance, along = capsule(self.size, first, last, (radii[0] * self.unit, radii[1] * self.unit))
                position = np.where(distance < near, (number + along) / 2, position)
                near = np.minimum(near, distance)
        return Limb(near <= 1, position, near <= _CORE) if np.isfinite(near).any() else None

    def torso(self) -> Mask:
        """From shoulders to hips."""
        points = self._places("neck", "right shoulder", "left shoulder", "right hip", "left hip")
        return hull(self.size, np.array(points), TORSO * self.unit)

    def chest(self) -> Mask:
        """The middle of the torso, which shows no color but its own."""
        center = 0.6 * self.at["neck"] + 0.4 * self.at["hips"]
        return ellipse(self.size, center, (_CHEST[0] * self.unit, _CHEST[1] * self.unit), self._up)

    def head(self) -> tuple[Mask, Mask, Mask]:
        """(neck, head with hair, face); no face is seen of a person without a nose."""
        neck, unit = self.at["neck"], self.unit
        points = self._places("nose", "right ear", "left ear", "right eye", "left eye")
        center = np.mean(points, axis=0) if points else neck + 0.5 * unit * self._up
        up = center - neck if np.linalg.norm(center - neck) > 0.2 * unit else self._up
        up = up / max(float(np.linalg.norm(up)), 1e-6)
        throat, _ = capsule(self.size, neck, center, (NECK * unit, NECK * unit))
        hair = ellipse(self.size, center + 0.05 * unit * up, (HAIR[0] * unit, HAIR[1] * unit), up)
        if "nose" not in self.at:
            return throat <= 1, hair, np.zeros(self.size, bool)
        middle = (self.at["nose"] + center) / 2 - 0.02 * unit * up
        return throat <= 1, hair, ellipse(self.size, middle, (FACE[0] * unit, FACE[1] * unit), up)

    def hand(self, side: str) -> Mask:
        """What goes on in the forearm's direction."""
        if f"{side} elbow" not in self.at or f"{side} wrist" not in self.at:
            return np.zeros(self.size, bool)
        wrist = self.at[f"{side} wrist"]
        bone = wrist - self.at[f"{side} elbow"]
        length, *radii = (share * self.unit for share in HAND)
        tip = wrist + bone * length / max(float(np.linalg.norm(bone)), 1e-6)
        return capsule(self.size, wrist, tip, (radii[0], radii[1]))[0] <= 1

    def foot(self, side: str) -> Mask:
        """Below the ankle."""
        if f"{side} ankle" not in self.at:
            return np.zeros(self.size, bool)
        center = self.at[f"{side} ankle"] + np.array((SOLE * self.unit, 0))
        return ellipse(self.size, center, (FOOT[0] * self.unit, FOOT[1] * self.unit), np.array((1.0, 0.0)))

    def skirt(self, reach: float, widened: bool = True) -> Mask:
        """From the hips to a share of the length of the legs; not widened, what lies between their bones alone."""
        margin = SKIRT * self.unit if widened else 0.0
        points = self._places("hips", "right hip", "left hip")
        for side in SIDES:
            hip, knee, ankle = (self.at.get(f"{side} {name}") for name in LEG)
            if hip is not None and knee is not None:
                bones = [hip, knee, 2 * knee - hip if ankle is None else ankle]
                lengths = np.linalg.norm(np.diff(bones, axis=0), axis=1)
                place = max(2 * (reach - margin / max(lengths.sum(), 1.0)), 0.0)  # its hem is as far below as its sides
                points.append(np.array([np.interp(place, range(3), axis) for axis in np.transpose(bones)]))
        return hull(self.size, np.array(points), margin)
