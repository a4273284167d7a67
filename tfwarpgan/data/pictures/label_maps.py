"""Clothing parsings: label maps of the 20 LIP classes (Gong et al., "Look into Person", CVPR 2017).

A label map is uint8 [H, W]; on disk a PNG whose pixels, grey or palette, are the labels. Left and right are the
person's own. Files are read without TensorFlow, which only the functions of tensors import.
"""

import numpy as np
from PIL import Image

from tfwarpgan.body.label_mappings import translate
from tfwarpgan.body.labels import NUM_LABELS
from tfwarpgan.data.pictures.images import decode_file, used_part
from tfwarpgan.errors import InputError


def read_label_map(path, size=None):
    """Reads a label map; palette PNGs give their indices, not their colours.

    Args:
        path: PNG file, grey or palette; a `files.PictureFile` says which part is used and what its labels are.
        size: (height, width) that the map must have: its picture's. None takes any.

    Returns:
        uint8 [H, W], 0..19.

    Raises:
        InputError: If the file is missing or broken, holds colours, another size or labels above 19.
    """
    labels = decode_file(path, lambda image: _labels(path, image))
    if size is not None and labels.shape != tuple(size):
        raise InputError(
            f"{path} is {labels.shape[1]} x {labels.shape[0]} pixels and its picture {size[1]} x {size[0]}; "
            "a parsing must have its picture's size."
        )
    table = getattr(path, "labels", None)
    count = NUM_LABELS if table is None else len(table)
    if labels.max() >= count:
        raise InputError(
            f"{path} holds label {labels.max()}; the labels of a parsing are 0 to {count - 1} by --label_mapping."
        )
    return labels if table is None else translate(labels, table)


def resize(labels, height, width):
    """Resizes a label map uint8 [H, W] to [height, width] without mixing labels (nearest neighbour)."""
    if labels.shape == (height, width):
        return labels
    return np.asarray(Image.fromarray(labels).resize((width, height), Image.Resampling.NEAREST))


def _labels(path, image):
    if image.format != "PNG" or image.mode not in ("L", "P", "1"):
        raise InputError(
            f"{path} is a {image.format} file of mode {image.mode}, not a label map; "
            "expected a grey or palette PNG whose pixels are labels 0 to 19."
        )
    bits = _grey_bits(image)
    image = used_part(path, image)
    return np.asarray(image.convert("L") if image.mode == "1" else image) // (255 // (2**bits - 1))


def _grey_bits(image):
    """Bits a grey pixel has in the file: Pillow stretches 1, 2 and 4 bits to 0..255, which would change the labels."""
    if image.mode == "1":
        return 1
    raw_mode = image.tile[0][3] if image.tile else ""
    raw_mode = raw_mode[0] if isinstance(raw_mode, tuple) else raw_mode
    return int(raw_mode[2:]) if image.mode == "L" and raw_mode in ("L;2", "L;4") else 8
