"""From a picture of any size to the model's: the one way for training, evaluation, new pictures and clients.

First `--picture_crop` cuts its part out. What is left is brought to the model's shape as `--picture_fit` says:

| fit | a picture of another shape |
|---|---|
| `crop` | keeps its full height; a wider one loses as many columns at both sides, a narrower one gains them |
| `pad` | keeps everything; rows or columns are added at both sides |
| `stretch` | is squeezed, which changes the proportions of people |

Added rows and columns repeat those at the edge; in label maps they are background. Shapes that differ by at most
`SAME_SHAPE`, which rounding alone can do, are resized as they are.
"""

import dataclasses
import re
from typing import Any, TypeAlias

import numpy as np
from PIL import Image

from tfwarpgan.body.joints import MISSING
from tfwarpgan.data.pictures.files import Box, ImageFile, box
from tfwarpgan.errors import InputError
from tfwarpgan.options import PICTURE_FITS, DataOptions
from tfwarpgan.typing import Joints, LabelMap, Pixels, Pose, Size, Visible

SAME_SHAPE = 0.02  # of width over height
_FLAGS = re.compile(r"(?:--picture_crop=(?P<crop>\d+,\d+,\d+,\d+))? ?(?:--picture_fit=(?P<fit>\w+))?")

# What is taken from a picture, (left, top, right, bottom) in pixels from its corner, and where that comes to lie in the
# model's image, (left, top, width, height).
Placement: TypeAlias = tuple[tuple[float, float, float, float], Box]


