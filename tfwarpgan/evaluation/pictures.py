"""Anyone's results as pairs to score: folders of images as the projects of the field write them.

| layout    | files in --pictures | what they hold |
|-----------|---------------------|----------------|
| `plain`   | NAME                | the generated picture; its target has the same name in --targets |
| `gfla`    | FROM_2_TO[_vis]     | likewise; its target is TO in --targets (GFLA, DPTN, and our own `synthesize`) |
| `posegan` | FROM_TO             | strip of 3: condition, target, generated (pose-gan's format `iog`) |
| `patn`    | FROM___TO_vis       | strip of 5: the third is the target, the last the generated picture |

Names are matched without the suffixes of image files, and the first that matches nothing is an error: a picture that
is skipped in silence would change the numbers.
"""

import dataclasses
import os
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from tfwarpgan.data.pictures.files import files_below, stem
from tfwarpgan.data.pictures.images import read_rgb
from tfwarpgan.errors import InputError
from tfwarpgan.typing import Pixels

LAYOUTS = ("plain", "posegan", "patn", "gfla")
_SEPARATOR = {"gfla": "_2_", "posegan": "_", "patn": "___"}
_PANELS = {"posegan": (3, 1, 2), "patn": (5, 2, 4)}  # in all, of the target, of the generated picture


@dataclasses.dataclass(frozen=True)
class PictureFile:
    """A picture that is scored, and its target.

    Attributes:
        path: File of the generated picture, or of the strip that holds it.
        target_path: Likewise of the target.
        condition, target: Their names without suffix; the condition's is empty where nothing tells it.
        picture: Name of the generated picture's file without suffix.
        panels: (panels in the strip, that of the target, that of the generated picture); None: files of their own.
    """

    path: str
    target_path: str
    condition: str
    target: str
    picture: str
    panels: tuple[int, int, int] | None = None

    def read(self) -> tuple[Pixels, Pixels]:
        """(target, generated), uint8 [H, W, 3].

        Raises:
            InputError: If a file cannot be read, a strip has no whole panels, or the two differ in size.
        """
        if self.panels:
            return self._read_strip(*self.panels)
        target, generated = read_rgb(self.target_path), read_rgb(self.path)
        if target.shape != generated.shape:
            sizes = [f"{pixels.shape[0]} x {pixels.shape[1]}" for pixels in (generated, target)]
            raise InputError(
                f"{self.path} has {sizes[0]} pixels (height x width) and its target {self.target_path} {sizes[1]}; "
                "bring both to one size, in the same way for all pictures."
            )
        return target, generated

    def _read_strip(self, panels: int, target: int, generated: int) -> tuple[Pixels, Pixels]:
        strip = read_rgb(self.path)
        width, rest = divmod(strip.shape[1], panels)
        if rest or not width:
            raise InputError(
                f"{self.path} is {strip.shape[1]} columns wide, which is no strip of {panels}; check --picture_layout."
            )
        found = [strip[:, width * panel : width * (panel + 1)] for panel in (target, generated)]
        return found[0], found[1]


def find_pictures(
    pictures: str,
    layout: str,
    targets: str = "",
    pairs: Sequence[tuple[str, str, str]] | None = None,
    known: Sequence[str] = (),
) -> list[PictureFile]:
    """The pictures of a folder with their targets, in the order of `pairs`, or else sorted by name.

    Args:
        pictures: Folder of the generated pictures, with its subfolders.
        layout: One of `LAYOUTS`.
        targets: Folder of the true pictures, with its subfolders; not needed for strips.
        pairs: (where, condition's name, target's name) of each pair that has to be there; None: those that are there.
        known: Names of images without suffix, which tell where FROM ends and TO begins in a strip's name.

    Raises:
        InputError: Naming the first picture without a target, or the first target or pair without a picture.
    """
    generated = _named_files(pictures, "pictures")
    strips = layout in _PANELS
    true = {} if strips else _named_files(targets, "targets")
    if pairs is not None:
        return list(_of_pairs(generated, true, layout, pairs))
    if layout == "plain":
        return list(_by_name(generated, true, targets))
    return [_of_name(name, path, true, layout, targets, known) for name, path in generated.items()]


def _named_files(folder: str, flag: str) -> dict[str, str]:
    """Name without suffix -> path."""
    if not folder:
        raise InputError(f"--{flag} is missing; give the folder of the {'true' if flag == 'targets' else 'generated'} "
                         "pictures.")  # fmt: skip
    if not os.path.isdir(os.path.expanduser(folder)):
        raise InputError(f"--{flag}={folder} is not a folder; give the folder of the images.")
    found: dict[str, str] = {}
    for name, path in files_below(os.path.expanduser(folder)).items():
        if stem(name) in found:
            raise InputError(f"{found[stem(name)]} and {path} have the same name; remove one of them.")
        found[stem(name)] = path
    if not found:
        raise InputError(f"--{flag}={folder} contains no image.")
    return found


