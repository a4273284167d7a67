"""Prepared data: one record a person, written and read by tensorflow-datasets.

A record holds each picture of the person once, encoded, at the size that the networks take, with its joints and its
label map, and that person's pairs as positions in these lists. Every file is decoded and checked while preparing, so
that training cannot meet a bad one. A prepared data set lies in a folder named after what it was made of; when the
lists or the folders of pictures change, it is made anew.
"""

import contextlib
import dataclasses
import hashlib
import io
import os

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds
import tqdm
from absl import logging

from tfwarpgan.data import deepfashion, folder, images, keypoints, market1501, parsing, people
from tfwarpgan.data.pairs import SPLITS, check_disjoint, read_persons
from tfwarpgan.data.storage import disk_errors
from tfwarpgan.errors import InputError

_LAYOUTS = {
    "people": market1501.Layout,
    "market1501": market1501.Layout,
    "deepfashion": deepfashion.Layout,
    "folder": folder.Layout,
}
_MARGIN = 0.05  # share of a side by which a joint may lie outside of its picture


@dataclasses.dataclass(frozen=True)
class Prepared:
    """A prepared data set.

    Attributes:
        folder: Where it lies.
        height: Of the pictures, pixels.
        width: Of the pictures, pixels.
        num_persons: Of each split, dict of "train" and "test".
        num_images: Of each split.
        num_pairs: Of each split.
        builder: tensorflow-datasets' builder that reads it.
    """

    folder: str
    height: int
    width: int
    num_persons: dict
    num_images: dict
    num_pairs: dict
    builder: tfds.core.GeneratorBasedBuilder = dataclasses.field(repr=False, compare=False)

    def records(self, split):
        """The records of a split, pictures still encoded, always in the same order.

        Args:
            split: "train" or "test".

        Returns:
            tf.data.Dataset of dicts: id string [], images, parsings and names string [n], keypoints float32 [n, 18, 2],
            visible bool [n, 18], pairs int32 [m, 2].
        """
        encoded = {"images": tfds.decode.SkipDecoding(), "parsings": tfds.decode.SkipDecoding()}
        reading = tfds.ReadConfig(try_autocache=False, interleave_cycle_length=1)
        with _quiet():
            return self.builder.as_dataset(split=split, decoders=encoded, read_config=reading, shuffle_files=False)


def check_layout(data):
    """Looks whether the lists and folders of a data set are where its layout has them; quick, and reads no picture.

    Args:
        data: `options.DataOptions`.

    Raises:
        InputError: If something is missing; it says what to get and where to put it.
    """
    _source(data)


def prepare(data):
    """Prepares a data set, unless that was done before.

    Args:
        data: `options.DataOptions`.

    Returns:
        The `Prepared` data set.

    Raises:
        InputError: If a file of the data set is missing or wrong, or the disk is full; then nothing is left behind.
    """
    layout, builder = _source(data)
    if not _is_prepared(builder):
        builder.persons = {split: read_persons(layout, split) for split in SPLITS}
        check_disjoint(builder.persons)
        with disk_errors(builder.data_dir, "--prepared_dir"):
            _write(builder)
    return _prepared(builder, data)


def open_prepared(data):
    """Opens a data set that `prepare` has made.

    Args:
        data: `options.DataOptions`.

    Returns:
        The `Prepared` data set.

    Raises:
        InputError: If it is not prepared.
    """
    _, builder = _source(data)
    if not _is_prepared(builder):
        raise InputError(
            f"--dataset={data.dataset} is not prepared at {data.height} x {data.width} in {data.prepared_dir}; run "
            "python -m tfwarpgan.prepare with the same flags first."
        )
    return _prepared(builder, data)


class Persons(tfds.core.GeneratorBasedBuilder):
    """Writes and reads the records; `persons`, a dict of split -> list of `Person`, is set before writing."""

    VERSION = tfds.core.Version("1.0.0")
    persons = {}

    def _info(self):
        height, width = (int(side) for side in self.builder_config.name.split("x"))
        features = {
            "id": tfds.features.Text(),
            "names": tfds.features.Sequence(tfds.features.Text()),
            "images": tfds.features.Sequence(tfds.features.Image(shape=(height, width, 3), encoding_format="jpeg")),
            "parsings": tfds.features.Sequence(tfds.features.Image(shape=(height, width, 1), encoding_format="png")),
            "keypoints": tfds.features.Tensor(shape=(None, keypoints.NUM_KEYPOINTS, 2), dtype=tf.float32),
            "visible": tfds.features.Tensor(shape=(None, keypoints.NUM_KEYPOINTS), dtype=tf.bool),
            "pairs": tfds.features.Tensor(shape=(None, 2), dtype=tf.int32),
        }
        return _Info(
            builder=self,
            description="Pictures of persons with joints, clothing labels and pairs.",
            features=tfds.features.FeaturesDict(features),
            metadata=tfds.core.MetadataDict(),
        )

    def _split_generators(self, dl_manager):
        del dl_manager
        for split, persons in self.persons.items():
            self.info.metadata[f"{split}_images"] = sum(len(person.names) for person in persons)
            self.info.metadata[f"{split}_pairs"] = sum(len(person.pairs) for person in persons)
        return {split: self._generate_examples(split) for split in self.persons}

    def _generate_examples(self, split):
        height, width = (int(side) for side in self.builder_config.name.split("x"))
        for person in tqdm.tqdm(self.persons[split], f"preparing {split}", unit=" persons", mininterval=1.0):
            yield person.name, person_record(person, height, width)


