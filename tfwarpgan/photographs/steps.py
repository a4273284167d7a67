"""How a picture came about, as pictures in a folder: what went wrong is seen in the first that looks wrong."""

import os

import numpy as np
from PIL import Image

from tfwarpgan.photographs.drawing import Drawn
from tfwarpgan.photographs.person import Person
from tfwarpgan.storage.writing import save_png
from tfwarpgan.typing import Picture, Pose
from tfwarpgan.viewing.drawing import color_parsing, draw_skeleton

SIDE = 768  # pixels of the longer side of the photograph with its joints
SCALE = 4  # of the pictures of the model's size


def write_steps(folder: str, person: Person, target: Pose, drawn: Drawn) -> None:
    """Writes the steps from a photograph to a picture.

    `1_joints.png`: the photograph with its joints; `2_crop.png`: what the networks see of it; `3_labels.png`: its label
    map in LIP's colors; `4_pose.png`: the pose; `5_warp.png`: what is seen, warped into the pose; `6_parsing.png`: the
    label map in the pose; `7_result.png`.

    Args:
        folder: Where they go; it is made if it is missing.
        person: `Person`.
        target: The pose, in pixels of `person.image`.
        drawn: `Drawn`.

    Raises:
        InputError: If they cannot be written.
    """
    height, width = person.window.size
    pictures = {
        "joints": _with_joints(person),
        "crop": _large(person.image),
        "labels": _large(color_parsing(person.labels)),
        "pose": draw_skeleton(*target, height, width, SCALE),
        "warp": None if drawn.warped is None else _large(drawn.warped),
        "parsing": None if drawn.labels is None else _large(color_parsing(drawn.labels)),
        "result": _large(drawn.image),
    }
    for number, (name, picture) in enumerate(pictures.items(), 1):
        if picture is not None:
            save_png(os.path.join(folder, f"{number}_{name}.png"), picture)


def _with_joints(person: Person) -> Picture:
    height, width = person.pixels.shape[:2]
    scale = min(SIDE / max(height, width), SCALE)
    small = Image.fromarray(person.pixels).resize((round(width * scale), round(height * scale)))
    return draw_skeleton(*person.pose, height, width, scale, np.asarray(small))


def _large(picture: Picture) -> Picture:
    return picture.repeat(SCALE, axis=0).repeat(SCALE, axis=1)
