"""A person in a new pose put back into the photograph, in place of the old one.

The old person becomes a hole, filled from its edge; then the new silhouette alone is laid over it, so that the backdrop
that the networks drew does not show.
"""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageFilter

from tfwarpgan.errors import InputError
from tfwarpgan.photographs.drawing import Drawn
from tfwarpgan.photographs.person import Person
from tfwarpgan.photographs.shapes import Mask
from tfwarpgan.photographs.window import Window
from tfwarpgan.typing import Array, Pixels, Size

GROWN = 0.04  # of the model's height by which the hole is larger than the old person's labels: hair and hem
FEATHER = 0.6  # pixels of the model's image over which the new silhouette fades into the photograph


def paste(person: Person, drawn: Sequence[Drawn]) -> list[Pixels]:
    """The photograph with the person in each of the poses, uint8 [H, W, 3].

    Raises:
        InputError: If the networks make no label map, which the silhouette comes from.
    """
    window, pixels = person.window, person.pixels
    if any(each.labels is None for each in drawn):
        raise InputError("--paste needs networks of this machine that make label maps; leave it out.")
    size = (pixels.shape[0], pixels.shape[1])
    old = Image.fromarray((person.labels > 0).astype(np.uint8) * 255)
    grown = old.filter(ImageFilter.MaxFilter(2 * round(GROWN * window.size[0]) + 1))
    hole, inside = placed(np.asarray(grown), window, size)
    empty = filled(pixels, (hole > 127) & inside)
    pictures = []
    for each in drawn:
        silhouette = Image.fromarray(connected(np.asarray(each.labels) > 0).astype(np.uint8) * 255)
        alpha, inside = placed(np.asarray(silhouette.filter(ImageFilter.GaussianBlur(FEATHER))), window, size)
        share = np.where(inside, alpha, 0)[..., np.newaxis] / 255.0
        image, _ = placed(each.image, window, size)
        pictures.append(np.rint(share * image + (1 - share) * empty).astype(np.uint8))
    return pictures


def connected(mask: Mask) -> Mask:
    """The part of a silhouette that is connected to its middle, without the specks beside it; bool [H, W]."""
    places = np.argwhere(mask)
    part = np.zeros_like(mask)
    if len(places):
        part[tuple(places[np.linalg.norm(places - np.median(places, axis=0), axis=1).argmin()])] = True
    while True:
        grown = np.asarray(Image.fromarray(part.astype(np.uint8)).filter(ImageFilter.MaxFilter(3))) > 0
        grown &= mask
        if np.array_equal(grown, part):
            return part
        part = grown


def placed(picture: Array, window: Window, size: Size) -> tuple[Array, Mask]:
    """A picture of the model's size where its window is on the photograph, and where that is.

    Args:
        picture: uint8 [height, width, 3] or [height, width].
        window: The `Window`.
        size: (height, width) of the photograph.

    Returns:
        (uint8 [H, W, ...], bool [H, W]).
    """
    ratio = window.size[0] / window.height, window.size[1] / window.width
    back = Window(-window.top * ratio[0], -window.left * ratio[1], size[0] * ratio[0], size[1] * ratio[1], size)
    inside = back.cut(np.full(picture.shape[:2], 255, np.uint8), "constant", Image.Resampling.NEAREST)
    return back.cut(picture, "edge"), inside > 127


def filled(pixels: Pixels, hole: Mask) -> Pixels:
    """A photograph whose hole is filled from around: each level of a pyramid fills the next finer one.

    A pixel of a coarser level is the mean of the known ones of four; where none is known, the level above says it.

    Args:
        pixels: uint8 [H, W, 3].
        hole: bool [H, W].

    Returns:
        uint8 [H, W, 3], equal to `pixels` outside of the hole.
    """
    if hole.all():
        return pixels
    values = _fill(pixels.astype(np.float32), ~hole)
    return np.where(hole[..., np.newaxis], np.rint(values), pixels).astype(np.uint8)


def _fill(values: Array, known: Mask) -> Array:
    if known.all() or min(known.shape) == 1 and max(known.shape) == 1:
        return values
    height, width = (-(-side // 2) * 2 for side in known.shape)
    weight = np.pad(known.astype(np.float32), ((0, height - known.shape[0]), (0, width - known.shape[1])))
    padded = np.pad(values, ((0, height - known.shape[0]), (0, width - known.shape[1]), (0, 0)))
    count = weight.reshape(height // 2, 2, width // 2, 2).sum(axis=(1, 3))
    total = (padded * weight[..., np.newaxis]).reshape(height // 2, 2, width // 2, 2, 3).sum(axis=(1, 3))
    coarse = _fill(total / np.maximum(count, 1)[..., np.newaxis], count > 0)
    # Between the centers of the coarse pixels, in straight lines.
    planes = (Image.fromarray(coarse[..., plane]) for plane in range(3))
    larger = [np.asarray(plane.resize((width, height), Image.Resampling.BILINEAR)) for plane in planes]
    finer = np.stack(larger, axis=-1)[: known.shape[0], : known.shape[1]]
    return np.where(known[..., np.newaxis], values, finer)
