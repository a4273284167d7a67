"""What the page can ask for, apart from HTTP: each call takes and gives a dictionary of JSON, and keeps nothing."""

import dataclasses
from collections.abc import Callable
from typing import Any

from tfwarpgan.body.joints import FLIP_PERMUTATION, LIMBS, NAMES
from tfwarpgan.data.joints.stature import Stature
from tfwarpgan.errors import InputError
from tfwarpgan.photo_studio import values
from tfwarpgan.photo_studio.gallery import gallery, joints_of
from tfwarpgan.photographs import framing, pasting, sequence, steps
from tfwarpgan.photographs.animation import encode_animation
from tfwarpgan.photographs.bystanders import largest
from tfwarpgan.photographs.clothes import LEGS, SLEEVES, Clothes
from tfwarpgan.photographs.drawing import Drawer
from tfwarpgan.photographs.estimator import Estimator, NoPerson
from tfwarpgan.photographs.labels import LabelSource
from tfwarpgan.photographs.person import Person, person_of
from tfwarpgan.photographs.retargeting import retarget
from tfwarpgan.typing import Size

Values = dict[str, Any]
MOST_POSES, MOST_FRAMES = 64, 96
FRAMES, FRAMES_PER_SECOND = 24, 12
KINDS = {".webp": "image/webp", ".gif": "image/gif"}
AUTO = "auto"
_POSE, _OWN = "The pose", "The pose on the photograph"


@dataclasses.dataclass(frozen=True)
class Studio:
    """The calls.

    Attributes:
        size: (height, width) of the networks' images.
        stature: Of their training.
        draw: `Drawer`.
        estimator: Finds joints; None: the user places them.
        label: What labels a person whose clothes the user says nothing of.
        about: What can be expected of the networks, a sentence.
        pastes: Whether they tell where the person is, so that pictures can be pasted.
    """

    size: Size
    stature: Stature
    draw: Drawer
    estimator: Estimator | None = None
    label: LabelSource = Clothes()
    about: str = ""
    pastes: bool = True

    @property
    def calls(self) -> dict[str, Callable[[Values], Values]]:
        """All of them by name."""
        return {"find": self.find, "crop": self.crop, "fit": self.fit, "draw": self.drawn, "animate": self.animation}

    def facts(self) -> Values:
        """What the page knows before anything is asked."""
        poses = gallery(self.stature, self.size)
        return {
            "size": self.size,
            "names": NAMES,
            "limbs": LIMBS,
            "mirrored": FLIP_PERMUTATION,
            "poses": [{"name": name, "joints": joints_of(pose)} for name, pose in poses.items()],
            "finds": self.estimator is not None,
            "pastes": self.pastes,
            "clothes": {"sleeves": [AUTO, *SLEEVES], "legs": [AUTO, *LEGS]},
            "about": self.about,
            "frames": FRAMES,
            "mostFrames": MOST_FRAMES,
            "framesPerSecond": FRAMES_PER_SECOND,
        }

    def find(self, call: Values) -> Values:
        """The joints of the largest person on a photograph, `image`, and whether there are `others`; with `box`,
        [x, y, width, height], of the one in it.
        """
        if self.estimator is None:
            raise InputError(
                "Nothing finds joints here; start the studio with --pose_estimator, or place them by hand."
            )
        pixels, box = values.photograph(call), call.get("box")
        if box is not None:
            x, y, width, height = (round(side) for side in values.numbers(box, "box", 4))
            box = x, y, max(width, 1), max(height, 1)
        try:
            if box is None:
                pose, other = largest(self.estimator, pixels, values.PHOTOGRAPH)
            else:
                pose, other = self.estimator.pose(pixels, values.PHOTOGRAPH, box), None
        except NoPerson as error:
            raise InputError(
                f"No person was found, {error.found} of {len(NAMES)} joints; move the joints onto the person and look "
                "there again, or choose another picture."
            ) from None
        return {"joints": joints_of(pose), "others": other is not None}

    def crop(self, call: Values) -> Values:
        """What the networks see of a photograph, and where; see `_person`."""
        person = self._person(call)
        window = person.window
        return {
            "crop": values.picture(person.image),
            "joints": joints_of(person.model_pose),
            "window": [window.top, window.left, window.height, window.width],
            "notes": framing.remarks(person.pose, self.stature),
        }

    def fit(self, call: Values) -> Values:
        """`poses` of anyone, in pixels of one picture, for the `person`, whose joints are in pixels of the crop."""
        poses = values.poses(call.get("poses"), _POSE, MOST_POSES)
        try:
            fitted = retarget(poses, values.pose(call.get("person"), _OWN), _POSE)
        except InputError:
            raise InputError("The pose shows too little of a body to be fitted; show more of its joints.") from None
        return {"poses": [joints_of(pose) for pose in fitted]}

    def drawn(self, call: Values) -> Values:
        """The person, see `_person`, in a `pose` in pixels of the crop; with `steps`, how that came about."""
        person, pose = self._person(call), values.pose(call.get("pose"), _POSE)
        (drawn,) = self.draw(person, [pose])
        answer: Values = {"picture": values.picture(drawn.image)}
        if values.choice(call, "paste", (False, True), False):
            if not self.pastes:
                raise InputError("Networks of a server do not tell where the person is; pictures cannot be pasted.")
            answer["pasted"] = values.picture(pasting.paste(person, [drawn])[0])
        if values.choice(call, "steps", (False, True), False):
            pictures = steps.step_pictures(person, pose, drawn)
            answer["steps"] = {name: values.picture(each) for name, each in pictures.items() if each is not None}
        return answer

    def animation(self, call: Values) -> Values:
        """The person, see `_person`, moving through `poses`, in pixels of the crop, in a number of `frames`."""
        person = self._person(call)
        poses = values.poses(call.get("poses"), _POSE, MOST_POSES)
        frames = values.choice(call, "frames", range(2, MOST_FRAMES + 1), FRAMES)
        kind = values.choice(call, "kind", KINDS, ".webp")
        drawn = self.draw(person, sequence.between(poses, frames))
        content = encode_animation(kind, [each.image for each in drawn], FRAMES_PER_SECOND)
        return {"animation": values.address(content, KINDS[kind]), "frames": len(drawn)}

    def _person(self, call: Values) -> Person:
        """The person of a photograph, `image`, with `joints` in its pixels; `sleeves` and `legs` as far as known."""
        pixels, pose = values.photograph(call), values.pose(call.get("joints"), _OWN)
        clothes = Clothes(
            values.choice(call, "sleeves", (AUTO, *SLEEVES), AUTO), values.choice(call, "legs", (AUTO, *LEGS), AUTO)
        )
        label = self.label if clothes == Clothes() else clothes
        return person_of(pixels, pose, self.stature, self.size, values.PHOTOGRAPH, label)
