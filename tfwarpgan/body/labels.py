"""The 20 labels of clothing parsings, those of LIP (Gong et al., "Look into Person", CVPR 2017).

Left and right are the person's own.
"""

import numpy as np

LABELS = (
    "background", "hat", "hair", "glove", "sunglasses", "upper-clothes", "dress", "coat", "socks", "pants", "jumpsuits",
    "scarf", "skirt", "face", "left-arm", "right-arm", "left-leg", "right-leg", "left-shoe", "right-shoe",
)  # fmt: skip
NUM_LABELS = len(LABELS)
HEAD = tuple(LABELS.index(name) for name in ("hat", "hair", "sunglasses", "face"))

# The label that each label becomes when the image is mirrored; it is its own inverse.
FLIP_PERMUTATION = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 14, 17, 16, 19, 18)

# The colors in which the LIP data set shows its labels, RGB.
COLORS = np.array(
    [
        (0, 0, 0), (128, 0, 0), (255, 0, 0), (0, 85, 0), (170, 0, 51), (255, 85, 0), (0, 0, 85), (0, 119, 221),
        (85, 85, 0), (0, 85, 85), (85, 51, 0), (52, 86, 128), (0, 128, 0), (0, 0, 255), (51, 170, 221), (0, 255, 255),
        (85, 255, 170), (170, 255, 85), (255, 255, 0), (255, 170, 0),
    ],
    np.uint8,
)  # fmt: skip
