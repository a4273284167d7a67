"""From the frame that joints were annotated in to the image on the disk.

Annotations are made on some version of an image: larger, padded, cropped. Which one cannot be seen in them, so it is
declared: the size of that frame, and the part of it that the image shows. Pixel centers are whole numbers everywhere.
"""

import dataclasses

import numpy as np

from tfwarpgan.body.joints import MISSING, scale
from tfwarpgan.data.pictures import images
from tfwarpgan.data.pictures.files import Box
from tfwarpgan.errors import InputError
from tfwarpgan.typing import Joints, Pose, Size, Visible

SHARES = (1, 1)  # the frame of joints that are shares of the image


@dataclasses.dataclass(frozen=True)
class Frame:
    """How joints lie to their images.

    Attributes:
        normalized: Whether coordinates are shares of the frame, whose pixel is then the whole of it.
        size: (height, width) of the frame in pixels; None: that of the image.
        scale: As OpenPose's --keypoint_scale: 0, pixels; 3, from 0 to 1 between the centers of the first and the last
            pixel; 4, from -1 to 1.
        crop: (x, y, width, height) in pixels of the frame of the part that the image shows; None: all.
        picture_crop: (x, y, width, height) in pixels of the image of the part that is used; None: all.
    """

    normalized: bool = False
    size: Size | None = None
    crop: Box | None = None
    picture_crop: Box | None = None
    scale: int = 0

    @property
    def is_image(self) -> bool:
        """Whether joints are in the image's own pixels."""
        return self == Frame()

    def place(self, joints: Joints, visible: Visible, path: str, own: Size | None = None) -> Pose:
        """Moves joints into the used part of their image.

        Args:
            joints: float32 [18, 2], (y, x) in the frame.
            visible: bool [18].
            path: Of the whole image.
            own: (height, width) of the frame that the file of the joints states; (1, 1): they are shares of it.

        Returns:
            (joints, visible): in pixels of the used part; joints that a crop cuts off are missing.

        Raises:
            InputError: If the image's size is needed and cannot be read.
        """
        if self.is_image and own is None:
            return joints, visible
        size = images.image_size(path)
        frame = self.size or (own if own and own != SHARES else size)
        if self.normalized or own == SHARES:
            joints = scale(joints, visible, SHARES, frame)
        elif self.scale:
            joints = _unscaled(joints, visible, self.scale, frame)
        elif own:
            joints = scale(joints, visible, own, frame)
        x, y, width, height = self.crop or (0, 0, frame[1], frame[0])
        joints = scale(joints - np.array((y, x), np.float32), visible, (height, width), size)
        if self.crop:
            joints, visible = _within(joints, visible, size)
        if self.picture_crop:
            x, y, width, height = self.picture_crop
            joints, visible = _within(joints - np.array((y, x), np.float32), visible, (height, width))
        return joints, visible


def _within(joints: Joints, visible: Visible, size: Size) -> Pose:
    visible = visible & np.all((joints >= -0.5) & (joints <= np.array(size) - 0.5), axis=1)
    return np.where(visible[:, np.newaxis], joints, np.float32(MISSING)), visible


def _unscaled(joints: Joints, visible: Visible, kind: int, frame: Size) -> Joints:
    shares = joints if kind == 3 else (joints + 1) / 2
    moved = shares * (np.array(frame, np.float32) - 1)
    return np.where(visible[:, np.newaxis], moved, np.float32(MISSING)).astype(np.float32)


def check_pixels(where: str, joints: Joints, visible: Visible) -> None:
    """Refuses joints that must be shares of the image, since all lie within one pixel.

    Args:
        where: Where they stand, for the message.
        joints: float32 [18, 2].
        visible: bool [18].

    Raises:
        InputError: If there are three or more, and all of them lie between -1 and 1.
    """
    shown = joints[visible]
    if len(shown) >= 3 and np.abs(shown).max() <= 1 and np.ptp(shown) > 0:
        kind = 4 if shown.min() < 0 else 3
        raise InputError(
            f"{where}: all joints lie between {'-1' if kind == 4 else '0'} and 1; they are shares of the image, not "
            f"pixels: set --keypoint_scale={kind}, or write pixels."
        )
