"""The parts of a person cut out and brought upright, found in the graph from joints.

After Esser et al., "A Variational U-Net for Conditional Appearance and Shape Generation", CVPR 2018 (AUNET): what the
person wears, without the pose. As there, a body that faces the camera comes out mirrored.
"""

import tensorflow as tf

from tfwarpgan.layers.sampling import sample
from tfwarpgan.typing import Image, Size, Tensor

BODY = (5, 11, 8, 2)  # left shoulder, left hip, right hip, right shoulder
LEFT_SHOULDER, RIGHT_SHOULDER, NOSE = 5, 2, 0
ARMS = ((5, 6), (6, 7), (2, 3), (3, 4))
THIGHS = ((11, 12), (8, 9))
NUM_CROPS = 8  # the body, the head, four parts of arms, two thighs
HALF_WIDTH = 0.25  # of a limb's length


def crop_corners(joints: Tensor, visible: Tensor, height: int) -> tuple[Tensor, Tensor]:
    """The corners of each part, and whether it is there.

    A limb's rectangle is half as wide as long; without its knee a thigh reaches straight down to the last row. The
    head's rises from the neck by twice the way to the nose, as wide as high; without the nose it is the square on the
    shoulders.

    Args:
        joints: float [B, 18, 2], (y, x) in pixels.
        visible: bool [B, 18].
        height: Of the image, pixels.

    Returns:
        (float32 [B, 8, 4, 2], the places (x, y) in the image of the crop's corners, upper left, lower left, lower
        right, upper right; bool [B, 8]).
    """
    points = tf.cast(joints, tf.float32)[..., ::-1]
    quads = [tf.gather(points, BODY, axis=1)]
    there = [tf.reduce_all(tf.gather(visible, BODY, axis=1), axis=1)]
    left, right, nose = (points[:, joint] for joint in (LEFT_SHOULDER, RIGHT_SHOULDER, NOSE))
    neck = (left + right) / 2
    upright = _limb(2 * nose - neck, neck, 0.5)
    normal = _normal(right - left)
    normal = tf.where(normal[:, 1:] > 0, -normal, normal)
    square = tf.stack([left + normal, left, right, right + normal], axis=1)
    quads.append(tf.where(visible[:, NOSE, None, None], tf.roll(upright, -1, axis=1), square))
    there.append(visible[:, LEFT_SHOULDER] & visible[:, RIGHT_SHOULDER])
    for first, second in (*ARMS, *THIGHS):
        end, known = points[:, second], visible[:, second]
        if (first, second) in THIGHS:
            down = tf.stack([points[:, first, 0], tf.fill(tf.shape(end)[:1], height - 1.0)], axis=1)
            end, known = tf.where(known[:, None], end, down), tf.ones_like(known)
        quads.append(_limb(points[:, first], end, HALF_WIDTH))
        there.append(visible[:, first] & known)
    return tf.stack(quads, axis=1), tf.stack(there, axis=1)


def _normal(segment: Tensor) -> Tensor:
    return tf.stack([-segment[:, 1], segment[:, 0]], axis=1)


def _limb(first: Tensor, second: Tensor, half_width: float) -> Tensor:
    across = half_width * _normal(second - first)
    return tf.stack([first + across, first - across, second - across, second + across], axis=1)


def part_crops(image: Image, joints: Tensor, visible: Tensor, size: Size) -> Tensor:
    """The crops of an image, side by side.

    Args:
        image: float [B, H, W, 3] in [-1, 1].
        joints: float [B, 18, 2], (y, x) in pixels.
        visible: bool [B, 18].
        size: (height, width) of a crop, pixels.

    Returns:
        Like `image`, [B, height, width, 24]; beyond the image its border goes on; what is not there is 0, gray.
    """
    height, width = image.shape[1:3]
    corners, there = crop_corners(joints, visible, height)
    crops = []
    # Not `there[:, part, None, None, None]`: TensorFlow's optimizer drops the new axes of a slice of a stack.
    for quad, is_there in zip(tf.unstack(corners, axis=1), tf.unstack(there, axis=1)):
        grid = 2.0 * crop_places(quad, size) / [width - 1.0, height - 1.0] - 1.0
        crops.append(tf.where(is_there[:, None, None, None], sample(image, grid), tf.zeros([], image.dtype)))
    return tf.concat(crops, axis=-1)


def crop_places(corners: Tensor, size: Size) -> Tensor:
    """Where the pixels of a crop lie in the image: the projective map of a rectangle to four corners.

    P. Heckbert, "Fundamentals of Texture Mapping and Image Warping", 1989, section 2.2.3.

    Args:
        corners: [B, 4, 2], (x, y) of the crop's corners (0, 0), (0, height), (width, height) and (width, 0).
        size: (height, width) of the crop, pixels.

    Returns:
        [B, height, width, 2], (x, y) in pixels.
    """
    upper_left, lower_left, lower_right, upper_right = tf.unstack(corners, axis=1)
    right, down = upper_right - lower_right, lower_left - lower_right
    bend = upper_left - upper_right + lower_right - lower_left
    area = right[:, 0] * down[:, 1] - right[:, 1] * down[:, 0]
    g = tf.math.divide_no_nan(bend[:, 0] * down[:, 1] - bend[:, 1] * down[:, 0], area)[:, None]
    h = tf.math.divide_no_nan(right[:, 0] * bend[:, 1] - right[:, 1] * bend[:, 0], area)[:, None]
    along_u, along_v = upper_right - upper_left + g * upper_right, lower_left - upper_left + h * lower_left
    v, u = tf.meshgrid(*[tf.range(side, dtype=tf.float32) / side for side in size], indexing="ij")
    u, v = u[..., None], v[..., None]
    over = 1.0 + g[:, None, None] * u + h[:, None, None] * v
    places = upper_left[:, None, None] + along_u[:, None, None] * u + along_v[:, None, None] * v
    return tf.math.divide_no_nan(places, over)  # on the horizon of corners that cross, 0, as OpenCV has it
