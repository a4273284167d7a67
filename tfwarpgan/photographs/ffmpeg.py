"""The program ffmpeg, which reads and writes videos: the system's, or that of the extra `tfwarpgan[video]`."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from typing import IO

import numpy as np
from PIL import Image

from tfwarpgan.errors import InputError
from tfwarpgan.typing import Picture, Pixels

SIDE = 1280  # pixels of the width at most of the pictures that are read, in which joints are looked for
_ENLARGED = 8  # times at most that the pictures that are written are enlarged, since players blur small ones
_WRITTEN_SIDE = 512


def find_ffmpeg(path: str, instead: str) -> str:
    """Where ffmpeg is.

    Args:
        path: The file that needs it, for the error.
        instead: What to do without it, for the error.

    Raises:
        InputError: If it is not installed.
    """
    program = shutil.which("ffmpeg")
    if program:
        return program
    try:
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError):  # the package; its program
        raise InputError(
            f"{path} needs ffmpeg: install it, or pip install 'tfwarpgan[video]', which brings it, or {instead}."
        ) from None


def read_video(path: str, frames_per_second: float) -> Iterator[Pixels]:
    """The pictures of a video, upright, uint8 [H, W, 3] of at most `SIDE` columns, as many in a second as wanted.

    Raises:
        InputError: If ffmpeg is not there, or cannot read the file; after the pictures that it could read.
    """
    program = find_ffmpeg(path, "give a folder of its frames")
    shown = f"fps={frames_per_second},scale=w='min(iw,{SIDE})':h=-2"
    wanted = ["-i", path, "-an", "-vf", shown, "-f", "image2pipe", "-c:v", "ppm", "-"]
    with tempfile.TemporaryFile() as said:
        command = [program, "-v", "error", "-nostdin", *wanted]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said)
        assert process.stdout
        try:
            while process.stdout.readline() == b"P6\n":  # "P6", "width height", "255", then the levels
                width, height = map(int, process.stdout.readline().split())
                process.stdout.readline()
                levels = process.stdout.read(3 * width * height)
                if len(levels) < 3 * width * height:
                    break
                yield np.frombuffer(levels, np.uint8).reshape(height, width, 3)
            if process.wait():
                raise InputError(f"{path} cannot be read as a video ({_reason(said)}); give another one.")
        finally:
            process.stdout.close()
            process.kill()
            process.wait()


def mp4(path: str, pictures: Sequence[Picture], frames_per_second: float) -> bytes:
    """Pictures uint8 [H, W, 3] of one size as the content of an MP4 file, H.264; small ones are enlarged.

    Raises:
        InputError: If ffmpeg is not there, or cannot write it.
    """
    program = find_ffmpeg(path, "write .webp, .gif or .png")
    height, width = pictures[0].shape[:2]
    times = min(max(_WRITTEN_SIDE // max(height, width), 1), _ENLARGED)
    size = (width * times // 2 * 2, height * times // 2 * 2)  # H.264 has even sides
    levels = (Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS).tobytes() for picture in pictures)
    given = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{size[0]}x{size[1]}", "-r", str(frames_per_second)]
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as said:
        file = os.path.join(folder, "sequence.mp4")
        wanted = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-movflags", "+faststart", file]
        command = [program, "-v", "error", *given, "-i", "-", *wanted]
        ended = subprocess.run(command, input=b"".join(levels), stdout=subprocess.DEVNULL, stderr=said, check=False)
        if ended.returncode:
            raise InputError(f"{path} cannot be written by ffmpeg ({_reason(said)}); write .webp, .gif or .png.")
        with open(file, "rb") as written:
            return written.read()


def _reason(said: IO[bytes]) -> str:
    """The last line that ffmpeg said."""
    said.seek(0)
    lines = said.read().decode(errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else "ffmpeg does not say why"
