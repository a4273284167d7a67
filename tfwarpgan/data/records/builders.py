"""The builders of tensorflow-datasets that write and read prepared data.

They take their records ready made, in order, from as many processes as work; tensorflow-datasets shuffles them by the
hash of their names, cuts shards, and renames the folder when all is written: the same input gives the same bytes.
"""

import contextlib
import functools
import glob
import io
import os
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf
import tensorflow_datasets as tfds
import tqdm
from absl import logging
from tensorflow_datasets.core import shuffle

from tfwarpgan.body.joints import NUM_JOINTS
from tfwarpgan.data.layouts.lip import Row
from tfwarpgan.data.pairs.persons import Person
from tfwarpgan.data.pictures.framing import Framing
from tfwarpgan.data.records import encoding
from tfwarpgan.data.workers import ordered_map
from tfwarpgan.storage.object_store import exists, is_remote, upload
from tfwarpgan.storage.spool import Spool, read_spool
from tfwarpgan.storage.writing import write_atomically

DESCRIPTION = "dataset_info.json"
SHUFFLE_BYTES = 256 << 20  # of records that are held before they go through files; tensorflow-datasets holds 1 GB


class _Builder(tfds.core.GeneratorBasedBuilder):
    """What both builders share.

    Attributes:
        items: dict of split -> list or `Spool` of what a record is made of; set before writing, as are the following.
        metadata: dict of numbers and texts to be kept with the records.
        files: dict of name -> text of files to lie beside the records.
        workers: Number of processes; 0: one per core.
        uses_beam: Whether Apache Beam makes the records.
    """

    VERSION = tfds.core.Version("1.0.0")

    def __init__(self, **arguments: Any) -> None:
        self.items: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.files: dict[str, str] = {}
        self.workers, self.uses_beam = 0, False
        super().__init__(**arguments)

    def _info(self) -> tfds.core.DatasetInfo:
        return _Info(
            builder=self,
            description=self.__doc__,
            features=tfds.features.FeaturesDict(self.features()),
            metadata=tfds.core.MetadataDict(),
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        del dl_manager
        self.info.metadata.update(self.metadata)
        for name, text in self.files.items():
            write_atomically(os.path.join(self.data_dir, name), text)
        if self.uses_beam:
            return {split: self._beam_examples(split) for split in self.items}
        progress = tqdm.tqdm(
            total=sum(self.metadata.get(f"{split}_images", len(items)) for split, items in self.items.items()),
            desc="preparing", unit=" images", mininterval=0.5, smoothing=0.1,
        )  # fmt: skip
        return {split: self._generate_examples(split, progress) for split in self.items}

    def _generate_examples(self, split: str, progress: tqdm.tqdm) -> Iterator[tuple[str, dict[str, Any]]]:
        make = functools.partial(_keyed, self.key, self.size, self.record_of())
        for key, size, record in ordered_map(make, self.items[split], self.workers):
            yield key, record
            progress.update(size)
        if split == list(self.items)[-1]:
            progress.close()

    def _beam_examples(self, split: str) -> Any:
        beam = tfds.core.lazy_imports.apache_beam
        items, make = self.items[split], functools.partial(_keyed, self.key, self.size, self.record_of())
        if isinstance(items, Spool):  # the workers read it, from a file system that all of them see
            source = beam.Create([items.written()]) | beam.FlatMap(read_spool, items.unpack) | beam.Reshuffle()
        else:
            source = beam.Create(list(items), reshuffle=True)
        return source | beam.Map(make) | beam.MapTuple(lambda key, _, record: (key, record))


def _keyed(
    key: Callable[[Any], str], size: Callable[[Any], int], record_of: Callable[[Any], dict[str, Any]], item: Any
) -> tuple[str, int, dict[str, Any]]:
    return key(item), size(item), record_of(item)


class Persons(_Builder):
    """Images of persons with joints, clothing labels and pairs; an item is a `persons.Person`.

    Attributes:
        framing: `Framing` of the images; set before writing.
    """

    framing: Framing

    def features(self) -> dict[str, Any]:
        height, width = self._size()
        return {
            "id": tfds.features.Text(),
            "names": tfds.features.Sequence(tfds.features.Text()),
            "images": tfds.features.Sequence(tfds.features.Image(shape=(height, width, 3), encoding_format="jpeg")),
            "parsings": tfds.features.Sequence(tfds.features.Image(shape=(height, width, 1), encoding_format="png")),
            "keypoints": tfds.features.Tensor(shape=(None, NUM_JOINTS, 2), dtype=tf.float32),
            "visible": tfds.features.Tensor(shape=(None, NUM_JOINTS), dtype=tf.bool),
            "pairs": tfds.features.Tensor(shape=(None, 2), dtype=tf.int32),
        }

    def _size(self) -> tuple[int, ...]:
        return tuple(int(side) for side in self.builder_config.name.split("x"))

    def record_of(self) -> Callable[[Person], dict[str, Any]]:
        return functools.partial(encoding.person_record, framing=self.framing)

    @staticmethod
    def key(person: Person) -> str:
        return person.name

    @staticmethod
    def size(person: Person) -> int:
        return len(person.names)


class UnlabeledPersons(Persons):
    """Images of persons as those of `Persons`, without clothing labels."""

    def features(self) -> dict[str, Any]:
        return {name: feature for name, feature in super().features().items() if name != "parsings"}


class Pictures(_Builder):
    """Images of the LIP data set with their label maps; an item is (name, image path, label map path)."""

    def features(self) -> dict[str, Any]:
        return {
            "name": tfds.features.Text(),
            "image": tfds.features.Image(shape=(None, None, 3), encoding_format="jpeg"),
            "parsing": tfds.features.Image(shape=(None, None, 1), encoding_format="png"),
        }

    def record_of(self) -> Callable[[Row], dict[str, Any]]:
        return encoding.image_record

    @staticmethod
    def key(row: Row) -> str:
        return row[0]

    @staticmethod
    def size(row: Row) -> int:
        del row
        return 1


class _Info(tfds.core.DatasetInfo):
    """Without the question to a cloud bucket whether it knows this data set, which takes minutes without a network."""

    def initialize_from_bucket(self) -> None:
        pass


def is_written(builder: _Builder) -> bool:
    """Whether the records are there: their description is renamed into place with them, whole."""
    return exists(os.path.join(builder.data_dir, DESCRIPTION))


def write(builder: _Builder, beam_runner: str | None = None, beam_options: Any = None) -> None:
    """Writes the records; under their name they are whole, or not there.

    Args:
        builder: `Persons` or `Pictures`, with its items.
        beam_runner: Name of a runner of Apache Beam, or None for the processes of this machine.
        beam_options: Options of the runner, or None.
    """
    builder.uses_beam = beam_runner is not None
    config = tfds.download.DownloadConfig(
        try_download_gcs=False, compute_stats=tfds.download.ComputeStatsMode.SKIP,
        beam_runner=beam_runner, beam_options=beam_options,
    )  # fmt: skip
    if is_remote(builder.data_dir) and not builder.uses_beam:
        _write_and_upload(builder, config)
    else:
        _write(builder, config)


def _write(builder: _Builder, config: tfds.download.DownloadConfig) -> None:
    held, shuffle.MAX_MEM_BUFFER_SIZE = shuffle.MAX_MEM_BUFFER_SIZE, SHUFFLE_BYTES
    try:
        with quiet(), contextlib.redirect_stdout(io.StringIO()):
            builder.download_and_prepare(download_config=config)
    finally:
        shuffle.MAX_MEM_BUFFER_SIZE = held


def _write_and_upload(builder: _Builder, config: tfds.download.DownloadConfig) -> None:
    """An object store cannot rename a folder: all is written here, and its description is copied there last."""
    with tempfile.TemporaryDirectory() as folder, quiet():
        local = type(builder)(data_dir=folder, config=builder.builder_config)
        for name in ("items", "metadata", "files", "workers", "framing"):
            if hasattr(builder, name):
                setattr(local, name, getattr(builder, name))
        _write(local, config)
        upload(str(local.data_dir), str(builder.data_dir), last=DESCRIPTION)
        builder.info.read_from_directory(builder.data_dir)


def remove_leftovers(builder: _Builder) -> None:
    """Removes what an interrupted writing left beside the place of the records; only for who alone writes there."""
    for folder in glob.glob(os.path.join(os.path.dirname(builder.data_dir), "*incomplete*")):
        tf.io.gfile.rmtree(folder)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
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
