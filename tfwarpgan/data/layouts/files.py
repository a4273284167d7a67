"""The files of a data set of pairs: its folders of images and label maps, its lists, and what their names mean."""

import abc
import functools
import os
from collections.abc import Iterator

from tfwarpgan.body import label_mappings
from tfwarpgan.data.joints import files as joint_files
from tfwarpgan.data.pairs import splits
from tfwarpgan.data.pictures.files import IMAGE_SUFFIXES, ImageFile, leaves, other_files_below, plain, stem
from tfwarpgan.data.pictures.framing import Framing
from tfwarpgan.data.pictures.label_maps import ANNOTATE
from tfwarpgan.errors import InputError
from tfwarpgan.options import DataOptions
from tfwarpgan.storage.text import holds_rows


class LayoutFiles(abc.ABC):
    """Where the files of a data set are, and what their names mean; a layout says.

    Attributes:
        what_to_get: The end of the message where something is missing.
        data_dir: Its folder.
        parsing_dir: Folder of its label maps.
        has_label_maps: Whether there is a folder of label maps; without one, no image has one.
        data_options: `options.DataOptions`.
        framing: `Framing` of its pictures.
        images: dict of key -> path of an image.
        label_maps: dict of key -> path of a label map.
        builds_pairs: Whether its pairs are built by the rule, not read from lists.
    """

    default_pair_source = "lists"
    what_to_get: str

    def __init__(self, data_dir: str, parsing_dir: str, data_options: DataOptions) -> None:
        """Looks for the folders and lists; the arguments are those of `layout.Layout`."""
        self.data_options = data_options
        self.data_dir = data_dir
        self.parsing_dir = parsing_dir or os.path.join(data_dir, "parsing")
        source = self.data_options.pair_source
        self.builds_pairs = (self.default_pair_source if source == "auto" else source) == "rule"
        self._labels = label_mappings.to_lip(self.data_options.label_mapping)
        self.framing = Framing.of(self.data_options)
        self.images: dict[str, str] = {}
        self.label_maps: dict[str, str] = {}
        self.find_files()
        self.has_label_maps = os.path.isdir(self.parsing_dir)
        if not self.has_label_maps:
            _check_needs_none(self.parsing_dir, bool(parsing_dir), self.data_options)

    def find_files(self) -> None:
        """Refuses a folder that is not in this layout, saying what to get."""
        if self.data_options.keypoints:
            joint_files.check_there(self.data_options.keypoints)
        for path in self.wanted():
            if not os.path.exists(path):
                raise InputError(f"{path} is missing: {self._what_to_do(path)}")

    def _what_to_do(self, missing: str) -> str:
        if self.builds_pairs or missing not in map(self.pair_list, splits.SPLITS):
            return self.what_to_get
        alone = " (tests alone need no lists for training)" if missing == self.pair_list("train") else ""
        return f"build the pairs with --pair_source=rule{alone}, or {self.what_to_get}"

    def wanted(self) -> list[str]:
        """Lists that must be there, by the options; a layout adds its folders."""
        names = [] if self.data_options.keypoints else [self.annotation_csv(split) for split in self.listed_splits]
        return names + ([] if self.builds_pairs else [self.pair_list(split) for split in self.listed_splits])

    @property
    def listed_splits(self) -> tuple[str, ...]:
        """The splits whose lists are read."""
        return ("test",) if self.is_test_only else splits.SPLITS

    @functools.cached_property
    def is_test_only(self) -> bool:
        """Whether the lists for training are absent, or headers alone, while those for tests are there.

        Joints or images for training without a list of training pairs mean that the list was forgotten.
        """
        train, test = (self.annotation_csv(split) for split in splits.SPLITS)
        if self.data_options.keypoints or train == test:  # no list of joints for training alone
            begun = self.builds_pairs or self.has_training_folder()
        else:
            begun = bool(holds_rows(train, "keypoints_y")) or not os.path.exists(test)
        if self.builds_pairs:
            return not begun
        pairs = holds_rows(self.pair_list("train"), "from")
        if pairs or not os.path.exists(self.pair_list("test")):
            return False
        return pairs is False or not (begun or self.data_options.train_pairs)

    def has_training_folder(self) -> bool:
        """Whether there is a folder of images for training alone, with images."""
        return False

    @abc.abstractmethod
    def iterate_images(self) -> Iterator[tuple[str, str]]:
        """(key, path) of the images; the first of a key counts."""

    @abc.abstractmethod
    def iterate_label_maps(self) -> Iterator[tuple[str, str]]:
        """(key, path) of the label maps; the first of a key counts."""

    def list_images(self) -> dict[str, str]:
        """Key -> path of the images."""
        return _first_of_each(self.iterate_images())

    def list_label_maps(self) -> dict[str, str]:
        """Key -> path of the label maps."""
        return _first_of_each(self.iterate_label_maps())

    @abc.abstractmethod
    def folders(self) -> list[str]:
        """The folders of images and label maps."""

    @abc.abstractmethod
    def annotation_csv(self, split: str) -> str:
        """The layout's own file of the joints of a split."""

    @abc.abstractmethod
    def pairs_csv(self, split: str) -> str:
        """The layout's own list of the pairs of a split."""

    @abc.abstractmethod
    def person(self, name: str) -> str | None:
        """The person on an image, or None for what shows no person."""

    def key(self, name: str) -> str | None:
        """What all spellings of an image's name have in common; None for a name that points out of the folders."""
        return None if leaves(name) else stem(plain(name))

    def why_missing(self, name: str, what: str = "image") -> str:
        """Why there is no image, or no label map, of this name, and what to do, as the end of a sentence.

        Args:
            name: From a list.
            what: "image" or "label map".
        """
        if leaves(name):
            return (
                f"{name[:200]} leaves the folder of the images, {self.data_dir}: it is absolute, or has '..' in it; "
                "write the path inside of that folder."
            )
        others = self._other_files(what)
        other = others.get(self.key(name)) or others.get(self.key(os.path.splitext(name)[0]))
        missing = f"there is no {what} {'' if what == 'image' else 'for '}{name}"
        wanted = "a label map must be PNG" if what == "label map" else "an image must be JPEG, PNG, WebP, AVIF or BMP"
        if other:
            return f"{missing}; {other} is there, but {wanted}: convert it."
        return f"{missing}; add the file or remove the row."

    @functools.cache  # noqa: B019  layouts live as long as the command
    def _other_files(self, what: str) -> dict[str | None, str]:
        """Key -> path of the files that are no images, or no label maps, by their suffix."""
        is_map = what == "label map"
        folders = [folder for folder in self.folders() if (folder == self.parsing_dir) == is_map]
        suffixes: tuple[str, ...] = (".png",) if is_map else IMAGE_SUFFIXES
        others = [item for folder in folders for item in other_files_below(folder, suffixes).items()]
        return {self.key(name): path for name, path in others}

    def own_split(self, key: str) -> str | None:
        """The split of an image by its place in the folders, or None."""
        del key
        return None

    def image(self, name: str) -> ImageFile | None:
        """The file of an image, or None."""
        path = self.images.get(self.key(name) or "")
        return self.framing.file(path) if path else None

    def label_map(self, name: str) -> ImageFile | None:
        """The label map of an image, or None."""
        path = self.label_maps.get(self.key(name) or "")
        return self.framing.file(path, self._labels, self.data_options.ignore_label) if path else None

    def pair_list(self, split: str) -> str:
        """The list of the pairs of a split."""
        own = {"train": self.data_options.train_pairs, "test": self.data_options.test_pairs}[split]
        return os.path.expanduser(own) if own else self.pairs_csv(split)

    def joints_source(self, split: str) -> str:
        """The file or folder of the joints of a split."""
        keypoints = self.data_options.keypoints
        return os.path.expanduser(keypoints) if keypoints else self.annotation_csv(split)

    def lists(self) -> list[str]:
        """The files whose content the prepared data depend on."""
        paths = splits.list_files(self.data_dir)
        for split in splits.SPLITS:
            paths += [] if self.data_options.keypoints else [self.annotation_csv(split)]
            paths += [] if self.builds_pairs else [self.pair_list(split)]
        return [path for path in paths if os.path.exists(path)]  # those of a test-only data set may be absent

    def shown_name(self, path: str) -> str:
        """What an image is called that its joints do not name in full."""
        return os.path.relpath(path, self.data_dir).replace(os.sep, "/")


def _first_of_each(files: Iterator[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, path in files:
        found.setdefault(key, path)
    return found


def _check_needs_none(parsing_dir: str, is_named: bool, data_options: DataOptions) -> None:
    """Refuses a missing folder of label maps that was named, or that the filter of failed images needs."""
    if is_named or data_options.min_foreground or data_options.max_stray_joints_image < 1:
        needed = "" if is_named else ", which --min_foreground and --max_stray_joints_image look at"
        raise InputError(
            f"{parsing_dir} is missing: there must be one label map (PNG) per image in it{needed}; {ANNOTATE}."
        )
