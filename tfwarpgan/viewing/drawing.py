"""Pictures for people to look at: skeletons, parsings in LIP colors, grids of samples.

Everything here is NumPy and Pillow, uint8 RGB, and belongs to TensorBoard, the report and the commands; no network
sees any of it (the pose maps of section 3.1 of the paper are drawn in the graph, by `layers/pose_maps.py`).
"""

import colorsys
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from tfwarpgan.body.joints import LIMBS, NUM_JOINTS
from tfwarpgan.body.labels import COLORS
from tfwarpgan.storage.pixels import to_pixels
from tfwarpgan.typing import Joints, Picture, Visible

GAP = 4  # pixels between the cells of a grid
BACKGROUND = (255, 255, 255)
Color: TypeAlias = tuple[int, ...]  # RGB, 0..255
Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont
FONT_SIZES = (12, 11, 10, 9, 8, 7, 6)
# The gates of the warping generator, by the names of its outputs.
GATE_TITLES = {
    "gate": "gate 1/8", "gate_4": "gate 1/4", "gate_2": "gate 1/2", "gate_1": "gate 1/1", "gate_image": "gate image",
}  # fmt: skip


def rainbow(count: int) -> list[Color]:
    """So many colors, all different."""
    hues = [index / count for index in range(count)]
    return [tuple(round(255 * part) for part in colorsys.hsv_to_rgb(hue, 1.0, 1.0)) for hue in hues]


LIMB_COLORS = rainbow(len(LIMBS))
JOINT_COLORS = rainbow(NUM_JOINTS)


def color_parsing(labels: npt.ArrayLike) -> npt.NDArray[np.uint8]:
    """Label maps [..., H, W] in LIP's colors, uint8 [..., H, W, 3]."""
    return COLORS[np.asarray(labels)]


def draw_skeleton(
    joints: Joints, visible: Visible, height: int, width: int, scale: float = 1, background: Picture | None = None
) -> Picture:
    """A pose as colored limbs and joints; left and right have different colors.

    Args:
        joints: [18, 2], (y, x) in pixels of a picture of height x width.
        visible: [18] bool; a limb is drawn if both of its joints are visible.
        height: Of the picture that the joints belong to.
        width: Of the same picture.
        scale: The drawing is scale times as large.
        background: uint8 picture to draw on, resized if need be; None: black.

    Returns:
        uint8 [scale * height, scale * width, 3].
    """
    size = (round(width * scale), round(height * scale))
    canvas = Image.new("RGB", size) if background is None else _resized(background, size).copy()
    draw = ImageDraw.Draw(canvas)
    points = (np.asarray(joints, np.float64) + 0.5) * scale - 0.5
    visible = np.asarray(visible, bool)
    thickness = max(1, round(min(size) / 32))
    for color, (first, second) in zip(LIMB_COLORS, LIMBS):
        if visible[first] and visible[second]:
            draw.line([tuple(points[first][::-1]), tuple(points[second][::-1])], fill=color, width=thickness)
    radius = max(1.0, 0.75 * thickness)
    for color, (y, x), drawn in zip(JOINT_COLORS, points, visible):
        if drawn:
            draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=color)
    return np.asarray(canvas)


def grid(columns: Mapping[str, Sequence[Picture] | npt.NDArray[np.uint8]], scale: float = 1) -> Picture:
    """One picture of many samples: one row per sample, one titled column per kind of picture.

    Args:
        columns: Dictionary, title -> list or array of uint8 pictures [H, W, 3]; all columns are equally long.
        scale: Each cell is scale times as large as the first column's first picture; pictures of other sizes (a
            skeleton drawn larger, say) are resized to the cell.

    Returns:
        uint8 [height, width, 3].
    """
    lengths = {title: len(pictures) for title, pictures in columns.items()}
    rows = next(iter(lengths.values()), 0)
    if not rows or len(set(lengths.values())) != 1:
        raise ValueError(f"grid() needs equally long columns of at least one picture, got {lengths}.")
    height, width = (round(side * scale) for side in np.shape(next(iter(columns.values()))[0])[:2])
    titles, font, header = _titles(list(columns), width)
    canvas = Image.new("RGB", (len(columns) * (width + GAP) + GAP, header + rows * (height + GAP) + GAP), BACKGROUND)
    draw = ImageDraw.Draw(canvas)
    for column, (title, pictures) in enumerate(zip(titles, columns.values())):
        left = GAP + column * (width + GAP)
        draw.multiline_text((left, GAP), title, fill=(0, 0, 0), font=font, spacing=2)
        for row, picture in enumerate(pictures):
            canvas.paste(_resized(picture, (width, height)), (left, header + GAP + row * (height + GAP)))
    return np.asarray(canvas)


