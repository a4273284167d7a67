"""Scores pictures that lie in files, whoever made them, by the same accumulators as our own."""

import os
from collections.abc import Mapping, Sequence

import numpy as np
from tqdm import tqdm

from tfwarpgan.evaluation.metrics.metric import NO_SOURCES, Metric, Pairs
from tfwarpgan.evaluation.picture_joints import PictureJoints, joints_of
from tfwarpgan.evaluation.pictures import PictureFile, batches
from tfwarpgan.evaluation.results import MODEL, Evaluation, Measurement, PictureHash
from tfwarpgan.evaluation.scoreboard import Scoreboard
from tfwarpgan.options import MetricOptions
from tfwarpgan.typing import Array, Picture, Size


def evaluate_pictures(
    files: Sequence[PictureFile],
    metrics: Sequence[Metric],
    sources: MetricOptions = NO_SOURCES,
    poses: Mapping[str, PictureJoints] | None = None,
    order: str = "by name",
    batch_size: int = 20,
    progress: bool = True,
) -> Evaluation:
    """Scores the pictures of files against their targets.

    Args:
        files: See `pictures.find_pictures`.
        metrics: What to measure.
        sources: Files that some metrics need.
        poses: Role, as in `Pairs.poses` -> the joints that some metrics need.
        order: Of the files, in words.
        batch_size: Pictures to score at once.
        progress: Whether to draw a progress bar.

    Returns:
        An `Evaluation` without baselines.

    Raises:
        InputError: If a picture cannot be read, or another size than the others.
    """
    board, seen = Scoreboard(metrics, sources, ("pictures", *(poses or ()))), PictureHash()
    size = (0, 0)
    with tqdm(total=len(files), unit="picture", desc="evaluate", disable=not progress) as bar:
        for part, target, generated in batches(files, batch_size):
            size = target.shape[1:3]
            found = {role: _stacked(role, joints, part, size) for role, joints in (poses or {}).items()}
            names = [(file.condition, file.target) for file in part]
            pictures = [file.picture for file in part]
            board.update(MODEL, Pairs(names, target, generated, poses=found, pictures=pictures))
            seen.update(target)
            bar.update(len(part))
    suffixes = {os.path.splitext(file.path)[1].lower() for file in files}
    quantization = f"of the files ({', '.join(sorted(suffixes))})"
    measurement = Measurement(*size, quantization, order, str(seen))
    results = tuple(board.results(measurement))
    pairs = tuple((file.condition, file.target) for file in files)
    return Evaluation(results, pairs, board.pairs(), np.full(len(files), np.nan, np.float32), measurement)


def _stacked(role: str, joints: PictureJoints, files: Sequence[PictureFile], size: Size) -> tuple[Array, Array]:
    places, visible = zip(*(joints_of(role, joints, file, size) for file in files))
    return np.stack(places), np.stack(visible)


def shown_pictures(files: Sequence[PictureFile], positions: Sequence[int]) -> dict[int, dict[str, Picture]]:
    """The pictures of some files for the report: position -> {title: uint8 picture}."""
    shown = {}
    for position in sorted(set(map(int, positions))):
        target, generated = files[position].read()
        shown[position] = {"generated": generated, "target": target}
    return shown
