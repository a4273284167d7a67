"""The pictures of a study: those of several folders matched by name, and how raters' browsers get them.

Every picture is decoded and written again as PNG under the hash of its pixels: neither its name, its kind of file nor
anything else that a file can carry tells which method made it.
"""

import hashlib
import os
from collections.abc import Iterable, Mapping

import numpy as np

from tfwarpgan.data.pictures.files import IMAGE_SUFFIXES, files_below, stem
from tfwarpgan.data.pictures.images import read_rgb
from tfwarpgan.errors import InputError
from tfwarpgan.storage.writing import save_png
from tfwarpgan.typing import Pixels

FOLDER = "pictures"  # of a study's public folder
BLOCKS = 4  # of a corrupted picture, along its shorter side


def named_pictures(folder: str, flag: str) -> dict[str, str]:
    """Name without suffix -> path, of the pictures in a folder and its subfolders.

    Raises:
        InputError: If there is no such folder, no picture in it, or two have one name.
    """
    if not os.path.isdir(folder):
        raise InputError(f"--{flag}={folder} is not a folder; give one of pictures.")
    found: dict[str, str] = {}
    for name, path in files_below(folder).items():
        other = found.setdefault(stem(name), path)
        if other != path:
            raise InputError(f"{other} and {path} have the same name; keep one of them.")
    if not found:
        raise InputError(f"--{flag}={folder} contains no picture ({', '.join(IMAGE_SUFFIXES)}).")
    return found


def matched(folders: Mapping[str, Mapping[str, str]]) -> list[str]:
    """The names that all methods have, sorted: each must have all.

    Args:
        folders: Method -> pictures by name.

    Raises:
        InputError: Naming the first picture that another method lacks.
    """
    for method, pictures in folders.items():
        for other, others in folders.items():
            unmatched = sorted(pictures.keys() - others.keys())
            if unmatched:
                raise InputError(
                    f"{pictures[unmatched[0]]} of {method} has no picture of that name from {other} ({len(unmatched)} "
                    f"such); give each method the same names."
                )
    return sorted(next(iter(folders.values())))


def check_sizes(name: str, pictures: Mapping[str, Pixels], paths: Mapping[str, str]) -> None:
    """Refuses pictures that cannot stand side by side.

    Args:
        name: Of the pictures.
        pictures: Method -> picture.
        paths: Method -> its file.

    Raises:
        InputError: If one has another size, or two are the same.
    """
    first, *others = pictures
    for other in others:
        if pictures[other].shape != pictures[first].shape:
            sizes = ["{1} x {0}".format(*pictures[method].shape) for method in (other, first)]
            raise InputError(
                f"{paths[other]} is {sizes[0]} pixels, and {paths[first]} beside it {sizes[1]}; give both one size."
            )
    seen: dict[bytes, str] = {}
    for method, picture in pictures.items():
        same = seen.setdefault(picture.tobytes(), method)
        if same != method:
            raise InputError(f"{paths[same]} and {paths[method]} are the same picture; nobody could choose one.")


def corrupted(picture: Pixels, seed: int) -> Pixels:
    """A picture that nobody prefers who looks: its blocks in random order, half of them as a negative.

    Args:
        picture: uint8 [H, W, 3].
        seed: Of the order.

    Returns:
        uint8 [H, W, 3].
    """
    height, width, _ = picture.shape
    side = max(1, min(height, width) // BLOCKS)
    rows, columns = height // side, width // side
    whole = picture[: rows * side, : columns * side].reshape(rows, side, columns, side, 3).swapaxes(1, 2)
    blocks = whole.reshape(-1, side, side, 3)[np.random.default_rng(seed).permutation(rows * columns)]
    blocks[::2] = 255 - blocks[::2]
    result = picture.copy()
    shuffled = blocks.reshape(rows, columns, side, side, 3).swapaxes(1, 2)
    result[: rows * side, : columns * side] = shuffled.reshape(rows * side, columns * side, 3)
    return result


class PictureWriter:
    """Writes pictures into the public folder of a study."""

    def __init__(self, public: str) -> None:
        self._public = public

    def write(self, picture: Pixels) -> str:
        """Writes a picture once; gives its address below the public folder."""
        digest = hashlib.sha256(repr(picture.shape).encode() + picture.tobytes()).hexdigest()[:24]
        address = f"{FOLDER}/{digest}.png"
        path = os.path.join(self._public, address)
        if not os.path.exists(path):
            save_png(path, picture)
        return address

    def copies(self, paths: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
        """Name -> address of the pictures of some names, each written once."""
        return {name: self.write(read_rgb(paths[name])) for name in names}
