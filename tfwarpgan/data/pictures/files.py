"""Files of a data set: what a list may name, and what of an image is used.

Lists come from anywhere, so no name in them becomes a path by itself: a name is looked up among the files that were
found in the data set's folders, or it is checked by `inside`. Links that leave the folders are refused, unless they
are asked for.
"""

import os
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import NoReturn, TypeAlias

from tfwarpgan.errors import InputError, quoted

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".avif", ".heic", ".heif")

Box: TypeAlias = tuple[int, int, int, int]  # (x, y, width, height), pixels


class ImageFile(str):
    """The path of an image or label map, with what of it is used.

    To everything else it is a path; `images` and `label_maps` honor the rest, so that no user of a file can forget it.

    Attributes:
        crop: (x, y, width, height) in pixels of the part of the upright image that is used; None: all of it.
        labels: The LIP label of each label in the file, in their order; None: the file's labels are LIP's.
        ignore: Label in the file that stands for none and becomes the background; below 0: there is none.
    """

    crop: Box | None = None
    labels: tuple[int, ...] | None = None
    ignore: int = -1

    def __new__(
        cls, path: str, crop: Box | None = None, labels: tuple[int, ...] | None = None, ignore: int = -1
    ) -> "ImageFile":
        file = super().__new__(cls, path)
        file.crop, file.labels, file.ignore = crop, labels, ignore
        return file


def box(text: str) -> Box | None:
    """The `Box` of a flag, X,Y,WIDTH,HEIGHT; None if it is empty."""
    if not text:
        return None
    x, y, width, height = map(int, text.split(","))
    return x, y, width, height


def stem(name: str) -> str:
    """A name without the suffix of an image; other dots belong to the name."""
    base, suffix = os.path.splitext(name)
    return base if suffix.lower() in IMAGE_SUFFIXES else name


_ROOT = re.compile(r"^(?:(?:[A-Za-z]:)?[/\\]|[A-Za-z]:$)")  # of a path, on any system


def leaves(name: str) -> bool:
    """Whether a name in a list points out of the folder that it is looked up in."""
    return bool(_ROOT.match(name)) or ".." in re.split(r"[/\\]", name) or "\0" in name


def plain(name: str) -> str:
    """One spelling of a path: slashes for backslashes, no `.` and no empty parts, letters composed (NFC)."""
    parts = unicodedata.normalize("NFC", name).replace("\\", "/").split("/")
    return "/".join(part for part in parts if part not in ("", "."))


def without_root(name: str) -> str:
    """The path that a program noted for its input, absolute or not, as one to be looked up among a data set's files."""
    parts = plain(_ROOT.sub("", name, count=1)).split("/")
    return "/".join(part for part in parts if part != "..")


def inside(folder: str, name: str, *, follow_links: bool = False) -> str:
    """The path of a name from a list.

    Args:
        folder: Folder that the list's names lie in.
        name: From the list; it may have subfolders.
        follow_links: Whether a link may lead out of the folder.

    Returns:
        The path, whether there is such a file or not.

    Raises:
        InputError: If the name is absolute, climbs out by `..`, or is a link to a place outside of the folder.
    """
    if leaves(name):
        raise InputError(f"{quoted(name)} points outside of {folder}; only files inside it can be named.")
    path = os.path.join(folder, plain(name))
    if not follow_links and (os.path.dirname(name) or os.path.islink(path)):
        _check_link(path, folder)
    return path


def files_in(folder: str, root: str, *, follow_links: bool = False) -> Iterator[tuple[str, str]]:
    """(name, path) of the files in a folder, without its subfolders; nothing where there is no such folder.

    Args:
        folder: Where to look.
        root: Another folder that links may lead to.
        follow_links: Whether links may lead anywhere.

    Raises:
        InputError: If one is a link out of both the folder and `root`.
    """
    if not os.path.isdir(folder):
        return
    try:
        entries = os.scandir(folder)
    except OSError as error:
        _unreadable(error)
    with entries:
        for entry in entries:
            if entry.is_symlink():
                _check_link(entry.path, folder, root, follow_links=follow_links)
            if not entry.is_dir():
                yield plain(_utf8(entry.name, folder)), entry.path


