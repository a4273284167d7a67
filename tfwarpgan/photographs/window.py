"""A rectangle of a picture that becomes a picture of its own: one affine for pixels, label maps and joints."""

import dataclasses

import numpy as np
import numpy.typing as npt
from PIL import Image

from tfwarpgan.body.joints import MISSING
from tfwarpgan.typing import Array, Floats, Joints, Size, Visible

Side = tuple[float, float]  # (y, x)


@dataclasses.dataclass(frozen=True)
class Window:
    """A rectangle with its sides along those of the picture; it may lie partly outside of it.

    Attributes:
        top: Of its upper edge, pixels from that of the picture; pixel centers are at halves here.
        left: Of its left edge, alike.
        height: Pixels of the picture.
        width: Pixels of the picture.
        size: (height, width) of what it becomes.
    """

    top: float
    left: float
    height: float
    width: float
    size: Size

    @classmethod
    def whole(cls, picture: Size, size: Size) -> "Window":
        """The smallest window of the shape of `size` around a picture of size (height, width), and centered on it."""
        return cls.around((0.0, 0.0), (float(picture[0]), float(picture[1])), size)

    @classmethod
    def around(cls, first: Side, last: Side, size: Size, margin: float = 0.0) -> "Window":
        """The smallest window of the shape of `size` around a box, and centered on it.

        Args:
            first: (top, left) of the box, pixels.
            last: (bottom, right) of it.
            size: See `Window`.
            margin: Share of the box's larger side to be added at each side.
        """
        (height, width), room = np.subtract(last, first), margin * max(np.subtract(last, first))
        scale = max((height + 2 * room) / size[0], (width + 2 * room) / size[1], 1e-3)
        y, x = np.add(first, last) / 2
        return cls(y - scale * size[0] / 2, x - scale * size[1] / 2, scale * size[0], scale * size[1], size)

    @property
    def _ratio(self) -> Floats:
        return np.array((self.size[0] / self.height, self.size[1] / self.width))

    def to_model(self, joints: npt.ArrayLike, visible: Visible) -> Joints:
        """Joints [18, 2], (y, x) in pixels of the picture, in those of what the window becomes; missing stay so."""
        moved = (np.asarray(joints) + 0.5 - (self.top, self.left)) * self._ratio - 0.5
        return np.where(visible[:, np.newaxis], moved, MISSING).astype(np.float32)

    def to_picture(self, joints: npt.ArrayLike, visible: Visible) -> Joints:
        """The inverse of `to_model`."""
        moved = (np.asarray(joints) + 0.5) / self._ratio - 0.5 + (self.top, self.left)
        return np.where(visible[:, np.newaxis], moved, MISSING).astype(np.float32)

    def cut(self, pixels: Array, mode: str = "edge", resampling: Image.Resampling = Image.Resampling.BICUBIC) -> Array:
        """What the window shows, uint8 of `size`, filtered as it shrinks.

        Args:
            pixels: The picture, uint8 [H, W, 3] or [H, W].
            mode: What lies beyond the picture: "edge" repeats its edge, "constant" is 0.
            resampling: How its pixels are joined; NEAREST for label maps.
        """
        starts, lengths = (self.top, self.left), (self.height, self.width)
        # A pixel more at each side than is seen, which the filter takes in.
        spans = [(int(np.floor(start)) - 1, int(np.ceil(start + more)) + 1) for start, more in zip(starts, lengths)]
        shown = pixels[_within(spans[0], pixels.shape[0]), _within(spans[1], pixels.shape[1])]
        for axis in (0, 1) if shown.shape[0] > shown.shape[1] else (1, 0):  # so a strip never becomes a large square
            missing = _missing(spans[axis], pixels.shape[axis])
            shown = np.pad(shown, [missing if each == axis else (0, 0) for each in range(pixels.ndim)], mode)  # type: ignore[call-overload]
            first = starts[axis] - spans[axis][0]
            (height, width), last = shown.shape[:2], first + lengths[axis]
            size, box = (
                ((width, self.size[0]), (0.0, first, width, last))
                if axis == 0
                else ((self.size[1], height), (first, 0.0, last, height))
            )
            shown = np.asarray(Image.fromarray(shown).resize(size, resampling, box))
        return shown


def _within(span: tuple[int, int], length: int) -> slice:
    """The part of a span of rows that a picture has; at least one, from which its edge can be repeated."""
    first = min(max(span[0], 0), length - 1)
    return slice(first, max(min(span[1], length), first + 1))


def _missing(span: tuple[int, int], length: int) -> tuple[int, int]:
    """How many rows of a span the picture lacks before and after `_within`."""
    held = _within(span, length)
    lacking = span[1] - span[0] - (held.stop - held.start)
    before = min(max(held.start - span[0], 0), lacking)
    return before, lacking - before
