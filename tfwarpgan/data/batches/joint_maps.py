"""What systems would draw from the joints of a sample, for the doctor's page."""

import tensorflow as tf

from tfwarpgan.layers.body_parts import part_masks
from tfwarpgan.layers.part_crops import part_crops
from tfwarpgan.layers.pixels import from_pixels
from tfwarpgan.layers.pose_masks import pose_mask
from tfwarpgan.layers.region_boxes import region_boxes
from tfwarpgan.layers.stickman import stickman
from tfwarpgan.typing import Joints, Picture, Pixels, Visible
from tfwarpgan.viewing.joint_maps import joint_map_columns

DISC = 4 / 128  # radius of the mask's discs, of the height


def pictures_of_joints(picture: Pixels, joints: Joints, visible: Visible) -> dict[str, Picture]:
    """The mask of PG2, the parts of DSCF, the regions of BodyROI7, the stickman and the crops of AUNET.

    Args:
        picture: uint8 [H, W, 3].
        joints: float [18, 2], (y, x) in its pixels.
        visible: bool [18].

    Returns:
        Dictionary, title -> uint8 picture.
    """
    height, width = picture.shape[:2]
    pose = tf.constant(joints[None], tf.float32), tf.constant(visible[None])
    boxes, seen = region_boxes(*pose, height, width)
    maps = {
        "target_mask": pose_mask(*pose, height, width, radius=max(1.0, DISC * height))[..., None],
        "masks": part_masks(*pose, height, width),
        "boxes": boxes / (2 * [float(height), float(width)]),
        "seen": seen,
        "stickman": stickman(*pose, height, width),
        "crops": part_crops(from_pixels(picture[None]), *pose, (height // 2, width // 2)),
    }
    columns = joint_map_columns(maps, picture[None])
    columns = {"mask": columns.pop("target mask"), **columns}
    return {title: drawn[0] for title, drawn in columns.items()}
