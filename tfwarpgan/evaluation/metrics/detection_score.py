"""DS of pose-gan and PATN: how sure a detector is that the picture shows a person.

Theirs is SSD300 of 2016 in Caffe: the largest confidence of a person, 0 where it finds none, mean over the pictures
(PATN pads DeepFashion with white first). It hardly runs today, so `ds/csv` takes the scores of any detector from a file
with the columns name and score: a row for each detection of a person, none for a picture without one.
"""

import os

from tfwarpgan.errors import InputError
from tfwarpgan.evaluation.metrics.metric import Metric, PairMean, Pairs
from tfwarpgan.evaluation.metrics.named import picture_name
from tfwarpgan.evaluation.weights.conversion import file_sha256
from tfwarpgan.options import MetricOptions
from tfwarpgan.storage.tables import read_table
from tfwarpgan.storage.text import at_row


def read_scores(path: str) -> dict[str, float]:
    """The largest score of each picture, by its name without suffix.

    Raises:
        InputError: If the file cannot be read, or a score is no number from 0 to 1.
    """
    found: dict[str, float] = {}
    for row, (name, text) in read_table(path, ("name", "score"), "scores with the header name,score"):
        try:
            score = float(text)
        except ValueError:
            score = -1.0
        if not 0.0 <= score <= 1.0:
            raise InputError(f"{at_row(path, row)}: the score '{text}' must be a number from 0 to 1.")
        found[picture_name(name)] = max(found.get(picture_name(name), 0.0), score)
    return found


def _start(sources: MetricOptions) -> PairMean:
    if not sources.detection_scores:
        raise InputError("--metrics: ds/csv needs --detection_scores, a file with the columns name and score.")
    path = os.path.expanduser(sources.detection_scores)
    scores = read_scores(path)

    def measure(pairs: Pairs) -> list[float]:
        return [scores.get(name, 0.0) for name in pairs.pictures]

    return PairMean(measure, weights=f"{os.path.basename(path)} sha256:{file_sha256(path)[:12]}")


METRICS = (
    Metric(
        "ds/csv",
        "largest confidence of a person, 0 where there is none, of the detector of --detection_scores",
        _start,
        needs=("pictures",),
    ),
)
