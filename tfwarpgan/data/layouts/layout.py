"""What every data set of pairs has in common: images, label maps, joints, a split and pairs, as the options declare.

A data set's own class says where its files are and what its names mean; `persons.read_persons` joins it all.
"""

import abc
import copy
import functools
import os
from collections.abc import Iterator
from typing import Any

from tfwarpgan.body import label_mappings
from tfwarpgan.data.joints import files as joint_files
from tfwarpgan.data.joints import formats
from tfwarpgan.data.joints.formats import Annotations
from tfwarpgan.data.joints.frames import SHARES, Frame
from tfwarpgan.data.joints.stray import normalized
from tfwarpgan.data.pairs import lists as pair_lists
from tfwarpgan.data.pairs import splits
from tfwarpgan.data.pictures.files import IMAGE_SUFFIXES, ImageFile, leaves, other_files_below, plain, stem
from tfwarpgan.data.pictures.framing import Framing
from tfwarpgan.data.pictures.label_maps import ANNOTATE
from tfwarpgan.errors import InputError, OnError, quoted, raise_error
from tfwarpgan.options import DataOptions
from tfwarpgan.storage.text import holds_rows

LARGE = 256 << 20  # bytes of lists, beyond which they are joined in parts
PART = 16 << 20  # bytes of lists in a part; joined, they take about eight times that
MOST_PARTS = 500  # files open at once


