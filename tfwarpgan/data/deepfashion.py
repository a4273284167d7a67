"""Reader of the DeepFashion In-shop layout (Liu et al., "DeepFashion", CVPR 2016).

Pictures are `img/{MEN,WOMEN}/<Category>/id_XXXXXXXX/NN_V_view.jpg`; an id is one outfit, which is what a person is
here. Annotations and pairs name them flattened, and projects differ in how: `fasion` or `fashion` in front, underscores
of the category kept or not. So a picture is known by its name without folders, prefix, underscores and suffix.
"""

import os
import re

from tfwarpgan.data.market1501 import check_parsings
from tfwarpgan.errors import InputError

_CSV_NAMES = {
    "annotation": ("fasion-resize-annotation", "fasion-annotation", "fashion-resize-annotation", "fashion-annotation"),
    "pairs": ("fasion-resize-pairs", "fasion-pairs", "fashion-resize-pairs", "fashion-pairs"),
}
_OUTFIT = re.compile(r"(WOMEN|MEN)(.+?)id(\d{8})")
_WANTED = (
    "img/{MEN,WOMEN}/<Category>/id_XXXXXXXX/*.jpg, fasion-annotation-train.csv, fasion-annotation-test.csv, "
    "fasion-pairs-train.csv, fasion-pairs-test.csv and parsing/ with the same paths as img/"
)


class Layout:
    """Where the files of a DeepFashion In-shop folder are."""

    def __init__(self, data_dir, parsing_dir=""):
        """Walks through the folders.

        Args:
            data_dir: Folder with `img` and the CSV files.
            parsing_dir: Folder of the label maps, with the paths of `img`; empty for `parsing` in `data_dir`.

        Raises:
            InputError: If something of the layout is missing; it says what to get and where to put it.
        """
        self.data_dir = data_dir
        self.parsing_dir = parsing_dir or os.path.join(data_dir, "parsing")
        self._check()
        self._images = _files_by_key(os.path.join(data_dir, "img"), (".jpg", ".jpeg", ".png"))
        self._parsings = _files_by_key(self.parsing_dir, (".png",))

    def folders(self):
        """The folders of pictures and label maps."""
        return [os.path.join(self.data_dir, "img"), self.parsing_dir]

    def annotation_csv(self, split):
        return self._csv("annotation", split)

    def pairs_csv(self, split):
        return self._csv("pairs", split)

    def person(self, name):
        """The outfit on a picture."""
        match = _OUTFIT.match(flat_key(name))
        return "-".join(match.groups()) if match else name

    def image(self, name):
        return self._images.get(flat_key(name))

    def parsing(self, name):
        return self._parsings.get(flat_key(name))

    def _csv(self, what, split):
        paths = [os.path.join(self.data_dir, f"{name}-{split}.csv") for name in _CSV_NAMES[what]]
        for path in paths:
            if os.path.exists(path):
                return path
        return paths[1]

    def _check(self):
        wanted = [os.path.join(self.data_dir, "img")]
        wanted += [path(split) for path in (self.annotation_csv, self.pairs_csv) for split in ("train", "test")]
        for path in wanted:
            if not os.path.exists(path):
                raise InputError(
                    f"{path} is missing: get DeepFashion In-shop and the pose-gan annotations and pairs, and give "
                    f"--data_dir the folder with {_WANTED}."
                )
        check_parsings(self.parsing_dir)


def flat_key(name):
    """What all spellings of a picture's name have in common.

    Args:
        name: A path below `img`, or a flattened name, as `fasionWOMENTeesTanksid0000350408_3back.jpg`.

    Returns:
        As `WOMENTeesTanksid00003504083back`.
    """
    stem = os.path.splitext(name)[0]
    return re.sub(r"^fash?ion", "", re.sub(r"[/\\_]", "", stem))


def _files_by_key(folder, suffixes):
    files = {}
    for place, _, names in sorted(os.walk(folder)):
        for name in sorted(names):
            if name.lower().endswith(suffixes):
                path = os.path.join(place, name)
                files.setdefault(flat_key(os.path.relpath(path, folder)), path)
    return files
