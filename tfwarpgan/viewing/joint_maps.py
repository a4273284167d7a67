"""What systems draw from joints, as pictures for people to look at: masks, parts, regions, a stickman, crops."""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from tfwarpgan.storage.pixels import to_pixels
from tfwarpgan.typing import Array, Picture, Pixels
from tfwarpgan.viewing.drawing import rainbow

SHEET = 3  # crops in a row of their sheet, which so has the shape of one of them


def joint_map_columns(maps: Mapping[str, npt.ArrayLike], pictures: npt.NDArray[np.uint8]) -> dict[str, list[Picture]]:
    """The columns of a grid that show them.

    Args:
        maps: Any of `condition_mask` and `target_mask` [B, H, W, 1] of 0 and 1; `masks` [B, P, H, W], of which the
            first is all of the image and not drawn; `boxes` [B, R, 4], (y1, x1, y2, x2) as shares of the sides, with
            `seen` [B, R]; `stickman` [B, H, W, 3] in [-1, 1]; `crops` [B, h, w, 3 n] in [-1, 1]. Others are ignored.
        pictures: uint8 [B, H, W, 3], on which boxes are drawn.

    Returns:
        Dictionary, title -> list of B uint8 pictures.
    """
    drawers: dict[str, tuple[str, Callable[[Array, int], Picture]]] = {
        "condition_mask": ("condition mask", lambda mask, _: _gray(mask[..., 0])),
        "target_mask": ("target mask", lambda mask, _: _gray(mask[..., 0])),
        "masks": ("body parts", lambda masks, _: _colored(masks[1:])),
        "boxes": ("regions", lambda boxes, place: _boxed(pictures[place], boxes, np.asarray(maps["seen"])[place] > 0)),
        "stickman": ("stickman", lambda drawing, _: to_pixels(drawing)),
        "crops": ("part crops", lambda crops, _: _sheet(to_pixels(crops))),
    }
    return {
        title: [draw(np.asarray(each), place) for place, each in enumerate(np.asarray(maps[name]))]
        for name, (title, draw) in drawers.items()
        if name in maps
    }


def _gray(mask: Array) -> Picture:
    return np.repeat(to_pixels(2.0 * mask - 1.0)[..., np.newaxis], 3, axis=-1)


def _colored(masks: Array) -> Picture:
    """Masks [P, H, W] in colors of their own; where several are, the last one."""
    picture = np.zeros([*masks.shape[1:], 3], np.uint8)
    for mask, color in zip(masks, rainbow(len(masks))):
        picture[mask > 0] = color
    return picture


def _boxed(picture: Pixels, boxes: Array, seen: Array) -> Picture:
    """A picture under the outlines of boxes [R, 4], those that are seen."""
    canvas = Image.fromarray(picture)
    draw = ImageDraw.Draw(canvas)
    height, width = picture.shape[:2]
    for (top, left, bottom, right), color, is_seen in zip(boxes, rainbow(len(boxes)), seen):
        if is_seen:
            draw.rectangle([left * width, top * height, right * width, bottom * height], outline=color)
    return np.asarray(canvas)


def _sheet(crops: Pixels) -> Picture:
    """Crops [h, w, 3 n] in rows of three."""
    height, width, channels = crops.shape
    parts = crops.reshape(height, width, channels // 3, 3).transpose(2, 0, 1, 3)
    rows = -(-len(parts) // SHEET)
    sheet = np.full([rows * SHEET, height, width, 3], 255, np.uint8)
    sheet[: len(parts)] = parts
    return sheet.reshape(rows, SHEET, height, width, 3).swapaxes(1, 2).reshape(rows * height, SHEET * width, 3)