def _by_name(generated: Mapping[str, str], true: Mapping[str, str], targets: str) -> Iterator[PictureFile]:
    for name, path in generated.items():
        if name not in true:
            raise InputError(f"{path} has no target {name} in {targets}; add it, or remove the picture.")
        yield PictureFile(path, true[name], "", name, name)
    missing = next((name for name in true if name not in generated), None)
    if missing is not None:
        raise InputError(f"{true[missing]} has no generated picture of that name; add it, or remove the target.")


def _of_name(
    name: str, path: str, true: Mapping[str, str], layout: str, targets: str, known: Sequence[str]
) -> PictureFile:
    """A picture whose name tells condition and target."""
    panels = _PANELS.get(layout)
    splits = list(_splits(name.removesuffix("_vis"), _SEPARATOR[layout]))
    wanted = set(known) or set(true)
    fitting = [pair for pair in splits if pair[1] in wanted] if wanted else splits
    if layout == "posegan" and known:
        fitting = [pair for pair in fitting if pair[0] in wanted]
    if len(fitting) != 1 and panels and not known:
        return PictureFile(path, path, "", name, name, panels)
    if len(fitting) != 1:
        raise InputError(_unsplit(path, layout, targets, splits, fitting))
    (condition, target), *_ = fitting
    return PictureFile(path, path if panels else true[target], condition, target, name, panels)


def _unsplit(path: str, layout: str, targets: str, splits: Sequence[object], fitting: Sequence[object]) -> str:
    if not splits:
        return f"{path} is not named FROM{_SEPARATOR[layout]}TO; check --picture_layout={layout}."
    if not fitting:
        where = f" in {targets}" if targets else ""
        return f"{path}: there is no image TO of that name{where}; add it, or remove the picture."
    return f"{path} can be read as more than one FROM{_SEPARATOR[layout]}TO; list the pairs with --pairs."


def _splits(name: str, separator: str) -> Iterator[tuple[str, str]]:
    """Every way to read a name as FROM, separator and TO; suffixes of image files are taken off both."""
    folder, slash, last = name.rpartition("/")
    start = last.find(separator)
    while start >= 0:
        first, second = last[:start], last[start + len(separator) :]
        if first and second:
            yield f"{folder}{slash}{stem(first)}", f"{folder}{slash}{stem(second)}"
        start = last.find(separator, start + 1)


def _of_pairs(
    generated: Mapping[str, str], true: Mapping[str, str], layout: str, pairs: Sequence[tuple[str, str, str]]
) -> Iterator[PictureFile]:
    """The pictures of a list of pairs, in its order; others must not be there."""
    left, panels = dict(generated), _PANELS.get(layout)
    separator = _SEPARATOR.get(layout, "_2_")
    for where, first, second in pairs:
        condition, target = stem(first), stem(second)
        names = [f"{a}{separator}{b}{end}" for end in ("", "_vis") for a, b in ((condition, target), (first, second))]
        name = next((name for name in names if name in left), None)
        if name is None:
            raise InputError(f"{where}: there is no picture {names[0]}; add it, or remove the row.")
        if not panels and target not in true:
            raise InputError(f"{where}: there is no target {second} in --targets; add it, or remove the row.")
        path = left.pop(name)
        yield PictureFile(path, path if panels else true[target], condition, target, name, panels)
    if left:
        raise InputError(f"{next(iter(left.values()))} belongs to no pair of --pairs; remove it, or add the pair.")


def batches(files: Sequence[PictureFile], batch_size: int) -> Iterator[tuple[Sequence[PictureFile], Pixels, Pixels]]:
    """(files, targets, generated pictures), uint8 [B, H, W, 3], batch by batch.

    Raises:
        InputError: If a file cannot be read, or the pictures differ in size.
    """
    size: tuple[int, ...] = ()
    for start in range(0, len(files), batch_size):
        part = files[start : start + batch_size]
        read = []
        for file in part:
            read.append(file.read())
            size = size or read[-1][0].shape
            if read[-1][0].shape != size:
                shape = read[-1][0].shape
                raise InputError(
                    f"{file.path}: {shape[0]} x {shape[1]} pixels (height x width), and {files[0].path} has "
                    f"{size[0]} x {size[1]}; one number needs pictures of one size."
                )
        target, generated = (np.stack(column) for column in zip(*read))
        yield part, target, generated
