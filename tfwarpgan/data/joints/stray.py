"""Stray joints: visible joints that do not lie on the person, and what may have gone wrong with them.

On a label map, a joint of the person lies on a label of the person; on the bundled people all but 0.3 % do. Where
joints are of another frame, normalized, exchanged or of another person, more than half of them lie on background.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from tfwarpgan.body.joints import LIMBS, scale
from tfwarpgan.typing import Joints, LabelMap, Size, Visible

_SHIFTS = 1000
FEWEST = 3  # joints, or images, before it says something that they lie together, or agree
_FACTORS = (2.0, 1.5, 1.25, 3.0, 4.0)

# What joints may be, as (what is said of them, function (joints, size) -> where they would lie if it is so).
Cause = tuple[str, Callable[[Joints, Size], npt.NDArray[np.floating]]]


def _scaled(factor: float, is_larger: bool) -> Cause:
    where = "larger" if is_larger else "smaller"
    ratio = 1 / factor if is_larger else factor
    return (
        f"they seem to be in a frame {factor:g} times {where} than the images; declare it with --keypoint_frame",
        lambda joints, size: (joints + 0.5) * ratio - 0.5,
    )


_NORMALIZED = (
    "the coordinates seem to be normalized to {least}..1 (OpenPose's keypoint_scale {scale}) where pixels are "
    "expected; set --keypoint_scale={scale}, or write pixels"
)
CAUSES: tuple[Cause, ...] = (
    (_NORMALIZED.format(least=0, scale=3), lambda joints, size: joints * (np.array(size) - 1)),
    (_NORMALIZED.format(least=-1, scale=4), lambda joints, size: (joints + 1) / 2 * (np.array(size) - 1)),
    ("x and y seem to be exchanged; swap them", lambda joints, size: joints[:, ::-1]),
    *(_scaled(factor, is_larger) for factor in _FACTORS for is_larger in (False, True)),
    ("they seem to be mirrored; mirror them back", lambda joints, size: joints * (1, -1) + (0, size[1] - 1)),
)
_SHIFTED = (
    "they seem to be shifted by about {x:+d} pixels in x and {y:+d} in y; declare their frame with "
    "--keypoint_frame and --keypoint_crop"
)
_ANOTHER = "they may be of another person or of another image; look at the images with --check --page=look.html"
GHOSTS = (
    "{count:,} visible joints lie at (0, 0) or (-1, -1), which seems to mark missing ones; declare it with "
    "--keypoint_missing=0 or --keypoint_missing=-1"
)


@dataclasses.dataclass
class Tally:
    """Counts of joints, of one image or summed over many.

    Attributes:
        visible: Number of visible joints on images whose label map shows somebody.
        stray: Number of those on background, or outside of their image.
        stray_if: The same for each of `CAUSES`, if it were so; int64.
        ghosts: Number of visible joints at the place that marks missing ones.
        shifts: Of each image, up to a thousand, how far its joints are from the middle of the person, (y, x), pixels.
        stray_centered: Number of stray joints if they were moved so.
        odd: Number of images without a person in the label map whose joints cannot be a person's.
        unlabeled: Number of images without a person in the label map.
        reason: What is odd on one of them.
    """

    visible: int = 0
    stray: int = 0
    stray_if: npt.NDArray[np.int64] = dataclasses.field(default_factory=lambda: np.zeros(len(CAUSES), np.int64))
    ghosts: int = 0
    shifts: list[npt.NDArray[np.floating]] = dataclasses.field(default_factory=list)
    stray_centered: int = 0
    odd: int = 0
    unlabeled: int = 0
    reason: str = ""

    @property
    def share(self) -> float:
        """Share of the visible joints that are stray."""
        return self.stray / self.visible if self.visible else 0.0

    def add(self, other: "Tally") -> None:
        """Adds the counts of other images."""
        for field in dataclasses.fields(self):
            if field.name not in ("reason", "shifts"):
                setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))
        self.shifts += other.shifts[: max(_SHIFTS - len(self.shifts), 0)]
        self.reason = self.reason or other.reason

    def cause(self) -> str:
        """What seems to have gone wrong with the joints, as the end of a sentence."""
        fewest = self.stray / 2
        best = int(np.argmin(self.stray_if))
        # In the middle of the person lies most of what is wrong in any way: another cause needs not be as good.
        if self.stray_if[best] <= min(fewest, self.stray_centered + 0.1 * self.visible):
            return CAUSES[best][0]
        if self.stray_centered <= fewest and len(self.shifts) >= FEWEST:
            middle = np.median(self.shifts, axis=0)
            spread = np.median(np.abs(np.array(self.shifts) - middle), axis=0)
            if np.all(spread <= np.maximum(np.abs(middle).max() / 4, 2)):
                return _SHIFTED.format(y=-round(middle[0]), x=-round(middle[1]))
        if self.stray_if[best] <= fewest:
            return CAUSES[best][0]
        return _ANOTHER

    def problem(self, most: float) -> str:
        """Why these joints cannot be used, if they cannot, as one sentence without its beginning; else empty.

        Args:
            most: The largest share of stray joints that is taken.
        """
        if self.share > most:
            return (
                f"{100 * self.share:.0f} % of {self.visible:,} visible joints do not lie on the person of their label "
                f"map ({100 * most:g} % are accepted, --max_stray_joints): {self.cause()}."
            )
        if most < 1 and self.ghosts >= FEWEST and self.ghosts > 0.01 * self.visible:
            return GHOSTS.format(count=self.ghosts) + "."
        if most < 1 and 2 * self.odd > self.unlabeled:
            return f"on {self.odd:,} of {self.unlabeled:,} images without a label of a person, {self.reason}."
        return ""


def tally(joints: Joints, visible: Visible, labels: LabelMap, size: Size) -> Tally:
    """The counts of one image.

    Args:
        joints: float [18, 2], (y, x) in pixels of the image.
        visible: bool [18].
        labels: uint8 [h, w], 0 is background; of a large photograph it is smaller than the image.
        size: (height, width) of the image.
    """
    points = np.asarray(joints)[np.asarray(visible)]
    person = labels != 0
    if not person.any():
        reason = oddity(joints, visible, size)
        return Tally(odd=int(bool(reason)), unlabeled=1, reason=reason)
    if not len(points):
        return Tally()

    def count(moved: npt.NDArray[np.floating]) -> int:
        return int(are_stray(moved, person, size).sum())

    strays = are_stray(points, person, size)
    at_mark = strays & np.all((points >= -1.5) & (points <= 1), axis=1)
    rows, columns = np.nonzero(person)
    center = (np.array([rows.min() + rows.max(), columns.min() + columns.max()]) + 1) / 2 * size / labels.shape - 0.5
    shift = center - (points.min(axis=0) + points.max(axis=0)) / 2
    return Tally(
        visible=len(points),
        stray=int(strays.sum()),
        stray_if=np.array([count(moved(points, size)) for _, moved in CAUSES]),
        ghosts=int(at_mark.sum()) if 2 * at_mark.sum() <= len(points) else 0,
        shifts=[shift],
        stray_centered=count(points + shift),
    )


def are_stray(points: npt.NDArray[np.floating], person: npt.NDArray[np.bool_], size: Size) -> npt.NDArray[np.bool_]:
    """Which points [N, 2], (y, x) in pixels of an image of that size, lie off the person, bool [h, w]; bool [N]."""
    everywhere = np.ones(len(points), bool)
    places = np.rint(scale(points, everywhere, size, (person.shape[0], person.shape[1]))).astype(int)
    inside = np.all((places >= 0) & (places < person.shape), axis=1)
    y, x = np.where(inside[:, np.newaxis], places, 0).T
    return ~(inside & person[y, x])


def normalized(joints: Joints, visible: Visible) -> str:
    """Why joints that should be in pixels must be shares of the image, since all lie within one pixel; or empty."""
    seen = np.asarray(joints)[np.asarray(visible)]
    if len(seen) < FEWEST or np.abs(seen).max() > 1 or not (np.ptp(seen) or np.any(seen % 1)):
        return ""  # too few, or all in the middle of one pixel
    least, scale = (-1, 4) if seen.min() < 0 else (0, 3)
    return f"all joints lie between {least} and 1: {_NORMALIZED.format(least=least, scale=scale)}"


def oddity(joints: Joints, visible: Visible, size: Size) -> str:
    """Why joints cannot be a person's on an image of that size (height, width), as they alone tell; or empty."""
    points, visible = np.asarray(joints), np.asarray(visible)
    seen = points[visible]
    if why := normalized(points, visible):
        return why
    outside = np.any((seen < -0.5) | (seen > np.array(size) - 0.5), axis=1)
    if 2 * outside.sum() > len(seen):
        return f"{outside.sum()} of {len(seen)} joints lie outside of an image of {size[1]} x {size[0]} pixels"
    if len(seen) >= FEWEST and np.all(np.ptp(seen, axis=0) <= 1):
        return "all joints lie within one pixel"
    longest = max(
        (
            float(np.hypot(*(points[first] - points[second])))
            for first, second in LIMBS
            if visible[[first, second]].all()
        ),
        default=0.0,
    )
    if longest > max(size):
        return f"a limb of {longest:.0f} pixels is longer than an image of {size[1]} x {size[0]} pixels"
    return ""
