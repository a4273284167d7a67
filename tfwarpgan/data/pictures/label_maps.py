"""Clothing parsings: label maps of the 20 LIP classes (Gong et al., "Look into Person", CVPR 2017).

A label map is uint8 [H, W]; on disk a PNG whose pixels, gray or palette, are the labels. Left and right are the
person's own. Files are read without TensorFlow, which only the functions of tensors import.
"""

from typing import Any

import numpy as np
from PIL import Image

from tfwarpgan.body.label_mappings import translate
from tfwarpgan.body.labels import NUM_LABELS
from tfwarpgan.data.pictures.images import decode_file, reduced_size, used_part
from tfwarpgan.data.pictures.palettes import check_palette
from tfwarpgan.errors import InputError
from tfwarpgan.typing import LabelMap

ANNOTATE = "make them with python -m tfwarpgan.annotate, or give their folder as --parsing_dir"


def read_label_map(path: str, size: tuple[int, ...] | None = None) -> LabelMap:
    """Reads a label map; palette PNGs give their indices, not their colors.

    Args:
        path: PNG file, gray or palette; a `files.ImageFile` says which part is used and what its labels are.
        size: (height, width) that the map must have: its image's. None takes any.

    Returns:
        uint8 [H, W], 0..19.

    Raises:
        InputError: If the file is missing or broken, holds colors, another size or labels above 19, or a palette that
            shows that its indices are no labels.
    """
    labels = decode_file(path, lambda image: _labels(path, image))
    table, ignore = getattr(path, "labels", None), getattr(path, "ignore", -1)
    ignored = labels == ignore
    labels = np.where(ignored, np.uint8(0), labels)
    check_label_map(labels, size, path, NUM_LABELS if table is None else len(table))
    return np.where(ignored, np.uint8(0), labels if table is None else translate(labels, table))


def check_label_map(labels: LabelMap, size: tuple[int, ...] | None, name: str, count: int = NUM_LABELS) -> None:
    """Refuses a label map that does not belong to its image.

    Args:
        labels: uint8 [H, W].
        size: (height, width) that it must have, or that `images.reduced_size` makes of it; None takes any.
        name: What it is called in the error.
        count: Number of labels that there are.

    Raises:
        InputError: If it has another size or labels above count - 1.
    """
    if size is not None and labels.shape not in (tuple(size), reduced_size((size[0], size[1]))):
        raise InputError(
            f"{name} is {labels.shape[1]} x {labels.shape[0]} pixels, but its image is {size[1]} x {size[0]}; "
            "a label map must have the size of its image."
        )
    if labels.max() >= count:
        label = labels.max()
        ignored = f"; if {label} marks pixels without a label, set --ignore_label={label}" if label > NUM_LABELS else ""
        raise InputError(
            f"{name} holds label {label}; with this --label_mapping, labels are 0 to {count - 1}{ignored}."
        )


def _labels(path: str, image: Image.Image) -> LabelMap:
    if image.format != "PNG" or image.mode not in ("L", "P", "1"):
        raise InputError(
            f"{path} is a {image.format} file of mode {image.mode}, not a label map; "
            "expected a grayscale or palette PNG whose pixels are labels 0 to 19."
        )
    bits = _gray_bits(image)
    image = used_part(path, image)
    if image.mode == "P":
        labels, palette = np.asarray(image), np.array(image.getpalette("RGB"), np.uint8).reshape(-1, 3)
        is_declared = getattr(path, "labels", None) is not None
        check_palette(path, labels, palette, is_declared, getattr(path, "ignore", -1))
        return labels
    return np.asarray(image.convert("L") if image.mode == "1" else image) // (255 // (2**bits - 1))


def _gray_bits(image: Image.Image) -> int:
    """Bits a gray pixel has in the file: Pillow stretches 1, 2 and 4 bits to 0..255, which would change the labels."""
    if image.mode == "1":
        return 1
    tile: Any = getattr(image, "tile", None)
    raw_mode = tile[0][3] if tile else ""
    raw_mode = raw_mode[0] if isinstance(raw_mode, tuple) else raw_mode
    return int(raw_mode[2:]) if image.mode == "L" and raw_mode in ("L;2", "L;4") else 8