def files_below(
    folder: str,
    suffixes: tuple[str, ...] = IMAGE_SUFFIXES,
    without: Iterable[str] = (),
    *,
    follow_links: bool = False,
) -> dict[str, str]:
    """Path relative to the folder, as `plain` writes it -> path, of the files with one of the suffixes, sorted.

    Args:
        folder: Where to look, its subfolders too; hidden ones are left out.
        suffixes: In small letters; capitals in names are fine.
        without: Folders to leave out.
        follow_links: Whether links may lead out of the folder.

    Raises:
        InputError: If a file or subfolder is a link out of the folder.
    """
    found: dict[str, str] = {}
    skipped = {os.path.realpath(place) for place in without}
    for place, subfolders, names in os.walk(folder, onerror=_unreadable, followlinks=True):
        subfolders[:] = [
            name
            for name in sorted(subfolders)
            if not name.startswith(".") and os.path.realpath(os.path.join(place, name)) not in skipped
        ]
        for name in list(subfolders):
            path = os.path.join(place, name)
            if os.path.islink(path):
                _check_link(path, folder, follow_links=follow_links)
                if _is_below(place, os.path.realpath(path)):  # it would never end
                    subfolders.remove(name)
        for name in sorted(names):
            if name.lower().endswith(suffixes) and not name.startswith("."):
                path = os.path.join(place, name)
                if os.path.islink(path):
                    _check_link(path, folder, follow_links=follow_links)
                found[plain(_utf8(os.path.relpath(path, folder), folder))] = path
    return found


def _unreadable(error: OSError) -> NoReturn:
    raise InputError(f"{error.filename} cannot be read ({error.strerror}); fix its permissions.")


def _utf8(name: str, folder: str) -> str:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise InputError(f"{folder} contains the file {name!a}, whose name is not UTF-8; rename it.") from None
    return name


def _check_link(path: str, *folders: str, follow_links: bool = False) -> None:
    target = os.path.realpath(path)
    if not follow_links and not any(_is_below(target, os.path.realpath(folder)) for folder in folders):
        raise InputError(
            f"{path} is a link to a place outside of {folders[0]}; put the file itself there, or set --follow_links."
        )
    if os.path.islink(path) and not os.path.exists(path):
        raise InputError(f"{path} is a link to {target}, which is missing; fetch it, or remove the link.")


def _is_below(path: str, folder: str) -> bool:
    return os.path.commonpath([os.path.realpath(path), folder]) == folder


def other_files_below(folder: str, suffixes: tuple[str, ...] = IMAGE_SUFFIXES) -> dict[str, str]:
    """As `files_below`, the files that have none of the suffixes, without their own: for messages."""
    found: dict[str, str] = {}
    for place, _, names in os.walk(folder):
        for name in sorted(names):
            base, suffix = os.path.splitext(os.path.join(place, name))
            if suffix and not name.lower().endswith(suffixes):
                found.setdefault(plain(os.path.relpath(base, folder)), base + suffix)
    return found


def list_images(
    image_dir: str, output_dir: str, flag: str = "parsing_dir", without: Iterable[str] = ()
) -> list[tuple[str, str]]:
    """The images of a folder and its subfolders with the PNG files that are made of them.

    Args:
        image_dir: Folder of images.
        output_dir: Folder of the PNG files; what lies in it is no image, also where it is inside `image_dir`.
        flag: What `output_dir` is called on the command line.
        without: More folders of what is no image.

    Returns:
        Sorted list of (image path, PNG path): the relative path is kept, the suffix becomes .png.

    Raises:
        InputError: If there is no image, or two would become the same file.
    """
    if not image_dir:
        raise InputError("--image_dir is missing; give the folder of the images.")
    if not output_dir:
        raise InputError(f"--{flag} is missing; give a folder other than --image_dir.")
    if not os.path.isdir(image_dir):
        raise InputError(f"--image_dir={image_dir} is not a folder; give the folder of the images.")
    if os.path.realpath(image_dir) == os.path.realpath(output_dir):
        raise InputError(f"--{flag}={output_dir} must name a folder other than --image_dir.")
    outputs: dict[str, list[str]] = {}
    for path in _files(image_dir, output_dir, *without):
        stem, suffix = os.path.splitext(path)
        if suffix.lower() in IMAGE_SUFFIXES:
            output = os.path.join(output_dir, os.path.relpath(stem, image_dir) + ".png")
            outputs.setdefault(output, []).append(stem + suffix)
    for output, images in outputs.items():
        if len(images) > 1:
            raise InputError(f"{' and '.join(sorted(images))} would both become {output}; rename one.")
    if not outputs:
        raise InputError(f"--image_dir={image_dir} contains no image ({', '.join(IMAGE_SUFFIXES)}).")
    return sorted((images[0], output) for output, images in outputs.items())


def other_files(image_dir: str, parsing_dir: str) -> list[str]:
    """The files below `image_dir` that are no images by their names, sorted."""
    files = _files(image_dir, parsing_dir)
    return sorted(path for path in files if os.path.splitext(path)[1].lower() not in IMAGE_SUFFIXES)


def _files(image_dir: str, *without: str) -> Iterator[str]:
    """All files below a folder, but for those in some folders inside it."""
    skipped = {os.path.realpath(place) for place in without}
    for folder, subfolders, names in os.walk(image_dir, followlinks=True):
        subfolders[:] = [name for name in subfolders if os.path.realpath(os.path.join(folder, name)) not in skipped]
        yield from (os.path.join(folder, name) for name in names)
