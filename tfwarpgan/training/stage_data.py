"""The data sets of a run: batches of each split, a worker's share of them, those of previews and validation."""

import dataclasses
import os
from typing import Any

import numpy as np
import tensorflow as tf

from tfwarpgan.data.batches.human_parser import lip_dataset, prepared_parser_dataset
from tfwarpgan.data.batches.pairs import pairs_dataset
from tfwarpgan.data.batches.shares import WHOLE, Share
from tfwarpgan.data.layouts.opening import Source
from tfwarpgan.data.records.preparation import prepare
from tfwarpgan.errors import InputError
from tfwarpgan.options import Options
from tfwarpgan.training import previews
from tfwarpgan.training.workers import ALONE, Workers
from tfwarpgan.typing import Batch


class StageData:
    """The data sets of a run, prepared if needed before anything is built.

    Args:
        options: `Options`.
        source: What `source.open_source` gave.
        workers: `Workers`, of whose training batches this one reads its share.
    """

    def __init__(self, options: Options, source: Source, workers: Workers = ALONE) -> None:
        self.options = options
        self.share = Share(workers.index, workers.count)
        self.step_size = options.data.batch_size * options.train.accumulate  # images or pairs
        self.source: Any = source  # rows of LIP, where nothing is prepared
        self.of_parser = options.train.stage == "human_parser"
        is_prepared = not (self.of_parser and options.data.lip_dir) or options.data.dataset == "lip"
        self.prepared: Any = prepare(options.data, source=source) if is_prepared else None
        if self.prepared and self.prepared.num_pairs.get("train") == 0:
            raise InputError(
                f"The data set in {options.data.data_dir} has no training pairs: it can be evaluated, not trained; "
                "give lists of training pairs, or build pairs with --pair_source=rule."
            )

    @property
    def name(self) -> str:
        """What tells these data from others, wherever they lie: of prepared data, a hash of the content."""
        if self.prepared is None:
            return str({split: len(rows) for split, rows in self.source.items()})
        return os.path.relpath(self.prepared.folder, os.path.expanduser(self.options.data.prepared_dir))

    def dataset(self, split: str, start: int = 0) -> tf.data.Dataset:
        """Batches of "train", from position `start` on, of which this is the worker's share; or of "test"."""
        share, data_options = WHOLE, self.options.data
        if split == "train":
            share, data_options = self.share, dataclasses.replace(data_options, batch_size=self.step_size)
        if self.prepared is None:
            return lip_dataset(self.source, data_options, split, start=start, share=share)
        if self.of_parser:
            return prepared_parser_dataset(self.prepared, data_options, split, start=start, share=share)
        return pairs_dataset(self.prepared, data_options, split, start=start, share=share)

    def first_batch(self) -> Batch:
        """The first four batches of pairs in one, the same for all workers: what a network may start from."""
        data_options = dataclasses.replace(self.options.data, batch_size=4 * self.options.data.batch_size)
        return next(iter(pairs_dataset(self.prepared, data_options, "train")))

    def validation(self) -> tf.data.Dataset:
        """Batches of this worker's share of the validation pairs, which lie evenly over the test split; or images."""
        count, data_options = self.options.train.validation_pairs, self.options.data
        if self.of_parser:
            batches = self.dataset("test").take(-(-count // data_options.batch_size))
            return batches.shard(self.share.workers, self.share.worker)
        there = self.prepared.num_pairs["test"]
        positions = (
            np.linspace(0, there - 1, min(count, there)).round().astype(int)[self.share.worker :: self.share.workers]
        )
        return pairs_dataset(self.prepared, data_options, "test", only=positions.tolist())

    def preview_batch(self) -> Batch:
        """The test images, or test pairs, that the previews draw."""
        if self.of_parser:
            return {key: value[: previews.ROWS] for key, value in next(iter(self.dataset("test"))).items()}
        data_options = dataclasses.replace(self.options.data, batch_size=previews.ROWS)
        return next(iter(pairs_dataset(self.prepared, data_options, "test", only=previews.spread(self.prepared))))
