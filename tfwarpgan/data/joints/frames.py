"""From the frame that joints were annotated in to the image on the disk.

Annotations are made on some version of an image: larger, padded, cropped. Which one cannot be seen in them, so it is
declared: the size of that frame, and the part of it that the image shows. Pixel centers are whole numbers everywhere.
"""

import dataclasses

import numpy as np

from tfwarpgan.body.joints import scale
from tfwarpgan.data.pictures import images
from tfwarpgan.data.pictures.files import Box, box
from tfwarpgan.data.pictures.framing import within
from tfwarpgan.options import DataOptions
from tfwarpgan.typing import Joints, Pose, Size, Visible


@dataclasses.dataclass(frozen=True)
class Frame:
    """How joints lie to their images.

    Attributes:
        normalized: Whether coordinates are shares of the frame, whose pixel is then the whole of it.
        size: (height, width) of the frame in pixels; None: that of the image.
        crop: (x, y, width, height) in pixels of the frame of the part that the image shows; None: all.
    """

    normalized: bool = False
    size: Size | None = None
    crop: Box | None = None

    @property
    def is_image(self) -> bool:
        """Whether joints are in the image's own pixels."""
        return self == Frame()

    def place(self, joints: Joints, visible: Visible, path: str) -> Pose:
        """Moves joints into their image.

        Args:
            joints: float32 [18, 2], (y, x) in the frame.
            visible: bool [18].
            path: Of the whole image.

        Returns:
            (joints, visible): in pixels of the image; joints that the crop cuts off are missing.

        Raises:
            InputError: If the image's size is needed and cannot be read.
        """
        return (joints, visible) if self.is_image else self.place_in(joints, visible, images.image_size(path))

    def place_in(self, joints: Joints, visible: Visible, size: Size) -> Pose:
        """As `place`, of an image of that size (height, width)."""
        frame = self.size or size
        if self.normalized:
            joints = scale(joints, visible, (1, 1), frame)
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
        return cls(normalized, size, box(data_options.keypoint_crop))
