"""Scores pictures that lie in files, whoever made them, by the same accumulators as our own."""

import os
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from tqdm import tqdm

import tfwarpgan
from tfwarpgan.evaluation.metrics.metric import NO_SOURCES, Metric, Pairs, Sources
from tfwarpgan.evaluation.pictures import PictureFile, batches
from tfwarpgan.evaluation.results import MODEL, Evaluation, Measurement, PictureHash
from tfwarpgan.evaluation.scoreboard import Scoreboard
from tfwarpgan.typing import Array, Picture

Poses = Mapping[str, Callable[[PictureFile], tuple[Array, Array]]]  # role -> a picture's (joints, visible)


def evaluate_pictures(
    files: Sequence[PictureFile],
    metrics: Sequence[Metric],
    sources: Sources = NO_SOURCES,
    poses: Poses | None = None,
    order: str = "by name",
    batch_size: int = 20,
    progress: bool = True,
) -> Evaluation:
    """Scores the pictures of files against their targets.

    Args:
        files: See `pictures.find_pictures`.
        metrics: What to measure.
        sources: Files that some metrics need.
        poses: What tells the joints that some metrics need.
        order: Of the files, in words.
        batch_size: Pictures to score at once.
        progress: Whether to draw a progress bar.

    Returns:
        An `Evaluation` without baselines.

    Raises:
        InputError: If a picture cannot be read, or another size than the others.
    """
    board, seen = Scoreboard(metrics, sources, tuple(poses or ())), PictureHash()
    size = (0, 0)
    with tqdm(total=len(files), unit="picture", desc="evaluate", disable=not progress) as bar:
        for part, target, generated in batches(files, batch_size):
            found = {role: _stacked(part, pose_of) for role, pose_of in (poses or {}).items()}
            names = [(file.condition, file.target) for file in part]
            board.update(MODEL, Pairs(names, target, generated, poses=found))
            seen.update(target)
            size = target.shape[1:3]
            bar.update(len(part))
    suffixes = {os.path.splitext(file.path)[1].lower() for file in files}
    quantization = f"of the files ({', '.join(sorted(suffixes))})"
    measurement = Measurement(*size, quantization, order, str(seen), tfwarpgan.__version__)
    results = tuple(board.results(measurement))
    names = tuple((file.condition, file.target) for file in files)
    return Evaluation(results, names, board.pairs(), np.full(len(files), np.nan, np.float32), measurement)


def _stacked(
    files: Sequence[PictureFile], pose_of: Callable[[PictureFile], tuple[Array, Array]]
) -> tuple[Array, Array]:
    joints, visible = zip(*(pose_of(file) for file in files))
    return np.stack(joints), np.stack(visible)


def shown_pictures(files: Sequence[PictureFile], positions: Sequence[int]) -> dict[int, dict[str, Picture]]:
    """The pictures of some files for the report: position -> {title: uint8 picture}."""
    shown = {}
    for position in sorted(set(map(int, positions))):
        target, generated = files[position].read()
        shown[position] = {"generated": generated, "target": target}
    return shown
