"""The part of a photograph that becomes the model's image: cropped as the people of its training were."""

import numpy as np

from tfwarpgan.data.joints.stature import ANKLES, HIPS, NECK, NOSE, Stature
from tfwarpgan.errors import InputError
from tfwarpgan.photographs.retargeting import shows_legs, torso
from tfwarpgan.photographs.window import Window
from tfwarpgan.typing import Pose, Size

INVENTED_LEGS = "knees and feet are not on the photograph; expect invented legs."
NOT_UPRIGHT = "the person does not stand upright on the photograph, head above hips; turn it if it lies on its side."
_BENT = 0.85  # of the height that the torso tells: who is less high sits, bends or runs, and is not that small


def person_window(pose: Pose, stature: Stature, size: Size, name: str) -> Window:
    """The window of a photograph that shows a person as the training pictures show theirs.

    Nose (or neck) and lowest ankle come to lie at the heights at which they lie there; where no ankle is seen, or
    seldom in training, or the person does not stand upright, the torso gets its length there. The hips' middle comes to
    lie at its usual x.

    Args:
        pose: Joints of the person, float [18, 2], (y, x) in pixels of the photograph, and which are visible.
        stature: `Stature` of the training pictures.
        size: (height, width) of the model's images.
        name: What the photograph is called in the error.

    Raises:
        InputError: If the photograph shows no hips or no neck, or both in one place.
    """
    joints, visible = np.asarray(pose[0], float) + 0.5, np.asarray(pose[1], bool)
    hips = [hip for hip in HIPS if visible[hip]]
    if not (visible[NECK] and hips):
        raise InputError(f"{name}: neck and hips must be seen; give a picture that shows the person to the hips.")
    y, share = joints[NECK, 0], stature.neck_y
    if visible[NOSE] and stature.nose_y is not None:
        y, share = joints[NOSE, 0], stature.nose_y
    neck_hip = torso((joints, visible)) or float(np.hypot(*(joints[NECK] - joints[hips[0]])))
    if neck_hip < 1:
        raise InputError(f"{name}: neck and hips lie in one place; move them, or give a larger picture of the person.")
    height = neck_hip / stature.neck_hip
    if visible[ANKLES].any() and stature.ankle_y is not None:
        ankle_y = joints[ANKLES, 0][visible[ANKLES]].max()
        stands = (ankle_y - y) / (stature.ankle_y - share)
        height = stands if stands > _BENT * height else height
        y, share = ankle_y, stature.ankle_y
    width = height * size[1] / size[0]
    return Window(y - share * height, joints[hips, 1].mean() - stature.hip_x * width, height, width, size)


def remarks(pose: Pose, stature: Stature) -> list[str]:
    """What is to be told of a photograph that is unlike those of the training.

    Args:
        pose: As `person_window` takes it.
        stature: `Stature` of the training pictures; where these show no feet either, nothing is invented.
    """
    joints, visible = np.asarray(pose[0], float), np.asarray(pose[1], bool)
    down, aside = joints[[hip for hip in HIPS if visible[hip]]].mean(axis=0) - joints[NECK]
    told = [NOT_UPRIGHT] if down <= abs(aside) else []
    if stature.ankle_y is not None and not shows_legs(visible):
        told.append(INVENTED_LEGS)
    return told
