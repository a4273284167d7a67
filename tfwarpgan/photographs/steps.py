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
    """Writes the steps from a photograph to a picture, `1_joints.png` to `7_result.png`, see `step_pictures`.

    Args:
        folder: Where they go; it is made if it is missing.
        person, target, drawn: See `step_pictures`.

    Raises:
        InputError: If they cannot be written.
    """
    for number, (name, picture) in enumerate(step_pictures(person, target, drawn).items(), 1):
        if picture is not None:
            save_png(os.path.join(folder, f"{number}_{name}.png"), picture)


def step_pictures(person: Person, target: Pose, drawn: Drawn) -> dict[str, Picture | None]:
    """The steps from a photograph to a picture, by name and in their order.

    Args:
        person: `Person`.
        target: The pose, in pixels of `person.image`.
        drawn: `Drawn`.

    Returns:
        `joints`: the photograph with its joints; `crop`: what the networks see of it; `labels`: its label map in LIP's
        colors; `pose`; `warp`: what is seen, warped into the pose; `parsing`: the label map in the pose; `result`. None
        where the networks have no such step, or do not tell.
    """
    height, width = person.window.size
    return {
        "joints": _with_joints(person),
        "crop": _large(person.image),
        "labels": _large(color_parsing(person.labels)),
        "pose": draw_skeleton(*target, height, width, SCALE),
        "warp": None if drawn.warped is None else _large(drawn.warped),
        "parsing": None if drawn.labels is None else _large(color_parsing(drawn.labels)),
        "result": _large(drawn.image),
    }


def _with_joints(person: Person) -> Picture:
    height, width = person.pixels.shape[:2]
    scale = min(SIDE / max(height, width), SCALE)
    small = Image.fromarray(person.pixels).resize((round(width * scale), round(height * scale)))
    return draw_skeleton(*person.pose, height, width, scale, np.asarray(small))


def _large(picture: Picture) -> Picture:
    return picture.repeat(SCALE, axis=0).repeat(SCALE, axis=1)
