"""Prepared data: one record per person (LIP: per image), written and read by tensorflow-datasets.

A person's record holds each image once, encoded, at the size that the networks take, with its joints and its label
map, and that person's pairs as positions in these lists. Every file is decoded and checked while preparing, so that
training cannot meet a bad one. A prepared data set lies in a folder named after what its records hold; when a list, an
image, a label map or an option changes that, it is prepared again.
"""

import contextlib
import dataclasses
import json
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import tensorflow_datasets as tfds

from tfwarpgan.body.joints import required_joints
from tfwarpgan.data.layouts import opening
from tfwarpgan.data.pairs import filters
from tfwarpgan.data.pairs.joining import joined
from tfwarpgan.data.pairs.joint_check import check_joints
from tfwarpgan.data.pairs.splits import SPLITS
from tfwarpgan.data.pictures.framing import Framing
from tfwarpgan.data.records import builders, copies, identity
from tfwarpgan.data.records.stature import stature_of_records
from tfwarpgan.options import DataOptions
from tfwarpgan.storage.locks import disk_errors, locked, remove_empty_folders
from tfwarpgan.storage.object_store import connect, is_remote

if TYPE_CHECKING:
    import tensorflow as tf

REMOVED_CSV = "removed.csv"


@dataclasses.dataclass(frozen=True)
class Prepared:
    """A prepared data set.

    Attributes:
        folder: Where it lies.
        height: Of the images, pixels; None where they keep their own.
        width: Of the images, pixels; None where they keep their own.
        num_persons: Of each split, dict of "train" and "test"; empty for LIP, whose splits are "train" and "val".
        num_images: Of each split.
        num_pairs: Of each split; empty for LIP.
        removed: Number of images that the filter left out, by rule.
        notes: Sentences about images and joints that are not used, see `pairs.coverage`.
        builder: tensorflow-datasets' builder that reads it.
    """

    folder: str
    height: int | None
    width: int | None
    num_persons: dict[str, int]
    num_images: dict[str, int]
    num_pairs: dict[str, int]
    removed: dict[str, int] = dataclasses.field(default_factory=dict)
    notes: tuple[str, ...] = ()
    builder: tfds.core.GeneratorBasedBuilder = dataclasses.field(default=None, repr=False, compare=False)

    @property
    def has_parsings(self) -> bool:
        """Whether the images have label maps."""
        return bool({"parsings", "parsing"} & set(self.builder.info.features))

    def records(self, split: str) -> "tf.data.Dataset":
        """The records of a split, images still encoded, always in the same order.

        Args:
            split: "train" or "test" (LIP: "val").

        Returns:
            tf.data.Dataset of dicts: id string [], images, parsings (where there are any) and names string [n],
            keypoints float32 [n, 18, 2], visible bool [n, 18], pairs int32 [m, 2]. Of LIP: name, image and parsing
            string [].
        """
        fields = {"images", "parsings", "image", "parsing"} & set(self.builder.info.features)
        encoded = {name: tfds.decode.SkipDecoding() for name in fields}
        reading = tfds.ReadConfig(try_autocache=False, interleave_cycle_length=1)
        with builders.quiet():
            return self.builder.as_dataset(split=split, decoders=encoded, read_config=reading, shuffle_files=False)


def prepare(
    data_options: DataOptions,
    workers: int = 0,
    beam_runner: str | None = None,
    beam_options: Any = None,
    source: opening.Source | None = None,
) -> Prepared:
    """Prepares a data set, unless that was done before.

    Args:
        data_options: `options.DataOptions`.
        workers: Number of processes; 0: one per core.
        beam_runner: Name of a runner of Apache Beam that does the work, or None for the processes of this machine.
        beam_options: `PipelineOptions` of the runner, or None.
        source: What `opening.open_source` gave, or None to open it here.

    Returns:
        The `Prepared` data set.

    Raises:
        InputError: If a file of the data set is missing or wrong, or the disk is full; then nothing is left behind.
    """
    source = opening.open_source(data_options) if source is None else source
    prepared_dir = os.path.expanduser(data_options.prepared_dir)
    if is_remote(prepared_dir):
        connect(prepared_dir)
    state = f"{data_options.dataset}-{identity.state_of(_state(data_options, source))}"
    name, notes = copies.recall(prepared_dir, state)
    builder = _builder(data_options, name, source) if name else None
    if builder is None or not builders.is_written(builder):
        with _work(source, data_options, workers) as work:
            name = f"{data_options.dataset}-{identity.content_of(work.items, work.more, workers)}"
            builder, notes = _builder(data_options, name, source), work.notes
            _write(builder, work, data_options, workers, beam_runner, beam_options)
        copies.remember(prepared_dir, state, name, notes)
    prepared = _prepared(builder, data_options, notes)
    stature_of_records(prepared)  # which is written with them
    return prepared


