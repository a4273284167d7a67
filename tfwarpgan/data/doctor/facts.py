"""The facts about one image with its joints and label map: the part of the data doctor that processes share."""

import dataclasses
import hashlib
import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tfwarpgan.body.joints import NAMES, required_joints
from tfwarpgan.body.labels import LABELS, NUM_LABELS
from tfwarpgan.data.joints.stray import Tally, tally
from tfwarpgan.data.layouts.lip import Row
from tfwarpgan.data.pairs import filters
from tfwarpgan.data.pairs.persons import Person
from tfwarpgan.data.pictures import images, label_maps
from tfwarpgan.data.pictures.framing import Framing
from tfwarpgan.data.records import encoding
from tfwarpgan.errors import InputError
from tfwarpgan.options import DataOptions
from tfwarpgan.typing import Floats, Joints, LabelMap, Size, Visible

FRONT, BACK, SIDE, UNKNOWN = "front", "back", "side", "not told"
_VIEW_IN_NAME = re.compile(r"\d{2}_\d_?(front|side|back)(\.\w+)?$")  # DeepFashion's file names end so
_RIGHT_SHOULDER, _LEFT_SHOULDER = NAMES.index("right shoulder"), NAMES.index("left shoulder")
_FACE_JOINTS = tuple(NAMES.index(name) for name in ("nose", "right eye", "left eye"))
_FACE = tuple(LABELS.index(name) for name in ("face", "sunglasses"))

# Joints on limbs, with the label of their own side and of the other: elbow, wrist, knee, ankle.
_LIMB_LABELS = tuple(
    (
        NAMES.index(f"{side} {joint}"),
        LABELS.index(f"{side}-{limb}"),
        LABELS.index(f"{other}-{limb}"),
    )
    for joint, limb in (("elbow", "arm"), ("wrist", "arm"), ("knee", "leg"), ("ankle", "leg"))
    for side, other in (("right", "left"), ("left", "right"))
)


@dataclasses.dataclass
class Facts:
    """What was found on one image; None where it could not be found out.

    Attributes:
        name: Of the image.
        row: Where it stands in the lists.
        errors: Messages of what would stop training, as (kind, message).
        removed: The filter's rule that leaves the image out, or None.
        size: (height, width), pixels.
        digest: Hash of the pixels.
        labels: Number of pixels of each label, int64 [20].
        joints: Number of visible joints.
        beyond: Number of joints that lie outside of the image, but within the margin.
        view: "front", "back", "side" or "not told".
        shoulders: True if the right shoulder lies left of the left one in the image.
        own_side: Number of limb joints that lie on a label of their own side.
        other_side: Number of limb joints that lie on a label of the other side.
        tally: How many joints do not lie on the person.
        cut: Number of joints that preparing cuts off with a part of the image.
    """

    name: str
    row: str
    errors: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    removed: str | None = None
    size: Size | None = None
    digest: bytes | None = None
    labels: npt.NDArray[np.int64] | None = None
    joints: int | None = None
    beyond: int = 0
    view: str = UNKNOWN
    shoulders: bool | None = None
    own_side: int = 0
    other_side: int = 0
    tally: Tally | None = None
    cut: int = 0


def examine_person(person: Person, data_options: DataOptions) -> list[Facts]:
    """The `Facts` of each image of a `persons.Person`; `data` holds the filter's options."""
    required = required_joints(data_options.required_joints)
    return [_examine_joined(person, place, data_options, required) for place in range(len(person.names))]


def examine_row(row: Row) -> list[Facts]:
    """As `examine_person`, of one image of the LIP data set: row is (name, image path, label map path)."""
    name, image, labels = row
    facts = Facts(name, name)
    _examine_files(facts, image, labels)
    return [facts]


