"""Inception's features of two sets of pictures: the generated ones, and the reference that they are compared with.

The reference is the targets of the pairs, or what --reference names: a folder of pictures, whose features are kept
beside the weights for the next time, or a file of statistics (mu and sigma, as TTUR and GFLA write them).
"""

import hashlib
import io
import os
import zipfile
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from tfwarpgan.data.pictures.files import files_below
from tfwarpgan.data.pictures.images import read_rgb
from tfwarpgan.errors import InputError
from tfwarpgan.evaluation.metrics.metric import Levels, Pairs
from tfwarpgan.evaluation.networks.extractor import Extractor, extractor
from tfwarpgan.options import MetricOptions
from tfwarpgan.storage.writing import write_atomically

Matrix = npt.NDArray[np.floating]
BATCH = 32


class FeatureSets:
    """Features of the generated pictures, batch by batch, and of the reference.

    Args:
        feeding: A key of `extractor.FEEDINGS`.
        sources: Folder of weights, and the reference; empty: the targets.

    Attributes:
        told: The reference and its hash, in words; empty: the targets.
    """

    def __init__(self, feeding: str, sources: MetricOptions) -> None:
        self._extract = extractor(feeding, sources.metric_weights)
        self._generated: list[Matrix] = []
        self._targets: list[Matrix] = []
        self._moments: tuple[Matrix, Matrix] | None = None
        self._reference: Matrix | None = None
        self.told, self.weights = "", self._extract.weights
        path = os.path.expanduser(sources.reference)
        if path.endswith(".npz"):
            self._moments, self.told = _statistics(path)
        elif path:
            self._reference, self.told = folder_features(path, feeding, self._extract, sources.metric_weights)

    def update(self, pairs: Pairs) -> None:
        """Takes a batch in."""
        self._generated.append(self._extract.features(pairs.generated))
        if not self.told:
            self._targets.append(self._extract.features(pairs.target))

    def generated(self) -> Matrix:
        """[N, D]."""
        return np.concatenate(self._generated)

    def reference(self) -> Matrix:
        """[M, D]; InputError where only their moments are known."""
        if self._moments is not None:
            raise InputError("--metrics: kid needs the pictures of --reference, not statistics of them.")
        return np.concatenate(self._targets) if self._reference is None else self._reference

    def reference_moments(self) -> tuple[Matrix, Matrix] | None:
        """Mean and covariance, where the reference is a file of them."""
        return self._moments


def folder_features(folder: str, feeding: str, extract: Extractor, cache: str) -> tuple[Matrix, str]:
    """(features of the pictures of a folder [M, D], their number and hash in words).

    Raises:
        InputError: If there is no such folder, or no picture in it.
    """
    if not os.path.isdir(folder):
        raise InputError(f"--reference={folder} is not a folder; give one of pictures, or an npz file of statistics.")
    paths = list(files_below(folder).values())
    if not paths:
        raise InputError(f"--reference={folder} contains no image.")
    found = hashlib.sha256()
    for path in paths:
        found.update(read_rgb(path).tobytes())
    digest = found.hexdigest()[:12]
    told = f"{len(paths)} pictures of {os.path.basename(os.path.normpath(folder))} sha256:{digest}"
    kept = os.path.join(os.path.expanduser(cache), f"{feeding}-{extract.weights.sha256[:12]}-{digest}.npy")
    if os.path.exists(kept):
        return np.load(kept, allow_pickle=False), told
    features = np.concatenate([extract.features(batch) for batch in _batches(paths)])
    content = io.BytesIO()
    np.save(content, features)
    write_atomically(kept, content.getvalue())
    return features, told


def _batches(paths: Sequence[str]) -> Iterator[Levels]:
    """The pictures in batches of one size each."""
    batch: list[Levels] = []
    for path in paths:
        picture = read_rgb(path)
        if batch and (len(batch) == BATCH or batch[0].shape != picture.shape):
            yield np.stack(batch)
            batch = []
        batch.append(picture)
    yield np.stack(batch)


def _statistics(path: str) -> tuple[tuple[Matrix, Matrix], str]:
    try:
        with open(path, "rb") as file:
            content = file.read()
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            moments = archive["mu"], archive["sigma"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        raise InputError(f"--reference={path} is no npz file of the arrays mu and sigma.") from None
    return moments, f"statistics {os.path.basename(path)} sha256:{hashlib.sha256(content).hexdigest()[:12]}"
