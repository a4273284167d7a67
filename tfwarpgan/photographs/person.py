"""A person on a photograph as the networks see one: cropped like the people of their training, labeled."""

import dataclasses

import numpy as np
from PIL import Image

from tfwarpgan.data.joints.stature import Stature
from tfwarpgan.data.pictures.framing import within
from tfwarpgan.photographs.drawn_labels import draw_labels
from tfwarpgan.photographs.framing import person_window
from tfwarpgan.photographs.labels import Checked, Clothes, LabelSource
from tfwarpgan.photographs.window import Window
from tfwarpgan.storage.pixels import from_pixels
from tfwarpgan.typing import Array, LabelMap, Pixels, Pose, Size


@dataclasses.dataclass(frozen=True)
class Person:
    """Someone on a photograph.

    Attributes:
        pixels: The photograph, uint8 [H, W, 3].
        pose: Joints in its pixels, and which are visible.
        window: `Window` of the photograph that the networks see.
        image: What they see, uint8 [height, width, 3].
        labels: Its label map, uint8 [height, width].
    """

    pixels: Pixels
    pose: Pose
    window: Window
    image: Pixels
    labels: LabelMap

    @property
    def model_pose(self) -> Pose:
        """The joints in pixels of `image`, those outside of it too, and which are visible."""
        joints, visible = self.pose
        return self.window.to_model(joints, visible), visible

    def row(self, target: Pose) -> dict[str, Array]:
        """The row of a batch that draws the person in a pose, which is in pixels of `image`: all that networks may see.

        A joint of either pose that lies outside of the image is missing.
        """
        row: dict[str, Array] = {"condition_image": from_pixels(self.image), "condition_parsing": self.labels}
        for side, pose in (("condition", self.model_pose), ("target", target)):
            row[f"{side}_keypoints"], row[f"{side}_visible"] = within(*pose, self.window.size)
        return row


def person_of(
    pixels: Pixels,
    pose: Pose,
    stature: Stature,
    size: Size,
    name: str,
    label: LabelSource,
) -> Person:
    """The person of a photograph.

    Args:
        pixels: The photograph, uint8 [H, W, 3].
        pose: (joints [18, 2] in its pixels, visible [18]).
        stature: Of the networks' training.
        size: (height, width) of the networks' images.
        name: What the photograph is called in errors.
        label: Its label map, uint8 [H, W]; or what labels the networks' image, `Checked` or not; or `Clothes`, by which
            labels are drawn from the joints.

    Raises:
        InputError: If too little of the person is seen.
    """
    window = person_window(pose, stature, size, name)
    image = window.cut(pixels)
    if isinstance(label, np.ndarray):
        labels = window.cut(label, "constant", Image.Resampling.NEAREST)
    elif isinstance(label, Clothes):
        labels = draw_labels(image, window.to_model(*pose), pose[1], label)
    elif isinstance(label, Checked):
        labels = label.label(image, (window.to_model(*pose), pose[1]))
    else:
        labels = label(image)
    return Person(pixels, pose, window, image, labels)