class _Info(tfds.core.DatasetInfo):
    """Without the question to a cloud bucket whether it knows this data set, which takes minutes without a network."""

    def initialize_from_bucket(self):
        pass


def person_record(person, height, width):
    """Checks and encodes all files of a person.

    Args:
        person: `pairs.Person`.
        height: Height of the pictures wanted, pixels.
        width: Width of the pictures wanted, pixels.

    Returns:
        dict of the features of a record.

    Raises:
        InputError: If a picture or label map cannot be used, or joints lie outside of their picture.
    """
    record = {"id": person.name, "names": person.names, "images": [], "parsings": [], "keypoints": []}
    for place, path in enumerate(person.images):
        jpeg, size = images.jpeg_of_size(path, height, width)
        labels = parsing.resize(parsing.read_label_map(person.parsings[place], size), height, width)
        joints, visible = person.keypoints[place], person.visible[place]
        _check_frame(person.rows[place], path, joints[visible], size)
        record["images"].append(io.BytesIO(jpeg))
        record["parsings"].append(io.BytesIO(images.encode_png(labels)))
        record["keypoints"].append(keypoints.scale(joints, visible, size, (height, width)))
    record["keypoints"] = np.stack(record["keypoints"])
    record["visible"] = np.stack(person.visible)
    record["pairs"] = np.array(person.pairs, np.int32)
    return record


def _check_frame(row, path, joints, size):
    margin = np.array(size) * _MARGIN
    outside = (joints < -margin) | (joints > size + margin)
    if outside.any():
        y, x = joints[outside.any(axis=1)][0]
        raise InputError(
            f"{row}: the joint at y={y:g}, x={x:g} lies outside of {path}, {size[1]} x {size[0]} pixels; "
            "annotations must be in the frame of their picture."
        )


def _source(data):
    """The files of the data set, and the builder of its records."""
    if data.dataset == "people" and data.data_dir:
        raise InputError("--dataset=people is shipped and needs no --data_dir; for a folder say --dataset=market1501.")
    if data.dataset != "people" and not data.data_dir:
        raise InputError(f"--dataset={data.dataset} needs --data_dir, the folder of the data set.")
    if data.dataset == "lip":
        raise InputError("--dataset=lip has no pairs of one person; the human parser reads it from --lip_dir.")
    data_dir = os.path.expanduser(data.data_dir) if data.data_dir else people.unpack()
    layout = _LAYOUTS[data.dataset](data_dir, os.path.expanduser(data.parsing_dir), data)
    place = os.path.join(os.path.expanduser(data.prepared_dir), f"{data.dataset}-{_fingerprint(layout)}")
    config = tfds.core.BuilderConfig(name=f"{data.height}x{data.width}")
    with disk_errors(place, "--prepared_dir"), _quiet():
        return layout, Persons(data_dir=place, config=config)


def _fingerprint(layout):
    """Hash of where the data set lies, of its lists, and of when files last came to or left its folders."""
    state = [os.path.realpath(layout.data_dir), os.path.realpath(layout.parsing_dir), layout.settings()]
    for root in layout.folders():
        state += [(folder, os.stat(folder).st_mtime_ns) for folder, _, _ in sorted(os.walk(os.path.realpath(root)))]
    for path in layout.lists():
        with open(path, "rb") as file:
            state.append(hashlib.sha256(file.read()).hexdigest())
    return hashlib.sha256(repr(state).encode()).hexdigest()[:12]


def _is_prepared(builder):
    return os.path.exists(os.path.join(builder.data_dir, "dataset_info.json"))


def _write(builder):
    config = tfds.download.DownloadConfig(try_download_gcs=False, compute_stats=tfds.download.ComputeStatsMode.SKIP)
    folder = os.path.dirname(os.path.dirname(os.path.dirname(builder.data_dir)))
    try:
        with _quiet(), contextlib.redirect_stdout(io.StringIO()):
            builder.download_and_prepare(download_config=config)
    except OSError:
        if not _is_prepared(builder):  # else another process was faster
            raise
        builder.info.read_from_directory(builder.data_dir)
    finally:
        _remove_empty_folders(folder)


def _remove_empty_folders(folder):
    """What tensorflow-datasets leaves: a folder of downloads, and after an error the folders around the records."""
    for place, _, _ in os.walk(folder, topdown=False):
        with contextlib.suppress(OSError):
            os.rmdir(place)


@contextlib.contextmanager
def _quiet():
    """Without tensorflow-datasets' own messages and bars, which speak of downloads and of its deprecated calls."""
    verbosity, logger = logging.get_verbosity(), tf.get_logger()
    level = logger.level
    logging.set_verbosity(logging.ERROR)
    logger.setLevel("ERROR")
    tfds.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        logger.setLevel(level)


def _prepared(builder, data):
    metadata = builder.info.metadata
    return Prepared(
        folder=str(builder.data_dir),
        height=data.height,
        width=data.width,
        num_persons={split: builder.info.splits[split].num_examples for split in SPLITS},
        num_images={split: int(metadata[f"{split}_images"]) for split in SPLITS},
        num_pairs={split: int(metadata[f"{split}_pairs"]) for split in SPLITS},
        builder=builder,
    )
