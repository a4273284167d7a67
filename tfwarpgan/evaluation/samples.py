"""The pictures of some pairs of a data set, for the report."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

import tensorflow as tf

from tfwarpgan.evaluation.evaluator import tensors
from tfwarpgan.storage.pixels import to_pixels
from tfwarpgan.typing import Batch, Picture, Tensor, Tensors
from tfwarpgan.viewing.drawing import sample_columns

Pipeline: TypeAlias = Callable[[Batch], Tensors]


def chosen_pictures(
    pipeline: Pipeline,
    dataset: Iterable[Batch],
    chosen: Iterable[int],
    batch_size: int,
    scale: int = 2,
    beside: Mapping[str, Pipeline] | None = None,
) -> dict[int, dict[str, Picture]]:
    """The picture columns of some pairs, which are read again and synthesized again.

    Keeping the pictures of all pairs until the ranking is known would need memory that grows with the data set.

    Args:
        pipeline: As for `evaluator.evaluate`.
        dataset: As for `evaluator.evaluate`: in the same order.
        chosen: Positions of pairs in the data set.
        batch_size: Pairs to synthesize at once.
        scale: Of the skeletons.
        beside: Title of a column -> another pipeline, whose pictures it shows; or None.

    Returns:
        Dictionary, position -> {title: uint8 picture}.
    """
    pictures = {}
    for positions, batch in _gathered(dataset, sorted(set(map(int, chosen))), batch_size):
        columns = sample_columns(batch, pipeline(tensors(batch)), scale)
        target = columns.pop("target")
        for title, other in (beside or {}).items():
            columns[title] = list(to_pixels(other(tensors(batch))["image"]))
        columns["target"] = target  # the last, beside what is to be compared with it
        for row, position in enumerate(positions):
            pictures[position] = {title: column[row] for title, column in columns.items()}
    return pictures


def _gathered(
    dataset: Iterable[Batch], chosen: Sequence[int], batch_size: int
) -> Iterator[tuple[list[int], dict[str, Tensor]]]:
    """The chosen pairs in batches: (positions, batch)."""
    start, positions, parts = 0, [], []
    for batch in dataset if chosen else ():
        batch = tensors(batch)
        size = int(batch["target_image"].shape[0])
        rows = [position - start for position in chosen if start <= position < start + size]
        if rows:
            positions += [start + row for row in rows]
            parts.append({key: tf.gather(value, rows) for key, value in batch.items()})
        start += size
        last = start > chosen[-1]
        if parts and (last or len(positions) >= batch_size):
            yield positions, tf.nest.map_structure(lambda *values: tf.concat(values, axis=0), *parts)
            positions, parts = [], []
        if last:
            return