def _state(data_options: DataOptions, source: opening.Source) -> list[Any]:
    """What of a data set and its options can be seen without reading it."""
    if isinstance(source, dict):
        return opening.lip_fingerprint(source, data_options.lip_label_mapping, data_options.ignore_label)
    limits = (
        data_options.min_joints,
        required_joints(data_options.required_joints),
        data_options.min_foreground,
        data_options.max_stray_joints_image,
    )
    removed = limits if filters.is_active(data_options) else None
    return [opening.fingerprint(source), removed, data_options.max_stray_joints]


def _builder(data_options: DataOptions, name: str, source: opening.Source) -> Any:
    """The builder of the records of a copy of a data set."""
    config, builder = f"{data_options.height}x{data_options.width}", builders.Persons
    if isinstance(source, dict):
        config, builder = "own_size", builders.Pictures
    elif not source.has_label_maps:
        builder = builders.UnlabeledPersons
    folder = os.path.join(os.path.expanduser(data_options.prepared_dir), name)
    with disk_errors(folder, "--prepared_dir"), builders.quiet():
        return builder(data_dir=folder, config=tfds.core.BuilderConfig(name=config))


@dataclasses.dataclass(frozen=True)
class _Work:
    """What is to be written.

    Attributes:
        items: Of what records are made, by split.
        removed: The images that were left out.
        notes: As those of `Prepared`.
        framing: `Framing` of the pictures; None where they keep their own size.
    """

    items: dict[str, Any]
    removed: list[filters.Removed] = dataclasses.field(default_factory=list)
    notes: list[str] = dataclasses.field(default_factory=list)
    framing: Framing | None = None

    @property
    def more(self) -> list[Any]:
        """What else than the items makes two copies the same."""
        left_out = [(each.split, each.name, each.rule, each.reason) for each in self.removed]
        return [left_out, self.framing and self.framing.fit]  # its crop is told with each file


@contextlib.contextmanager
def _work(source: opening.Source, data_options: DataOptions, workers: int) -> Iterator[_Work]:
    """Reads the lists, and refuses what is wrong in them or with the joints."""
    if isinstance(source, dict):
        yield _Work(dict(source))
        return
    with joined(source) as (persons, new_persons, coverage):
        left, removed = filters.filter_persons(persons, data_options, workers, new_persons)
        if source.has_label_maps:  # which tell where the persons are
            check_joints(left, source.joints_source, data_options.max_stray_joints, workers)
        yield _Work(left, removed, coverage.notes(), source.framing)


def _write(
    builder: Any,
    work: _Work,
    data_options: DataOptions,
    workers: int,
    beam_runner: str | None,
    beam_options: Any,
) -> None:
    """Writes the records, unless they are there."""
    folder = os.path.dirname(os.path.dirname(os.path.dirname(builder.data_dir)))
    with disk_errors(builder.data_dir, "--prepared_dir"), locked(os.path.dirname(builder.data_dir)):
        try:
            if builders.is_written(builder):  # by another process, or of a data set that holds the same
                builder.info.read_from_directory(builder.data_dir)
                return
            builders.remove_leftovers(builder)
            builder.workers = workers
            builder.items = {split: found for split, found in work.items.items() if len(found)}
            if work.framing:
                builder.framing = work.framing
                _describe(builder, work, data_options)
            builders.write(builder, beam_runner, beam_options)
        finally:
            remove_empty_folders(folder)


def _describe(builder: builders.Persons, work: _Work, data_options: DataOptions) -> None:
    for split, people in work.items.items():
        builder.metadata[f"{split}_images"] = sum(len(person.names) for person in people)
        builder.metadata[f"{split}_pairs"] = sum(len(person.pairs) for person in people)
    builder.metadata["removed"] = json.dumps(filters.count_by_rule(work.removed))
    if filters.is_active(data_options):
        builder.files[REMOVED_CSV] = filters.report(work.removed)


def _prepared(
    builder: builders.Persons | builders.Pictures, data_options: DataOptions, notes: Sequence[str]
) -> Prepared:
    metadata, splits = builder.info.metadata, builder.info.splits
    counts = {split: splits[split].num_examples for split in splits}
    if isinstance(builder, builders.Pictures):
        return Prepared(str(builder.data_dir), None, None, {}, counts, {}, builder=builder)
    return Prepared(
        folder=str(builder.data_dir),
        height=data_options.height,
        width=data_options.width,
        num_persons={split: counts.get(split, 0) for split in SPLITS},
        num_images={split: int(metadata[f"{split}_images"]) for split in SPLITS},
        num_pairs={split: int(metadata[f"{split}_pairs"]) for split in SPLITS},
        removed=json.loads(metadata["removed"]),
        notes=tuple(notes),
        builder=builder,
    )