def _examine_joined(person: Person, place: int, data_options: DataOptions, required: Sequence[int]) -> Facts:
    facts = Facts(person.names[place], person.rows[place])
    joints, visible = np.asarray(person.joints[place]), np.asarray(person.visible[place])
    try:
        failure = filters.failure(person, place, data_options, required)
    except InputError as error:
        facts.errors.append(("label maps", f"{facts.row}: {error}"))
        return facts
    if failure:
        facts.removed = failure[0]
        return facts
    labels = _examine_files(facts, person.images[place], person.label_maps[place] if person.label_maps else None)
    facts.joints = int(visible.sum())
    name = facts.name if data_options.dataset == "deepfashion" else ""
    facts.view, facts.shoulders = view(name, joints, visible, labels), shoulders(joints, visible)
    if facts.size:
        _examine_frame(facts, person, place, Framing.of(data_options))
    if labels is not None and facts.size:
        facts.own_side, facts.other_side = limb_sides(joints, visible, labels)
        facts.tally = tally(joints, visible, labels, facts.size)
    return facts


def _examine_files(facts: Facts, image: str, labels: str | None) -> LabelMap | None:
    """Fills in what the two files say; returns the label map, or None if there is none or it cannot be read."""
    try:
        facts.size = images.check_image(image)
        pixels = images.read_rgb(image)
        facts.digest = hashlib.blake2b(repr(pixels.shape).encode() + pixels.tobytes(), digest_size=16).digest()
    except InputError as error:
        facts.errors.append(("images", f"{facts.row}: {error}"))
    if labels is None:
        return None
    try:
        label_map = label_maps.read_label_map(labels, facts.size)
    except InputError as error:
        facts.errors.append(("label maps", f"{facts.row}: {error}"))
        return None
    facts.labels = np.bincount(label_map.ravel(), minlength=NUM_LABELS)
    return label_map


def _examine_frame(facts: Facts, person: Person, place: int, framing: Framing) -> None:
    size, visible = facts.size or (1, 1), np.asarray(person.visible[place])
    try:
        _, left = encoding.framed_joints(person, place, framing, size)
    except InputError as error:
        facts.errors.append(("joints", str(error)))
    else:
        facts.cut = int(visible.sum() - left.sum())
        facts.beyond = int(encoding.outside(person.joints[place][visible], np.array(size) - 1, margin=0).sum())


def view(name: str, joints: Joints, visible: Visible, labels: LabelMap | None) -> str:
    """The side from which a person is seen, if known: by DeepFashion's file names, otherwise by the face.

    Nose and eyes count where they lie on the label of the face: some estimators give them on the back of a head too.

    Args:
        name: Of the image, in DeepFashion's spellings; empty where names say nothing of views.
        joints: float [18, 2], (y, x) in pixels.
        visible: bool [18].
        labels: uint8 [H, W], or None.

    Returns:
        "front", "back", "side" or "not told".
    """
    named = _VIEW_IN_NAME.search(name)
    if named:
        return named.group(1)
    face = [visible[joint] and label_at(joints[joint], labels) in _FACE for joint in _FACE_JOINTS]
    if all(face):
        return FRONT
    return UNKNOWN if any(face) else BACK


def label_at(joint: Floats, labels: LabelMap | None) -> int | None:
    """The label under a joint; None outside of the image, or without a label map."""
    y, x = np.rint(joint).astype(int)
    if labels is None or not (0 <= y < labels.shape[0] and 0 <= x < labels.shape[1]):
        return None
    return int(labels[y, x])


def shoulders(joints: Joints, visible: Visible) -> bool | None:
    """Whether the right shoulder lies left of the left one, as it does in a front view; None: unknown."""
    if not (visible[_RIGHT_SHOULDER] and visible[_LEFT_SHOULDER]):
        return None
    return bool(joints[_RIGHT_SHOULDER, 1] < joints[_LEFT_SHOULDER, 1])


def limb_sides(joints: Joints, visible: Visible, labels: LabelMap) -> tuple[int, int]:
    """Counts limb joints that lie on a limb of their own and of the other side.

    Args:
        joints: float [18, 2], (y, x) in pixels.
        visible: bool [18].
        labels: uint8 [H, W].

    Returns:
        (own side, other side).
    """
    own_side = other_side = 0
    for joint, own, other in _LIMB_LABELS:
        if visible[joint]:
            label = label_at(joints[joint], labels)
            own_side += label == own
            other_side += label == other
    return own_side, other_side
