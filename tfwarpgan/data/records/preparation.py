"""Prepared data: one record per person (LIP: per image), written and read by tensorflow-datasets.

A person's record holds each image once, encoded, at the size that the networks take, with its joints and its label
map, and that person's pairs as positions in these lists. Every file is decoded and checked while preparing, so that
training cannot meet a bad one. A prepared data set lies in a folder named after what it was made of; when a list,
an image, a label map or the filter changes, it is prepared again.
"""

import dataclasses
import hashlib
import json
import os
from typing import TYPE_CHECKING, Any

import tensorflow_datasets as tfds

from tfwarpgan.body.joints import required_joints
from tfwarpgan.data.layouts import opening
from tfwarpgan.data.layouts.layout import Layout
from tfwarpgan.data.pairs import coverage, filters
from tfwarpgan.data.pairs.joint_check import check_joints
from tfwarpgan.data.pairs.persons import check_disjoint, read_persons
from tfwarpgan.data.pairs.splits import SPLITS
from tfwarpgan.data.records import builders
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
        notes: Sentences about images and joints that are not used, see `coverage.notes`.
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

    def records(self, split: str) -> "tf.data.Dataset":
        """The records of a split, images still encoded, always in the same order.

        Args:
            split: "train" or "test" (LIP: "val").

        Returns:
            tf.data.Dataset of dicts: id string [], images, parsings and names string [n], keypoints float32 [n, 18, 2],
            visible bool [n, 18], pairs int32 [m, 2]. Of LIP: name, image and parsing string [].
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
    folder, builder = _builder(data_options, source)
    if not builders.is_written(builder):
        with disk_errors(builder.data_dir, "--prepared_dir"), locked(os.path.dirname(builder.data_dir)):
            try:
                if builders.is_written(builder):  # another process was faster
                    builder.info.read_from_directory(builder.data_dir)
                else:
                    builders.remove_leftovers(builder)
                    builder.workers = workers
                    if isinstance(source, dict):
                        builder.items = source
                    else:
                        _fill_persons(builder, source, data_options)
                    builders.write(builder, beam_runner, beam_options)
            finally:
                remove_empty_folders(folder)
    return _prepared(builder, data_options)


def _builder(data_options: DataOptions, source: Any) -> tuple[str, Any]:
    """The folder of a data set in all sizes, and the builder of its records."""
    if data_options.dataset == "lip":
        builder, config = builders.Pictures, "own_size"
        state = opening.lip_fingerprint(source, data_options.lip_label_mapping)
    else:
        builder, config = builders.Persons, f"{data_options.height}x{data_options.width}"
        state = opening.fingerprint(source)
        if filters.is_active(data_options):
            required = required_joints(data_options.required_joints)
            state.append((data_options.min_joints, required, data_options.min_foreground))
            if data_options.max_stray_joints_image < 1:
                state.append(data_options.max_stray_joints_image)
    name = f"{data_options.dataset}-{hashlib.sha256(repr(state).encode()).hexdigest()[:12]}"
    folder = os.path.join(os.path.expanduser(data_options.prepared_dir), name)
    if is_remote(folder):
        connect(folder)
    with disk_errors(folder, "--prepared_dir"), builders.quiet():
        return folder, builder(data_dir=folder, config=tfds.core.BuilderConfig(name=config))


def _fill_persons(builder: builders.Persons, layout: Layout, data_options: DataOptions) -> None:
    persons = {split: read_persons(layout, split) for split in SPLITS}
    check_disjoint(persons)
    builder.framing = layout.framing
    builder.items, removed = filters.filter_persons(persons, data_options, builder.workers)
    check_joints(builder.items, layout.joints_source, data_options.max_stray_joints, builder.workers)
    for split, people in builder.items.items():
        builder.metadata[f"{split}_images"] = sum(len(person.names) for person in people)
        builder.metadata[f"{split}_pairs"] = sum(len(person.pairs) for person in people)
    builder.items = {split: people for split, people in builder.items.items() if people}
    builder.metadata["notes"] = json.dumps(coverage.notes(layout))
    builder.metadata["removed"] = json.dumps(filters.count_by_rule(removed))
    if filters.is_active(data_options):
        builder.files[REMOVED_CSV] = filters.report(removed)


def _prepared(builder: builders.Persons | builders.Pictures, data_options: DataOptions) -> Prepared:
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
        notes=tuple(json.loads(metadata["notes"])),
        builder=builder,
    )
