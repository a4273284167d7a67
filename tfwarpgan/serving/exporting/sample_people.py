"""Three drawn people, with whom an export is checked and warmed.

Of noise for images and label maps a matcher makes anything, and numbers that differ in their last bit become other
colors; people are what it was trained on.
"""

import numpy as np

from tfwarpgan.body.joints import NAMES
from tfwarpgan.body.labels import LABELS
from tfwarpgan.typing import Array, Arrays, Floats

# (y, x) of the joints of `joints.NAMES` as shares of the image: standing, with raised arms, walking.
POSES = np.array(
    [
        [(.13, .50), (.22, .50), (.23, .38), (.36, .35), (.48, .34), (.23, .62), (.36, .65), (.48, .66), (.50, .43),
         (.70, .42), (.90, .42), (.50, .57), (.70, .58), (.90, .58), (.12, .47), (.12, .53), (.13, .43), (.13, .57)],
        [(.14, .52), (.23, .52), (.24, .40), (.20, .24), (.09, .20), (.24, .64), (.20, .80), (.09, .84), (.51, .45),
         (.71, .40), (.91, .36), (.51, .59), (.71, .64), (.91, .68), (.13, .49), (.13, .55), (.14, .45), (.14, .59)],
        [(.15, .46), (.24, .48), (.25, .37), (.37, .28), (.45, .38), (.25, .59), (.37, .68), (.48, .76), (.51, .42),
         (.69, .32), (.87, .22), (.51, .55), (.69, .63), (.90, .72), (.14, .43), (.14, .48), (.15, .41), (.15, .52)],
    ]
)  # fmt: skip
# What is drawn, each over the one before: label, its joints two by two, half its width as a share of the height.
SHAPES = (
    ("pants", ("right hip", "right knee", "right knee", "right ankle", "left hip", "left knee", "left knee",
               "left ankle"), 0.045),
    ("right-shoe", ("right ankle", "right ankle"), 0.035),
    ("left-shoe", ("left ankle", "left ankle"), 0.035),
    ("upper-clothes", ("neck", "right hip", "neck", "left hip", "right shoulder", "left shoulder"), 0.055),
    ("right-arm", ("right shoulder", "right elbow", "right elbow", "right wrist"), 0.03),
    ("left-arm", ("left shoulder", "left elbow", "left elbow", "left wrist"), 0.03),
    ("hair", ("right ear", "left ear", "nose", "nose"), 0.06),
    ("face", ("nose", "nose"), 0.045),
)  # fmt: skip
SKIN = (205, 160, 135)
COLORS = {"face": SKIN, "right-arm": SKIN, "left-arm": SKIN, "hair": (60, 40, 30), "background": (150, 160, 165)}
GARMENTS = np.array([[(180, 40, 50), (40, 50, 90)], [(50, 120, 70), (190, 180, 160)], [(230, 225, 220), (30, 30, 35)]])


def sample_people(height: int, width: int) -> Arrays:
    """Three people of whom each is asked for in the pose of the next.

    Returns:
        Dictionary of `image` uint8 [3, height, width, 3], `condition_parsing` uint8 [3, height, width], and of each
        pose, `condition_` and `target_`, `keypoints` float32 [3, 18, 2] in pixels and `visible` bool [3, 18].
    """
    keypoints = (POSES * (height, width)).astype(np.float32)
    visible = np.ones(keypoints.shape[:2], bool)
    visible[2, NAMES.index("left ear")] = False
    parsings = np.stack([_parsing(joints, height, width) for joints in keypoints])
    images = np.stack([_image(parsing, *garments) for parsing, garments in zip(parsings, GARMENTS)])
    return {
        "image": images,
        "condition_parsing": parsings,
        "condition_keypoints": keypoints,
        "condition_visible": visible,
        "target_keypoints": np.roll(keypoints, -1, axis=0),
        "target_visible": np.roll(visible, -1, axis=0),
    }


def _parsing(joints: Floats, height: int, width: int) -> Array:
    pixels = np.stack(np.meshgrid(np.arange(height), np.arange(width), indexing="ij"), axis=-1)
    parsing = np.zeros([height, width], np.uint8)
    for label, names, radius in SHAPES:
        ends = [joints[NAMES.index(name)] for name in names]
        for first, last in zip(ends[::2], ends[1::2]):
            parsing[_distances(pixels, first, last) <= radius * height] = LABELS.index(label)
    return parsing


def _distances(pixels: Array, first: Floats, last: Floats) -> Floats:
    """The distance of each pixel [H, W, 2] to the line from `first` to `last`."""
    along = last - first
    share = np.clip((pixels - first) @ along / max(float(along @ along), 1e-6), 0.0, 1.0)
    return np.linalg.norm(pixels - first - share[..., np.newaxis] * along, axis=-1)


def _image(parsing: Array, shirt: Array, trousers: Array) -> Array:
    """Each label in its color, striped across and a little darker towards the lower end."""
    garments = {"upper-clothes": shirt, "pants": trousers, "right-shoe": trousers, "left-shoe": trousers}
    palette = np.array([{**COLORS, **garments}.get(name, (0, 0, 0)) for name in LABELS])
    rows = np.arange(len(parsing))
    light = 1.0 - 0.2 * rows / len(rows) - 0.1 * (rows // 2 % 2)
    return (palette[parsing] * light[:, np.newaxis, np.newaxis]).astype(np.uint8)
