"""What every data set of pairs has in common: images, label maps, joints, a split and pairs, as the options declare.

A data set's own class says where its files are and what its names mean; `persons.read_persons` joins it all.
"""

import copy
import functools
import os
from collections.abc import Iterator
from typing import Any

from tfwarpgan.data.joints import files as joint_files
from tfwarpgan.data.joints import formats
from tfwarpgan.data.joints.formats import Annotations
from tfwarpgan.data.joints.frames import SHARES, Frame
from tfwarpgan.data.joints.stray import normalized
from tfwarpgan.data.layouts.files import LayoutFiles
from tfwarpgan.data.pairs import lists as pair_lists
from tfwarpgan.data.pairs import splits
from tfwarpgan.data.pictures.files import stem
from tfwarpgan.errors import InputError, OnError, quoted, raise_error
from tfwarpgan.options import DataOptions

LARGE = 256 << 20  # bytes of lists, beyond which they are joined in parts
PART = 16 << 20  # bytes of lists in a part; joined, they take about eight times that
MOST_PARTS = 500  # files open at once


class Layout(LayoutFiles):
    """A data set.

    Attributes:
        num_parts: Number of parts in which its lists are joined, so that each fits into memory.
    """

    names_tell_persons = True  # without the folders' content

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
        super().__init__(data_dir, parsing_dir, data_options or DataOptions())
        self._joints_of: dict[str, Annotations] = {}
        self._pairs_of: dict[str, list[tuple[str, str, str]]] | None = None  # of a part
        self.num_parts = self._count_parts() if in_parts else 1
        if self.num_parts == 1:
            self.images, self.label_maps = self.list_images(), self.list_label_maps()

    def trains(self, on_error: OnError = raise_error) -> bool:
        """Whether there are images for training."""
        return not self.is_test_only and (not self.builds_pairs or self._members("train", on_error) != set())

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
