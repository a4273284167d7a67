"""What the answers say: who is preferred, how surely, and how far the raters can be trusted.

Answers of one rater are not independent, nor are those about one pair. The interval to report is therefore that of the
bootstrap over raters and pairs; Wilson's interval and the exact test take every answer for independent, as the papers
of the field do.
"""

import dataclasses
import math
import statistics as numbers
from collections.abc import Sequence
from typing import Any

import numpy as np

from tfwarpgan.evaluation import statistics
from tfwarpgan.human_study.answers import Rater
from tfwarpgan.human_study.design import CHECK, COMPARISON, LEFT, REAL, REPEAT, Trial
from tfwarpgan.human_study.document import Study
from tfwarpgan.typing import Floats

REPLICATES = 10_000  # of the bootstrap
STRENGTH_REPLICATES = 1_000


@dataclasses.dataclass(frozen=True)
class Share:
    """How often one of two came about.

    Attributes:
        count: How often.
        total: Of how many.
    """

    count: int
    total: int

    @property
    def share(self) -> float:
        """As a fraction; NaN of nothing."""
        return self.count / self.total if self.total else math.nan

    def facts(self) -> dict[str, Any]:
        """With Wilson's interval and the exact p-value against one half."""
        return {
            "count": self.count,
            "total": self.total,
            "share": self.share,
            "wilson": statistics.wilson_interval(self.count, self.total),
            "p": statistics.binomial_test(self.count, self.total),
        }


def analyze(study: Study, raters: Sequence[Rater], most_failed: int = 1, is_simulated: bool = False) -> dict[str, Any]:
    """The results of a study.

    Args:
        study: The `Study`.
        raters: All of its raters.
        most_failed: The most checks that a rater may fail; the answers of others are dropped.
        is_simulated: Whether simulated raters are analyzed, instead of those who are not.

    Returns:
        Dictionary for JSON: raters, comparisons, position, repeats, strengths.
    """
    asked = [rater for rater in raters if rater.is_simulated == is_simulated]
    finished = [rater for rater in asked if len(rater.answers) == len(study.slots[rater.slot])]
    counted = [rater for rater in finished if failed_checks(study, rater) <= most_failed]
    judged = [
        (trial, side) for rater in counted for trial, side, _ in judgments(study, rater) if trial.kind == COMPARISON
    ]
    times = [time / 1000 for rater in counted for trial, _, time in judgments(study, rater) if trial.kind == COMPARISON]
    return {
        "study": study.id,
        "protocol": study.protocol,
        "version": study.version,
        "simulated": is_simulated,
        "raters": {
            "wanted": len(study.slots),
            "began": len(asked),
            "unfinished": len(asked) - len(finished),
            "failed_checks": len(finished) - len(counted),
            "counted": len(counted),
        },
        "median_seconds": numbers.median(times) if times else math.nan,
        "comparisons": _comparisons(study, counted),
        "position": Share(sum(side == LEFT for _, side in judged), len(judged)).facts(),
        "repeats": repeats(study, counted).facts(),
        "strengths": _strengths(study, counted) if len(study.methods) > 2 else [],
    }


def judgments(study: Study, rater: Rater) -> list[tuple[Trial, str, int]]:
    """A rater's trials with the side chosen, and after how many milliseconds."""
    trials = study.slots[rater.slot]
    return [(trials[place], answer.side, answer.milliseconds) for place, answer in sorted(rater.answers.items())]


def failed_checks(study: Study, rater: Rater) -> int:
    """How many checks a rater has failed."""
    return sum(
        trial.chosen(side) != REAL for trial, side, _ in judgments(study, rater) if trial.kind == CHECK
    )  # fmt: skip


def repeats(study: Study, raters: Sequence[Rater]) -> Share:
    """How often the same picture was chosen when a pair came again with its sides swapped."""
    same = total = 0
    for rater in raters:
        found = judgments(study, rater)
        before = {trial.name: trial.chosen(side) for trial, side, _ in found if trial.kind == COMPARISON}
        again = [(trial.name, trial.chosen(side)) for trial, side, _ in found if trial.kind == REPEAT]
        same, total = same + sum(before.get(name) == method for name, method in again), total + len(again)
    return Share(same, total)


