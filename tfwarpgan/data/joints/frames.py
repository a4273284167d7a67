"""From the frame that joints were annotated in to the image on the disk.

Annotations are made on some version of an image: larger, padded, cropped. Which one cannot be seen in them, so it is
declared: the size of that frame, and the part of it that the image shows. Pixel centers are whole numbers everywhere.
"""

import dataclasses

import numpy as np

from tfwarpgan.body.joints import MISSING, scale
from tfwarpgan.data.pictures import images
from tfwarpgan.data.pictures.files import Box, box
from tfwarpgan.data.pictures.framing import within
from tfwarpgan.options import DataOptions
from tfwarpgan.typing import Joints, Pose, Size, Visible

SHARES = (1, 1)  # the frame of joints that are shares of the image


@dataclasses.dataclass(frozen=True)
class Frame:
    """How joints lie to their images.

    Attributes:
        normalized: Whether coordinates are shares of the frame, whose pixel is then the whole of it.
        size: (height, width) of the frame in pixels; None: that of the image.
        crop: (x, y, width, height) in pixels of the frame of the part that the image shows; None: all.
        scale: As OpenPose's --keypoint_scale: 0, pixels; 3, from 0 to 1 between the centers of the first and the last
            pixel; 4, from -1 to 1.
    """

    normalized: bool = False
    size: Size | None = None
    crop: Box | None = None
    scale: int = 0

    @property
    def is_image(self) -> bool:
        """Whether joints are in the image's own pixels."""
        return self == Frame()

    @property
    def is_in_pixels(self) -> bool:
        """Whether joints are declared to be in pixels."""
        return not (self.normalized or self.scale)

    def place(self, joints: Joints, visible: Visible, path: str, own: Size | None = None) -> Pose:
        """Moves joints into their image.

        Args:
            joints: float32 [18, 2], (y, x) in the frame.
            visible: bool [18].
            path: Of the whole image.
            own: (height, width) of the frame that the file of the joints states; (1, 1): they are shares of it.

        Returns:
            (joints, visible): in pixels of the image; joints that the crop cuts off are missing.

        Raises:
            InputError: If the image's size is needed and cannot be read.
        """
        is_moved = own is not None or not self.is_image
        return self.place_in(joints, visible, images.image_size(path), own) if is_moved else (joints, visible)

    def place_in(self, joints: Joints, visible: Visible, size: Size, own: Size | None = None) -> Pose:
        """As `place`, of an image of that size (height, width)."""
        frame = self.size or (own if own and own != SHARES else size)
        if self.normalized or own == SHARES:
            joints = scale(joints, visible, SHARES, frame)
        elif self.scale:
            joints = _unscaled(joints, visible, self.scale, frame)
        elif own:
            joints = scale(joints, visible, own, frame)
        x, y, width, height = self.crop or (0, 0, frame[1], frame[0])
        joints = scale(joints - np.array((y, x), np.float32), visible, (height, width), size)
        return within(joints, visible, size) if self.crop else (joints, visible)

    @classmethod
    def of(cls, data_options: DataOptions, normalized: bool = False) -> "Frame":
        """The frame that the options declare."""
        size = None
        if data_options.keypoint_frame:
            height, width = map(int, data_options.keypoint_frame.split("x"))
            size = (height, width)
        return cls(normalized, size, box(data_options.keypoint_crop), data_options.keypoint_scale)


def _unscaled(joints: Joints, visible: Visible, kind: int, frame: Size) -> Joints:
    shares = joints if kind == 3 else (joints + 1) / 2
    moved = shares * (np.array(frame, np.float32) - 1)
    return np.where(visible[:, np.newaxis], moved, np.float32(MISSING)).astype(np.float32)