def skeletons(batch: Mapping[str, npt.ArrayLike], scale: float = 1) -> list[Picture]:
    """The target poses of a batch of the data pipeline, drawn: a list of uint8 pictures."""
    height, width = np.shape(batch["target_image"])[1:3]
    poses = zip(np.asarray(batch["target_keypoints"]), np.asarray(batch["target_visible"]))
    return [draw_skeleton(points, visible, height, width, scale) for points, visible in poses]


def sample_columns(
    batch: Mapping[str, npt.ArrayLike], outputs: Mapping[str, npt.ArrayLike], scale: float = 1
) -> dict[str, list[Picture]]:
    """The pictures that show how samples came about, as columns of a `grid`.

    Args:
        batch: Of the data pipeline: `condition_image` and `target_image` [B, H, W, 3] in [-1, 1], `target_keypoints`
            [B, 18, 2], `target_visible` [B, 18].
        outputs: Of `WarpingGAN`: `image`, `warped_image` [B, H, W, 3] in [-1, 1], `target_parsing` (or
            `parsing_logits`) [B, H, W, 20] and the generator's gates by name; all but the first drawn where given.
        scale: The skeletons are drawn scale times as large.

    Returns:
        Dictionary, title -> list of B uint8 pictures.
    """
    columns = {"condition": list(to_pixels(batch["condition_image"])), "target pose": skeletons(batch, scale)}
    parsing = outputs.get("target_parsing", outputs.get("parsing_logits"))
    if parsing is not None:
        columns["synthesized parsing"] = list(color_parsing(np.argmax(parsing, axis=-1)))
    if "warped_image" in outputs:
        columns["warped condition"] = list(to_pixels(outputs["warped_image"]))
    return {
        **columns,
        **{GATE_TITLES[name]: gate_pictures(outputs[name]) for name in GATE_TITLES if name in outputs},
        "synthesized": list(to_pixels(outputs["image"])),
        "target": list(to_pixels(batch["target_image"])),
    }


def gate_pictures(gates: npt.ArrayLike) -> list[Picture]:
    """Gates [B, h, w, C] in [0, 1] as gray pictures, the mean of their channels: white lets all of the warp through."""
    gray = np.rint(255 * np.asarray(gates, np.float32).mean(axis=-1, keepdims=True)).astype(np.uint8)
    return list(np.repeat(gray, 3, axis=-1))


def _titles(titles: Sequence[str], width: int) -> tuple[list[str], Font, int]:
    """The titles broken into lines that fit the width, the font that lets them fit, and the height they need."""
    words = [word for title in titles for word in title.split()]
    for size in FONT_SIZES:
        font = ImageFont.load_default(size)
        if all(font.getlength(word) <= width - GAP for word in words):
            break
    broken = ["\n".join(_lines(title.split(), font, width)) for title in titles]
    draw = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    bottoms = [draw.multiline_textbbox((0, GAP), title, font=font, spacing=2)[3] for title in broken if title]
    return broken, font, int(np.ceil(max(bottoms, default=0)))


def _lines(words: Sequence[str], font: Font, width: int) -> list[str]:
    lines: list[str] = []
    for word in words:
        if lines and font.getlength(f"{lines[-1]} {word}") <= width - GAP:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _resized(picture: npt.ArrayLike, size: tuple[int, int]) -> Image.Image:
    image = Image.fromarray(np.asarray(picture, np.uint8))
    if image.size == size:
        return image
    # A pixel that is shown larger stays a pixel: what is looked at is what was made.
    enlarged = size[0] >= image.size[0] and size[1] >= image.size[1]
    return image.resize(size, Image.Resampling.NEAREST if enlarged else Image.Resampling.BOX)
