"""What the page sends and gets: pictures as text, poses as lists; what is wrong with them is one sentence."""

import base64
import binascii
from collections.abc import Collection
from typing import Any

import numpy as np

from tfwarpgan.body.joints import NUM_JOINTS
from tfwarpgan.data.pictures.images import decode_photograph
from tfwarpgan.errors import InputError
from tfwarpgan.photo_studio.gallery import pose_of
from tfwarpgan.storage.writing import encode_png
from tfwarpgan.typing import Picture, Pixels, Pose

PHOTOGRAPH = "The photograph"  # what it is called in errors; its file's name never leaves the browser
FARTHEST = 2e4  # pixels that a joint may be away from the picture's corner


def photograph(values: dict[str, Any]) -> Pixels:
    """The photograph of a call, uint8 [H, W, 3].

    Raises:
        InputError: If it is missing or cannot be read.
    """
    text = values.get("image")
    if not isinstance(text, str):
        raise InputError("The photograph is missing; choose one.")
    try:
        content = base64.b64decode(text.partition("base64,")[2] or text, validate=True)
    except (binascii.Error, ValueError):
        raise InputError("The photograph is not in base64.") from None
    return decode_photograph(content, PHOTOGRAPH)


def pose(value: Any, name: str) -> Pose:
    """A pose: 18 joints, each (y, x) or null.

    Raises:
        InputError: If it is not one, or no joint is visible; it names the pose.
    """
    if not (isinstance(value, list) and len(value) == NUM_JOINTS and all(map(_is_joint, value))):
        raise InputError(f"{name} must be {NUM_JOINTS} joints, each [y, x] in pixels or null.")
    if not any(value):
        raise InputError(f"{name} has no visible joint; show some of them.")
    return pose_of(value)


def numbers(value: Any, name: str, count: int) -> list[float]:
    """A list of numbers, such as pixels; InputError, with the name, if it is none."""
    if not _are_numbers(value, count):
        raise InputError(f"{name} must be {count} numbers.")
    return value


def _is_joint(value: Any) -> bool:
    return value is None or _are_numbers(value, 2)


def _are_numbers(value: Any, count: int) -> bool:
    if not (isinstance(value, list) and len(value) == count):
        return False
    return all(type(number) in (int, float) and abs(number) <= FARTHEST for number in value)  # which NaN is not


def poses(value: Any, name: str, most: int) -> list[Pose]:
    """One pose or more, `most` at most; InputError as `pose`."""
    if not isinstance(value, list) or not 0 < len(value) <= most:
        raise InputError(f"{name} must be 1 to {most} poses.")
    return [pose(each, name) for each in value]


def choice(values: dict[str, Any], name: str, allowed: Collection[Any], default: Any) -> Any:
    """One of some values, or the default where the call has none.

    Raises:
        InputError: If it is another one.
    """
    value = values.get(name, default)
    if isinstance(value, bool | int | str) and value in allowed:
        return value
    raise InputError(f"{name} must be one of {', '.join(map(str, allowed))}.")


def picture(pixels: Picture) -> str:
    """A picture as the address of an image, PNG."""
    return address(encode_png(np.asarray(pixels)), "image/png")


def address(content: bytes, kind: str) -> str:
    """Bytes as the address of what they are, such as an image."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
