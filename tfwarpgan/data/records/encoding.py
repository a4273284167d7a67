"""Images and label maps as a record holds them: each file decoded once, checked, and encoded at the size wanted.

What runs here is NumPy and Pillow alone, so that processes can share the work.
"""

import io
from typing import Any

import numpy as np
import numpy.typing as npt

from tfwarpgan.data.layouts.lip import Row
from tfwarpgan.data.pairs.persons import Person
from tfwarpgan.data.pictures import images, label_maps
from tfwarpgan.data.pictures.framing import Framing
from tfwarpgan.errors import InputError
from tfwarpgan.storage.writing import encode_png
from tfwarpgan.typing import Joints, Pose, Size

MARGIN = 0.05  # share of a side by which a joint may lie outside of its image


def person_record(person: Person, framing: Framing) -> dict[str, Any]:
    """Checks and encodes all files of a person.

    Args:
        person: `persons.Person`.
        framing: `Framing` of the images wanted.

    Returns:
        dict of the features of a record.

    Raises:
        InputError: If an image or label map cannot be used, or joints lie outside of their image.
    """
    record: dict[str, Any] = {"id": person.name, "names": person.names}
    columns = ("images", *(["parsings"] if person.label_maps else []), "keypoints", "visible")
    record |= {column: [] for column in columns}
    for place, path in enumerate(person.images):
        jpeg, size = images.framed_jpeg(path, framing)
        joints, visible = framed_joints(person, place, framing, size)
        record["images"].append(io.BytesIO(jpeg))
        if person.label_maps:
            labels = framing.label_map(label_maps.read_label_map(person.label_maps[place], size))
            record["parsings"].append(io.BytesIO(encode_png(labels)))
        record["keypoints"].append(joints)
        record["visible"].append(visible)
    record["keypoints"], record["visible"] = np.stack(record["keypoints"]), np.stack(record["visible"])
    record["pairs"] = np.array(person.pairs, np.int32)
    return record


def image_record(row: Row) -> dict[str, Any]:
    """Checks and encodes an image of the LIP data set and its label map, at their own size.

    Args:
        row: (name, image path, label map path).

    Returns:
        dict of the features of a record.

    Raises:
        InputError: If the image or the label map cannot be used.
    """
    name, path, labels = row
    size = images.check_image(path)
    jpeg, _ = images.framed_jpeg(path, Framing(*images.reduced_size(size)))
    png = encode_png(label_maps.read_label_map(labels, size))
    return {"name": name, "image": io.BytesIO(jpeg), "parsing": io.BytesIO(png)}


def outside(joints: Joints, size: Size | npt.NDArray[np.integer[Any]], margin: float = MARGIN) -> npt.NDArray[np.bool_]:
    """Which joints lie outside of their image.

    Args:
        joints: float [N, 2], (y, x) in pixels.
        size: (height, width) of the image.
        margin: Share of a side that is tolerated.

    Returns:
        bool [N].
    """
    room = np.array(size) * margin
    return np.any((joints < -room) | (joints > np.array(size) + room), axis=1)


def framed_joints(person: Person, place: int, framing: Framing, size: Size) -> Pose:
    """The joints of one of a person's images in the model's image.

    Args:
        person: `persons.Person`.
        place: Of the image.
        framing: `Framing`.
        size: (height, width) of the used part of the image.

    Returns:
        (joints float32 [18, 2], visible bool [18]).

    Raises:
        InputError: If joints lie outside of their image, or the framing cuts off all of them.
    """
    joints, visible, row = person.joints[place], person.visible[place], person.rows[place]
    check_frame(row, person.images[place], joints[visible], size)
    framed, seen = framing.joints(joints, visible, size)
    if not seen.any():
        raise InputError(
            f"{row}: the middle of {person.images[place]}, {size[1]} x {size[0]} pixels, in the shape of "
            f"{framing.width} x {framing.height}, shows no joint; crop the image to the person or set "
            "--picture_fit=pad."
        )
    return framed, seen


def check_frame(row: str, path: str, joints: Joints, size: Size) -> None:
    """Refuses joints outside of their image: they belong to another frame.

    Args:
        row: Where the joints stand, for the message.
        path: File of the image, for the message.
        joints: float [N, 2], the visible ones, (y, x) in pixels.
        size: (height, width) of the image.

    Raises:
        InputError: Naming the first joint outside.
    """
    wrong = outside(joints, size)
    if wrong.any():
        y, x = joints[wrong][0]
        raise InputError(
            f"{row}: the joint at y={y:g}, x={x:g} lies outside of {path}, {size[1]} x {size[0]} pixels; "
            "joints must be in the frame of their image."
        )
