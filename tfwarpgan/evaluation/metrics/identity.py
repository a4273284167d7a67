"""Whether it is still the same person: cosine of an embedding of the picture and that of the condition picture.

The embedding is of a network of your choice (re-identification, faces), from a file that names it: an npz with a vector
under the name of each picture, generated, condition and target, without suffix. The cosine of the target and
the condition stands beside it: no synthesis need be nearer.
"""

import os
import zipfile

import numpy as np
import numpy.typing as npt

from tfwarpgan.errors import InputError
from tfwarpgan.evaluation.metrics.metric import Metric, Pairs, Score
from tfwarpgan.evaluation.metrics.named import picture_name
from tfwarpgan.evaluation.weights.conversion import file_sha256
from tfwarpgan.options import MetricOptions


class Identity:
    """The accumulator."""

    def __init__(self, sources: MetricOptions) -> None:
        if not sources.identity_features:
            raise InputError("--metrics: identity/cosine needs --identity_features, an npz file of name and vector.")
        self._path = os.path.expanduser(sources.identity_features)
        self._vectors = read_vectors(self._path)
        self._cosines: list[float] = []
        self._of_targets: list[float] = []

    def update(self, pairs: Pairs) -> None:
        """Takes a batch in; InputError where a picture has no vector."""
        for picture, (condition, target) in zip(pairs.pictures, pairs.names):
            self._cosines.append(self._cosine(picture, condition))
            self._of_targets.append(self._cosine(target, condition))

    def result(self) -> Score:
        """The mean cosine to the condition picture, beside that of the targets."""
        weights = f"{os.path.basename(self._path)} sha256:{file_sha256(self._path)[:12]}"
        beside = {"targets": float(np.mean(self._of_targets))}
        values = np.array(self._cosines)
        return Score(float(values.mean()), len(values), values, None, beside, weights=weights)

    def _cosine(self, first: str, second: str) -> float:
        for name in (first, second):
            if name not in self._vectors:
                raise InputError(
                    f"{self._path} has no vector of {name or 'the condition picture, whose name is needed'}."
                )
        return float(self._vectors[first] @ self._vectors[second])


def read_vectors(path: str) -> dict[str, npt.NDArray[np.float64]]:
    """Vectors of length 1 by the names of their pictures.

    Raises:
        InputError: If the file is no npz file of vectors of one size.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            found = {picture_name(name): np.asarray(archive[name], np.float64).ravel() for name in archive.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        raise InputError(f"--identity_features={path} is not a readable npz file of vectors.") from None
    if len({vector.shape for vector in found.values()}) != 1 or not all(np.any(vector) for vector in found.values()):
        raise InputError(f"--identity_features={path} must hold vectors of one size, none of them all zero.")
    return {name: vector / np.linalg.norm(vector) for name, vector in found.items()}


METRICS = (
    Metric(
        "identity/cosine",
        "cosine of the embeddings of the picture and of the condition picture",
        Identity,
        needs=("pictures",),
    ),
)
