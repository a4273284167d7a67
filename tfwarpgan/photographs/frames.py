"""The frames of a sequence of poses: the files of a folder, or the pictures of a video or an animation."""

import os
from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageSequence

from tfwarpgan.data.pictures.images import decode_file
from tfwarpgan.errors import InputError
from tfwarpgan.photographs import ffmpeg
from tfwarpgan.photographs.poses import Shot, list_poses
from tfwarpgan.typing import Pixels

ANIMATIONS = (".gif", ".webp", ".png", ".apng")
VIDEOS = (".mp4", ".webm", ".mov", ".mkv", ".avi", ".m4v")
MOST = 1000  # frames
_UNTIMED = 100  # milliseconds that a picture of an animation is shown if it does not say so, as browsers do


def list_frames(path: str, frames_per_second: float) -> Iterator[str | Shot]:
    """The frames, one after the other: paths of the files of a folder, or the pictures of a file.

    Args:
        path: The folder, see `poses.list_poses`, or the file.
        frames_per_second: How many pictures of a file are taken for each second that it plays.

    Raises:
        InputError: If there is none, or the file cannot be read, or plays too long; or ffmpeg is not there.
    """
    suffix = os.path.splitext(path)[1].lower()
    if os.path.isdir(path) or suffix not in (*ANIMATIONS, *VIDEOS):
        yield from list_poses(path)
        return
    if not os.path.isfile(path):
        raise InputError(f"--poses={path} is missing; expected a video or a folder there.")
    read = _animation if suffix in ANIMATIONS else ffmpeg.read_video
    number = 0
    for number, pixels in enumerate(read(path, frames_per_second), 1):
        if number > MOST:
            raise InputError(
                f"--poses={path} has more than {MOST} frames at --frames_per_second={frames_per_second:g}; cut it, or "
                "take fewer in a second."
            )
        yield Shot(f"{path}, frame {number}", pixels)
    if number < 2:
        raise InputError(f"--poses={path} shows no sequence, {number} pictures; give --pose_from for a single one.")


def _animation(path: str, frames_per_second: float) -> list[Pixels]:
    """The pictures of an animation that Pillow reads, as they are shown, not larger than a video's."""

    def decode(image: Image.Image) -> list[Pixels]:
        shown: list[Pixels] = []
        end = 0  # milliseconds
        for picture in ImageSequence.Iterator(image):
            picture.load()  # of WebP, the time is known only then
            end += round(picture.info.get("duration") or _UNTIMED)
            # The frames whose middles are before the end of the picture.
            count = int(np.ceil(end * frames_per_second / 1000 - 0.5)) - len(shown)
            if count > 0 and len(shown) <= MOST:  # more are refused
                scale = min(ffmpeg.SIDE / picture.width, 1)
                size = (round(picture.width * scale), max(round(picture.height * scale), 1))
                shown += [np.asarray(picture.convert("RGB").resize(size))] * min(count, MOST + 1)
        return shown

    return decode_file(path, decode)