def preferences(study: Study, raters: Sequence[Rater]) -> dict[tuple[str, str], Floats]:
    """Comparison -> [raters, pairs]: 1 where the first method was preferred, 0 where the second, NaN where neither."""
    places = {name: place for place, name in enumerate(study.pairs)}
    found = {pair: np.full((len(raters), len(study.pairs)), np.nan) for pair in study.comparisons}
    for row, rater in enumerate(raters):
        for trial, side, _ in judgments(study, rater):
            if trial.kind == COMPARISON:
                pair = (trial.left, trial.right) if (trial.left, trial.right) in found else (trial.right, trial.left)
                found[pair][row, places[trial.name]] = trial.chosen(side) == pair[0]
    return found


def _comparisons(study: Study, raters: Sequence[Rater]) -> list[dict[str, Any]]:
    found = []
    for (first, second), values in preferences(study, raters).items():
        judged = ~np.isnan(values)
        facts = Share(int(np.nansum(values)), int(judged.sum())).facts()
        categories = np.where(judged, values, statistics.MISSING).astype(int)
        bootstrap, alpha = _bootstrap(values, study.seed), statistics.krippendorff_alpha(categories)
        found.append({"first": first, "second": second, **facts, "bootstrap": bootstrap, "alpha": alpha})
    for facts, p in zip(found, statistics.holm([facts["p"] for facts in found])):
        facts["p_holm"] = p
    return found


def _bootstrap(values: Floats, seed: int) -> tuple[float, float]:
    if np.isnan(values).all():
        return 0.0, 1.0
    counts = statistics.resampling_counts(len(values), values.shape[1], REPLICATES, seed)
    with np.errstate(invalid="ignore"):
        shares = statistics.resampled_sums(np.nan_to_num(values), counts) / statistics.resampled_sums(
            (~np.isnan(values)).astype(float), counts
        )
    return statistics.percentile_interval(shares)


def _strengths(study: Study, raters: Sequence[Rater]) -> list[dict[str, Any]]:
    """Each method's strength by Bradley and Terry; nothing where the choices give none."""
    if not raters:
        return []
    places = {method: place for place, method in enumerate(study.methods)}
    counts = statistics.resampling_counts(len(raters), len(study.pairs), STRENGTH_REPLICATES, study.seed)
    wins = np.zeros((len(places), len(places)))
    resampled = np.zeros((STRENGTH_REPLICATES, *wins.shape))
    for (first, second), values in preferences(study, raters).items():
        for winner, loser, won in ((first, second, values == 1), (second, first, values == 0)):
            wins[places[winner], places[loser]] = won.sum()
            resampled[:, places[winner], places[loser]] = statistics.resampled_sums(won.astype(float), counts)
    if not statistics.is_connected(wins):
        return []
    theta = statistics.bradley_terry(wins)
    intervals = _elo_intervals(resampled)
    return [
        {
            "method": method,
            "theta": float(theta[place]),
            "elo": float(statistics.elo(theta)[place]),
            "elo_bootstrap": interval,
        }
        for (method, place), interval in zip(places.items(), intervals)
    ]


def _elo_intervals(resampled: Floats, confidence: float = 0.95) -> list[tuple[float, float]]:
    """Of each method; replicates whose choices give no strengths count as beyond either bound."""
    points = statistics.elo(statistics.bradley_terry(resampled, tolerance=1e-6))
    low = np.percentile(np.where(np.isnan(points), -np.inf, points), 50 * (1 - confidence), axis=0, method="lower")
    high = np.percentile(np.where(np.isnan(points), np.inf, points), 50 * (1 + confidence), axis=0, method="higher")
    return [(float(first), float(second)) for first, second in zip(low, high)]