class Layout(abc.ABC):
    """A data set.

    Attributes:
        what_to_get: The end of the message where something is missing.
        data_dir: Its folder.
        parsing_dir: Folder of its label maps.
        data_options: `options.DataOptions`.
        framing: `Framing` of its pictures.
        images: dict of key -> path of an image.
        label_maps: dict of key -> path of a label map.
        has_label_maps: Whether there is a folder of label maps; without one, no image has one.
        builds_pairs: Whether its pairs are built by the rule, not read from lists.
        num_parts: Number of parts in which its lists are joined, so that each fits into memory.
    """

    default_pair_source = "lists"
    names_tell_persons = True  # without the folders' content
    what_to_get: str

    def __init__(
        self, data_dir: str, parsing_dir: str = "", data_options: DataOptions | None = None, *, in_parts: bool = False
    ) -> None:
        """Lists the folders.

        Args:
            data_dir: Folder of the data set.
            parsing_dir: Folder of the label maps; empty for `parsing` in `data_dir`.
            data_options: `options.DataOptions`: how joints, pairs and label maps are to be read; None: as the layout
                has them.

        Raises:
            InputError: If something of the layout is missing; it says what to get and where to put it.
        """
        self.data_options = data_options or DataOptions()
        self.data_dir = data_dir
        self.parsing_dir = parsing_dir or os.path.join(data_dir, "parsing")
        source = self.data_options.pair_source
        self.builds_pairs = (self.default_pair_source if source == "auto" else source) == "rule"
        self._labels = label_mappings.to_lip(self.data_options.label_mapping)
        self.framing = Framing.of(self.data_options)
        self.find_files()
        self.has_label_maps = os.path.isdir(self.parsing_dir)
        if not self.has_label_maps:
            _check_needs_none(self.parsing_dir, bool(parsing_dir), self.data_options)
        self._joints_of: dict[str, Annotations] = {}
        self._pairs_of: dict[str, list[tuple[str, str, str]]] | None = None  # of a part
        self.images: dict[str, str] = {}
        self.label_maps: dict[str, str] = {}
        self.num_parts = self._count_parts() if in_parts else 1
        if self.num_parts == 1:
            self.images, self.label_maps = self.list_images(), self.list_label_maps()

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

    def trains(self, on_error: OnError = raise_error) -> bool:
        """Whether there are images for training."""
        return not self.is_test_only and (not self.builds_pairs or self._members("train", on_error) != set())

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

    def part(
        self,
        images: dict[str, str],
        label_maps: dict[str, str],
        joints: dict[str, Annotations],
        pairs: dict[str, list[tuple[str, str, str]]],
    ) -> "Layout":
        """The data set reduced to some persons, see `pairs.joining`.

        Args:
            images: As the attribute.
            label_maps: As the attribute.
            joints: Joints by their source.
            pairs: Listed pairs by their split.
        """
        part = copy.copy(self)
        part.images, part.label_maps, part.num_parts = images, label_maps, 1
        part._joints_of, part._pairs_of = joints, pairs
        return part

    def _count_parts(self) -> int:
        """One, unless the lists are large, and can be joined person by person."""
        options = self.data_options
        is_csv = (
            not options.keypoints
            or options.keypoint_format == "pose_gan"
            and os.path.isfile(self.joints_source("train"))
        )
        is_split = (
            not self.builds_pairs
            or not options.keypoints
            and not any(map(os.path.exists, splits.list_files(self.data_dir)))
        )
        sources = {*self.lists(), *map(self.joints_source, splits.SPLITS)}
        size = sum(os.path.getsize(path) for path in sources if os.path.isfile(path))
        if not (self.names_tell_persons and is_csv and is_split) or size < LARGE:
            return 1
        return min(-(-size // PART), MOST_PARTS)

    @property
    def missing_joint(self) -> float:
        """How a missing joint is written in annotation CSVs."""
        return formats.POSE_GAN.declared(self.data_options.keypoint_missing).missing

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

    def settings(self) -> list[Any]:
        """What else the prepared data depend on: options, and the state of the files of joints."""
        options = self.data_options
        stamps = [
            joint_files.stamps(path, options.follow_links)
            for path in (options.keypoints, options.keypoint_images)
            if path
        ]
        joints = (os.path.realpath(self.joints_source("train")), options.keypoint_format, options.keypoint_missing)
        frames = (
            options.keypoint_score,
            options.keypoint_frame,
            options.keypoint_crop,
            options.picture_crop,
            options.picture_fit,
            options.label_mapping,
            options.ignore_label,
            options.keypoint_scale,
        )
        split = (options.test_share, options.split_seed, options.max_train_pairs, options.max_test_pairs)
        pairs = (self.builds_pairs, options.pair_order, options.duplicate_pairs, options.self_pairs)
        return [joints, frames, split, pairs, stamps]

    def joints(self, split: str, *, on_error: OnError = raise_error) -> Annotations:
        """The joints of a split.

        Args:
            split: "train" or "test".
            on_error: Function of the `InputError` of a bad row; one that does not raise has the row left out.

        Returns:
            dict of the image's name -> (joints float32 [18, 2], visible bool [18], where), in pixels of the used
            part of the image.

        Raises:
            InputError: If the joints cannot be read at all.
        """
        members = self._members(split, on_error)
        names: dict[str, str] = {}
        found = Annotations()
        source = self._joints_in_source(split, on_error)
        for name, (joints, visible, where) in source.items():
            key = self.key(name)
            if key is None:
                on_error(InputError(f"{where}: {self.why_missing(name)}"))
                continue
            path = self.images.get(key)
            is_missing = path is None and not self.data_options.keypoints  # other sources may know more images
            if members is not None and key not in members and not is_missing:
                continue
            if key in names:
                on_error(InputError(f"{where}: {name} is the same image as {names[key]}; keep one of them."))
                continue
            names[key], own = name, source.frames.get(name)
            name = self._shown(name, path)
            try:
                if self._frame.is_in_pixels and own != SHARES and (why := normalized(joints, visible)):
                    raise InputError(f"{where}: {why}.")
                if path is not None and visible.any():
                    joints, visible = self.framing.used_joints(*self._frame.place(joints, visible, path, own))
                found[name] = joints, visible, where
            except InputError as error:
                on_error(error)
        return found

    def rows(self) -> Annotations:
        """The joints of all images in the sources of both splits, as `joint_files.read` gives them."""
        found = Annotations()
        for split in splits.SPLITS if self.trains() else ("test",):
            found.update(self._joints_in_source(split, lambda error: None))
        return found

    def pairs(self, split: str, *, on_error: OnError = raise_error) -> Iterator[tuple[str, str, str]]:
        """The listed pairs of a split, as (where, from, to); only where they are not built by the rule."""
        if self._pairs_of is not None:
            return iter(self._pairs_of[split])
        return pair_lists.read(self.pair_list(split), self.data_options.pair_order, on_error=on_error)

    @functools.cached_property
    def _frame(self) -> Frame:
        options = self.data_options
        return Frame.of(options, bool(options.keypoints) and options.keypoint_format == "mediapipe_33")

    def _joints_in_source(self, split: str, on_error: OnError) -> Annotations:
        """The joints in the source of a split, which is read once though it may be that of both."""
        path, options = self.joints_source(split), self.data_options
        if path not in self._joints_of:
            self._joints_of[path] = joint_files.read(
                path,
                options.keypoint_format if options.keypoints else "pose_gan",
                missing=options.keypoint_missing,
                min_score=options.keypoint_score,
                images=os.path.expanduser(options.keypoint_images),
                follow_links=options.follow_links,
                on_error=on_error,
            )
            names = list(self._joints_of[path])
            if names and not any(visible.any() for _, visible, _ in self._joints_of[path].values()):
                raise InputError(
                    f"{path}: no joint of its {len(names)} images counts as visible: nobody was found, or all scores "
                    "are too low (--keypoint_score), or all joints are marked as missing (--keypoint_missing)."
                )
            if options.keypoints and names and not any(self.key(name) in self.images for name in names):
                raise InputError(
                    f"--keypoints={path}: none of its {len(names)} names is an image in {self.data_dir}; the first is "
                    f"{quoted(names[0])}."
                )
        return self._joints_of[path]

    def _members(self, split: str, on_error: OnError) -> set[str | None] | None:
        """Keys of the images of a split; None where the annotation CSV of the split says it."""
        if not self.builds_pairs:
            return None if not self.data_options.keypoints else self._paired(split)
        if not hasattr(self, "_split_of"):
            self._split_of = splits.assign(self, on_error=on_error)
        return set(self._split_of[split]) if self._split_of else None

    def _paired(self, split: str) -> set[str | None]:
        return {self.key(name) for _, *names in self.pairs(split, on_error=lambda error: None) for name in names}

    def _shown(self, name: str, path: str | None) -> str:
        """An image's name: as the joints' source has it, or where that lacks the suffix, as its file is called."""
        if path is None or stem(name) != name:
            return name
        return self.shown_name(path)

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
