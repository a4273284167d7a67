"""Joints of the person on a photograph, by MoveNet or another network with its interface on TensorFlow Hub.

A SavedModel whose signature takes `input`, int32 [1, S, S, 3] of levels 0..255, and gives `output_0`, float32
[1, 1, 17, 3]: COCO's joints as (y, x, score), shares of the square. It always gives all joints, of a wall too.

The photograph is seen twice: whole, then the square around the person that was found, which finds the joints of people
who are half as high as it as well as of those who fill it.
"""

import dataclasses
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from tfwarpgan.body.joints import MISSING, NAMES
from tfwarpgan.data.joints.formats import COCO_SOURCES, KeypointFormat
from tfwarpgan.data.pictures.files import Box
from tfwarpgan.data.pictures.framing import within
from tfwarpgan.errors import InputError
from tfwarpgan.photographs.movenet import GIVEN, fetched_movenet
from tfwarpgan.photographs.window import Window
from tfwarpgan.typing import Floats, Pixels, Pose, Visible

MIN_SCORE = 0.2
FEWEST = 8  # joints of a person; a wall shows fewer
MARGIN = 0.15  # of the joints' box, for the second look: hair, hands and feet lie beyond the joints
_MOVENET = KeypointFormat("movenet", 17, COCO_SOURCES, order="yx", missing=MISSING, normalized=True)
_TORSO = tuple(NAMES.index(name) for name in ("right shoulder", "left shoulder", "right hip", "left hip"))
_FACE = [NAMES.index(name) for name in ("nose", "right eye", "left eye")]
_BEHIND = 0.25  # of the torso: by how much a person's right shoulder is at the right, seen from behind


class NoPerson(InputError):
    """Nobody is on a photograph.

    Args:
        sentence: The error.
        found: How many joints were found on it.
    """

    def __init__(self, sentence: str, found: int = 0) -> None:
        super().__init__(sentence)
        self.found = found


@dataclasses.dataclass(frozen=True)
class Estimator:
    """Finds the joints of one person.

    Attributes:
        call: Function of a picture, uint8 [side, side, 3], that gives float [17, 3], see the module.
        side: Of its pictures, pixels.
        min_score: Score that a joint must exceed.
    """

    call: Callable[[Pixels], Floats]
    side: int
    min_score: float = MIN_SCORE

    def pose(self, pixels: Pixels, name: str, box: Box | None = None) -> Pose:
        """The joints of the person on a photograph.

        Args:
            pixels: uint8 [H, W, 3].
            name: What the photograph is called in the error.
            box: (x, y, width, height) in pixels that the person is in; None: looked for on the whole photograph.

        Returns:
            (joints float32 [18, 2], (y, x) in pixels, visible bool [18]).

        Raises:
            NoPerson: If nobody is found.
        """
        size, square = (pixels.shape[0], pixels.shape[1]), (self.side, self.side)
        if box is None:
            window = Window.whole(size, square)
        else:
            x, y, width, height = box
            window = Window.around((y, x), (y + height, x + width), square)
        joints, visible = self._look(pixels, window)
        if visible.sum() >= 2:
            seen = joints[visible] + 0.5
            window = Window.around(tuple(seen.min(0)), tuple(seen.max(0)), square, MARGIN)
            joints, visible = self._look(pixels, window)
        joints, visible = within(joints, visible, size)  # networks also guess what lies beyond the edge
        if visible.sum() < FEWEST or not visible[list(_TORSO)].sum() >= 2:
            raise NoPerson(
                f"{name}: no person was found on it, {visible.sum()} of {len(NAMES)} joints; give a picture of one "
                "person who fills at least half of its height.",
                int(visible.sum()),
            )
        return joints, visible

    def _look(self, pixels: Pixels, window: Window) -> Pose:
        found = self.call(window.cut(pixels, mode="constant"))
        joints, visible = dataclasses.replace(_MOVENET, min_score=self.min_score).to_18(found)
        visible = without_hidden_face(joints, visible)
        joints = (joints + 0.5) * self.side - 0.5
        return window.to_picture(joints, visible), visible


def without_hidden_face(joints: Floats, visible: Visible) -> Visible:
    """Which joints are there, without nose and eyes of a person seen from behind, which networks guess.

    Who is seen from behind has the right shoulder at the right, and not only as much as a person seen from the side.
    """
    if not visible[list(_TORSO)].all():
        return visible
    right, left, *hips = joints[list(_TORSO)]
    torso = np.hypot(*((right + left) / 2 - np.mean(hips, axis=0)))
    if right[1] - left[1] > _BEHIND * torso:
        visible = visible.copy()
        visible[_FACE] = False
    return visible


def load_estimator(folder: str, min_score: float = MIN_SCORE) -> Estimator:
    """The `Estimator` of a SavedModel.

    Args:
        folder: Of the SavedModel; empty: MoveNet's, see `movenet.fetched_movenet`.
        min_score: See `Estimator`.

    Raises:
        InputError: If it is missing or has another interface.
    """
    folder = os.path.expanduser(folder) or fetched_movenet()
    if not os.path.isfile(os.path.join(folder, "saved_model.pb")):
        raise InputError(f"--pose_estimator={folder} has no saved_model.pb; {GIVEN}.")
    import tensorflow as tf

    try:
        model = tf.saved_model.load(folder)
    except (OSError, ValueError, tf.errors.OpError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"--pose_estimator={folder} cannot be loaded ({reason}); {GIVEN}.") from None
    signature = model.signatures.get("serving_default")
    inputs: Any = dict(signature.structured_input_signature[1]) if signature else {}
    spec, found = inputs.get("input"), (signature.structured_outputs if signature else {}).get("output_0")
    shape = [None if shaped is None or shaped.shape.rank != 4 else tuple(shaped.shape) for shaped in (spec, found)]
    if not (shape[0] and shape[0][1] and shape[0][1] == shape[0][2] and shape[1] and shape[1][2:] == (17, 3)):
        raise InputError(
            f"--pose_estimator={folder} has another interface; expected that of MoveNet single pose: input int32 "
            f"[1, S, S, 3], output_0 float32 [1, 1, 17, 3]; {GIVEN}."
        )

    def call(pixels: Pixels) -> Floats:
        signed = model.signatures["serving_default"]  # by way of the model, which has to be kept
        return np.asarray(signed(input=tf.cast(pixels[np.newaxis], spec.dtype))["output_0"])[0, 0]

    return Estimator(call, int(shape[0][1]), min_score)
