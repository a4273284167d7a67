"""Reader of the DeepFashion In-shop layout (Liu et al., "DeepFashion", CVPR 2016).

Images are `img/{MEN,WOMEN}/<Category>/id_XXXXXXXX/NN_V_view.jpg`: an id is an item, and NN a person in it, so that id
and NN are one outfit, which is what a person is here. Annotations, pairs and flattened copies of the folders spell the
names in other ways: `fasion` or `fashion` in front, underscores of the category kept or not. So an image is known by
its name without outer folders, prefix, underscores, capitals and suffix.
"""

import functools
import os
import re
from collections.abc import Iterator

from tfwarpgan.data.layouts import layout
from tfwarpgan.data.pictures.files import files_below, leaves, plain, stem

_CSV_NAMES = {
    "annotation": ("fasion-resize-annotation", "fasion-annotation", "fashion-resize-annotation", "fashion-annotation"),
    "pairs": ("fasion-resize-pairs", "fasion-pairs", "fashion-resize-pairs", "fashion-pairs"),
}
_FOLDERS = ("img", "img_highres")  # the official folders, with either kind of names
_PREFIX = re.compile(r"^(?:fash?ion)?(?=(?:WO)?MEN)", re.IGNORECASE)
_TOPS = ("men", "women")
_SPLIT_FOLDERS = ("train", "test")  # flattened copies
_OUTFIT = re.compile(r"(WOMEN|MEN)(.+?)id(\d{8})(\d{2})", re.IGNORECASE)


class Layout(layout.Layout):
    """Where the files of a DeepFashion In-shop folder are."""

    what_to_get = (
        "get DeepFashion In-shop and the pose-gan annotations and pairs, and put them there, or give --data_dir "
        "the folder with img/{MEN,WOMEN}/<Category>/id_XXXXXXXX/*.jpg (or flattened copies in img/, or in train/ and "
        "test/), fasion-annotation-train.csv, fasion-annotation-test.csv, fasion-pairs-train.csv, "
        "fasion-pairs-test.csv and parsing/ with the same paths."
    )

    def wanted(self) -> list[str]:
        return [*self._image_folders(), *super().wanted()]

    def folders(self) -> list[str]:
        """The folders of images and label maps."""
        return [*self._image_folders(), self.parsing_dir]

    def annotation_csv(self, split: str) -> str:
        return self._csv("annotation", split)

    def pairs_csv(self, split: str) -> str:
        return self._csv("pairs", split)

    def key(self, name: str) -> str | None:
        return None if leaves(name) else flat_key(name).lower()

    def person(self, name: str) -> str:
        """The outfit on an image."""
        match = _OUTFIT.match(flat_key(name))
        return "-".join([match[1].upper(), *match.groups()[1:]]) if match else name

    def own_split(self, key: str) -> str | None:
        folder = os.path.relpath(self.images[key], self.data_dir).split(os.sep)[0]
        return folder if folder in _SPLIT_FOLDERS else None

    def has_training_folder(self) -> bool:
        return os.path.isdir(os.path.join(self.data_dir, _SPLIT_FOLDERS[0]))

    def iterate_images(self) -> Iterator[tuple[str, str]]:
        for folder in self._image_folders():
            for name, path in files_below(folder, follow_links=self.data_options.follow_links).items():
                yield flat_key(name).lower(), path

    def iterate_label_maps(self) -> Iterator[tuple[str, str]]:
        files = files_below(self.parsing_dir, (".png",), follow_links=self.data_options.follow_links)
        return ((flat_key(name).lower(), path) for name, path in files.items())

    def _image_folders(self) -> list[str]:
        """The first of the official folders, or the two of flattened copies."""
        for folder in _FOLDERS:
            if os.path.isdir(os.path.join(self.data_dir, folder)):
                return [os.path.join(self.data_dir, folder)]
        flat = [os.path.join(self.data_dir, folder) for folder in _SPLIT_FOLDERS]
        return flat if os.path.isdir(flat[0]) else [os.path.join(self.data_dir, _FOLDERS[0])]

    def _csv(self, what: str, split: str) -> str:
        paths = [os.path.join(self.data_dir, f"{name}-{split}.csv") for name in _CSV_NAMES[what]]
        return next((path for path in paths if os.path.exists(path)), paths[1])


@functools.lru_cache(2**18)  # each name comes many times in lists of pairs
def flat_key(name: str) -> str:
    """What all spellings of an image's name have in common.

    Args:
        name: A path with `MEN` or `WOMEN` in it, or a flattened name, as `fasionWOMENTeesTanksid0000350408_3back.jpg`.

    Returns:
        As `WOMENTeesTanksid00003504083back`; only capitals may differ.
    """
    parts = stem(plain(name)).split("/")
    tops = [place for place, part in enumerate(parts) if part.lower() in _TOPS]
    start = tops[-1] if tops else len(parts) - 1
    return _PREFIX.sub("", "".join(parts[start:]).replace("_", ""))
