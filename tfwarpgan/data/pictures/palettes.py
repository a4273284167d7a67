"""The palettes of label maps: whether the index of a pixel is its label.

Tools that write label maps give them the colors of their label set, in the order of the labels. A program that opens
a colored picture and saves it with a palette of its own orders the colors as it likes; the indices then say nothing.
"""

import numpy as np
import numpy.typing as npt

from tfwarpgan.body.labels import COLORS, LABELS
from tfwarpgan.errors import InputError
from tfwarpgan.typing import LabelMap


def _voc() -> npt.NDArray[np.uint8]:
    """The color map of PASCAL VOC (Everingham et al., 2010), which most parsers use: bits 0, 3 and 6 of the label are
    the highest of red, the next ones of green and blue, and so on downward.
    """
    labels = np.arange(256)
    bits = (labels[:, np.newaxis] >> np.arange(8)) & 1
    channels = [sum(bits[:, first + 3 * k] << (7 - k) for k in range((10 - first) // 3)) for first in range(3)]
    return np.stack(channels, axis=1).astype(np.uint8)


VOC = _voc()


def check_palette(path: str, labels: LabelMap, palette: npt.NDArray[np.uint8], is_declared: bool, ignore: int) -> None:
    """Refuses a palette whose colors show that its indices are no labels.

    Args:
        path: The file, for the message.
        labels: uint8 [H, W], indices.
        palette: uint8 [N, 3], RGB.
        is_declared: Whether --label_mapping says what the labels are, so that the colors may be any set's.
        ignore: Label that stands for none; below 0: there is none.

    Raises:
        InputError: It says which index has which color, and the likely reason.
    """
    used = np.flatnonzero(np.bincount(labels.ravel(), minlength=256))
    used = used[(used < len(palette)) & (used != ignore)]
    colors = palette[used]
    if _in_order(used, colors):
        return
    for place, color in zip(used, colors):
        found = np.flatnonzero((COLORS == color).all(axis=1))
        if found.size and found[0] != place and _subset(colors):
            label = int(found[0])
            raise InputError(
                f"{path}: the palette has the color of label {label}, {LABELS[label]}, at index {place}: the file was "
                "saved with a palette of its own, and its indices are no labels; save the labels themselves, as gray "
                "PNGs or with the palette that they had."
            )
    if not is_declared:
        place, color = int(used[-1]), tuple(map(int, colors[-1]))
        raise InputError(
            f"{path}: the palette has the color {color} at index {place}, which is not LIP's: the labels seem to be "
            "another set's, or the file was saved with a palette of its own; name the labels with --label_mapping "
            "(0,1,2,...,19 if the indices are LIP's labels)."
        )


def _in_order(used: npt.NDArray[np.int64], colors: npt.NDArray[np.uint8]) -> bool:
    """Whether the indices have the colors of a known map, or gets brighter shades of gray."""
    known = [table[used] for table in (COLORS, VOC) if not used.size or used[-1] < len(table)]
    gray = (colors == colors[:, :1]).all() and (np.diff(colors[:, 0].astype(int)) >= 0).all()
    return bool(gray) or any(np.array_equal(colors, table) for table in known)


def _subset(colors: npt.NDArray[np.uint8]) -> bool:
    """Whether all colors are LIP's."""
    return all((COLORS == color).all(axis=1).any() for color in colors)