@dataclasses.dataclass(frozen=True)
class Framing:
    """How pictures, label maps and joints become the model's.

    Attributes:
        height: Of the model's images, pixels.
        width: Of the model's images, pixels.
        crop: (x, y, width, height) in pixels of a picture of the part that is used; None: all of it.
        fit: What happens to a used part of another shape: "crop", "pad" or "stretch".
    """

    height: int
    width: int
    crop: Box | None = None
    fit: str = DataOptions.picture_fit

    @classmethod
    def of(cls, data_options: DataOptions) -> "Framing":
        """The framing that the options declare."""
        return cls(data_options.height, data_options.width, box(data_options.picture_crop), data_options.picture_fit)

    @classmethod
    def read(cls, height: int, width: int, flags: str) -> "Framing":
        """The framing of a model of that size that `flags` wrote down; a text of anything else is the default."""
        found = _FLAGS.fullmatch(flags)
        crop, fit = (found["crop"], found["fit"]) if found else (None, None)
        return cls(height, width, box(crop or ""), fit if fit in PICTURE_FITS else cls.fit)

    @property
    def flags(self) -> str:
        """What differs from the default, as flags, such as "--picture_crop=40,0,176,256"; `read` is the inverse."""
        flags = [f"--picture_crop={','.join(map(str, self.crop))}"] if self.crop else []
        return " ".join(flags + ([f"--picture_fit={self.fit}"] if self.fit != Framing.fit else []))

    def file(self, path: str, labels: tuple[int, ...] | None = None, ignore: int = -1) -> ImageFile:
        """The file of an image or label map, read with its used part alone; labels as `ImageFile` has them."""
        return ImageFile(path, self.crop, labels, ignore)

    def used(self, pixels: Any, name: str) -> Any:
        """The used part of a picture or label map, array [H, W, ...]; InputError, with the name, if it is too small."""
        if self.crop is None:
            return pixels
        x, y, width, height = self.crop
        check_crop(name, self.crop, pixels.shape[:2])
        return pixels[y : y + height, x : x + width]

    def used_size(self, size: Size, name: str) -> Size:
        """The size (height, width) of the used part of a picture; InputError, with the name, if it is too small."""
        if self.crop is None:
            return size
        check_crop(name, self.crop, size)
        return self.crop[3], self.crop[2]

    def used_joints(self, joints: Joints, visible: Visible) -> Pose:
        """Joints of a picture in pixels of its used part; those that are cut off are missing."""
        if self.crop is None:
            return joints, visible
        x, y, width, height = self.crop
        return within(joints - np.array((y, x), np.float32), visible, (height, width))

    def image(self, pixels: Pixels) -> Pixels:
        """The model's image of a used part: uint8 [H, W, 3] to [height, width, 3], bicubic, filtered as it shrinks."""
        return self._fitted(pixels, Image.Resampling.BICUBIC, mode="edge")

    def label_map(self, labels: LabelMap) -> LabelMap:
        """The same of a label map, uint8 [H, W] to [height, width], without mixing labels (nearest neighbor)."""
        return self._fitted(labels, Image.Resampling.NEAREST, mode="constant")

    def joints(self, joints: Joints, visible: Visible, size: Size) -> Pose:
        """The same of joints.

        Args:
            joints: float [18, 2], (y, x) in pixels of a used part.
            visible: bool [18].
            size: (height, width) of the used part.

        Returns:
            (joints float32 [18, 2] in pixels of the model's image, visible bool [18]); missing joints, which those
            beyond a cut are too, lie at (-1, -1).
        """
        (left, top, right, bottom), (x, y, width, height) = self.placement(size)
        ratio = np.array((height / (bottom - top), width / (right - left)))
        moved = (np.asarray(joints) + 0.5 - (top, left)) * ratio - 0.5 + (y, x)
        moved = np.where(np.asarray(visible)[:, np.newaxis], moved, MISSING).astype(np.float32)
        if (left, top, right, bottom) == (0, 0, size[1], size[0]):
            return moved, visible
        return within(moved, visible, (self.height, self.width))

    def is_other_shape(self, size: Size) -> bool:
        """Whether a used part of that size has another shape than the model's images."""
        ratio = size[1] * self.height / (size[0] * self.width)
        return max(ratio, 1 / ratio) > 1 + SAME_SHAPE

    def placement(self, size: Size) -> Placement:
        """What is taken of a used part of that size (height, width), and where it comes to lie."""
        height, width = size
        everything, everywhere = (0.0, 0.0, float(width), float(height)), (0, 0, self.width, self.height)
        if self.fit == "stretch" or not self.is_other_shape(size):
            return everything, everywhere
        ratio = width * self.height / (height * self.width)
        if ratio < 1:
            columns = max(round(self.width * ratio), 1)
            return everything, ((self.width - columns) // 2, 0, columns, self.height)
        if self.fit == "pad":
            rows = max(round(self.height / ratio), 1)
            return everything, (0, (self.height - rows) // 2, self.width, rows)
        shown = width / ratio
        return ((width - shown) / 2, 0.0, (width + shown) / 2, float(height)), everywhere

    def _fitted(self, pixels: Any, resampling: Image.Resampling, mode: Any) -> Any:
        if pixels.shape[:2] == (self.height, self.width):
            return pixels
        taken, (x, y, width, height) = self.placement(pixels.shape[:2])
        inner = np.asarray(Image.fromarray(pixels).resize((width, height), resampling, taken))
        around = [(y, self.height - height - y), (x, self.width - width - x), (0, 0)]
        return np.pad(inner, around[: inner.ndim], mode=mode)


def within(joints: Joints, visible: Visible, size: Size) -> Pose:
    """(joints, visible) without those outside of a picture of that size (height, width)."""
    visible = visible & np.all((joints >= -0.5) & (joints <= np.array(size) - 0.5), axis=1)
    return np.where(visible[:, np.newaxis], joints, np.float32(MISSING)), visible


def check_crop(name: str, crop: Box, size: Size) -> None:
    """Refuses a picture of that size (height, width) that is too small for a crop."""
    x, y, width, height = crop
    if x + width > size[1] or y + height > size[0]:
        raise InputError(
            f"{name} is {size[1]} x {size[0]} pixels, too small for --picture_crop={x},{y},{width},{height}; "
            "set --picture_crop= (empty) if the images are already cropped."
        )
