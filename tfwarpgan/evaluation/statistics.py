"""Statistics of choices and of comparisons: intervals, exact tests, agreement, and strengths from paired comparisons.

Pure functions of NumPy arrays; nothing here needs TensorFlow.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from tfwarpgan.typing import Array, Floats

MISSING = -1  # the value of a rater who did not judge an item
ELO_SCALE = 400 / math.log(10)  # of Elo's points per unit of a log-odds


def wilson_interval(successes: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """The score interval of a share (Wilson, 1927); (0, 1) where nothing was tried."""
    if not trials:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, spread = successes / trials, z * z / trials
    center = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / trials + spread / (4 * trials)) / (1 + spread)
    return center - half, center + half


def binomial_test(successes: int, trials: int) -> float:
    """The exact two-sided p-value of a share against one half; 1 where nothing was tried."""
    tail = sum(math.comb(trials, count) for count in range(max(successes, trials - successes), trials + 1))
    return min(1.0, 2 * tail / 2**trials)


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted for their number by Holm's step-down procedure (1979), in the order given."""
    adjusted, least = [1.0] * len(p_values), 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda place: p_values[place])):
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = least
    return adjusted


def krippendorff_alpha(values: npt.NDArray[np.integer[Any]]) -> float:
    """Krippendorff's alpha of nominal values: 1 for full agreement, 0 for that of chance.

    Args:
        values: Integer [raters, items], at least 0; `MISSING` where a rater did not judge an item.

    Returns:
        Alpha; NaN where no item was judged twice, or all judgments are the same.
    """
    categories = np.unique(values[values != MISSING])
    counts = np.stack([(values == category).sum(0) for category in categories]) if len(categories) else np.zeros((1, 1))
    counts = counts[:, counts.sum(0) > 1].astype(float)
    judgments, total = counts.sum(0), counts.sum()
    expected = total**2 - (counts.sum(1) ** 2).sum()
    if not expected:
        return math.nan
    observed = ((judgments**2 - (counts**2).sum(0)) / (judgments - 1)).sum()
    return float(1 - observed * (total - 1) / expected)


def resampling_counts(raters: int, items: int, replicates: int, seed: int) -> tuple[Floats, Floats]:
    """How often each rater and each item is drawn in each replicate of a bootstrap of both (Owen, 2007).

    Answers of one rater are not independent, nor are those about one item; both are resampled, on their own.

    Returns:
        Float [replicates, raters] and [replicates, items].
    """
    random = np.random.default_rng(seed)
    of_raters, of_items = (random.multinomial(n, np.full(n, 1 / n), replicates).astype(float) for n in (raters, items))
    return of_raters, of_items


def resampled_sums(values: Floats, counts: tuple[Floats, Floats]) -> Floats:
    """The sum of [raters, items] in each replicate of `resampling_counts`: float [replicates]."""
    of_raters, of_items = counts
    return np.einsum("bi,bi->b", of_raters @ values, of_items)


def percentile_interval(samples: Floats, confidence: float = 0.95) -> tuple[float, float]:
    """The interval between two percentiles of a bootstrap's samples; those that are NaN are left out."""
    low, high = np.nanpercentile(samples, [50 * (1 - confidence), 50 * (1 + confidence)])
    return float(low), float(high)


def is_connected(wins: Array) -> npt.NDArray[np.bool_]:
    """Whether strengths exist: by wins, each of [..., k, k] leads to every other one (Ford, 1957)."""
    steps = (wins > 0) + np.eye(wins.shape[-1])
    return (np.linalg.matrix_power(steps, wins.shape[-1]) > 0).all((-2, -1))


def bradley_terry(wins: Array, tolerance: float = 1e-12, most: int = 20_000) -> Floats:
    """Log-strengths by the model of Bradley and Terry (1952): P(i beats j) = 1 / (1 + exp(theta_j - theta_i)).

    Args:
        wins: [..., k, k], how often i was preferred to j.
        tolerance: The largest change at which the iteration (Hunter, 2004) ends.
        most: Of its steps.

    Returns:
        Float [..., k] with mean 0; NaN where wins do not connect all, see `is_connected`.
    """
    wins = np.where(np.eye(wins.shape[-1], dtype=bool), 0, np.asarray(wins, float))
    exists = is_connected(wins)
    games = wins + np.swapaxes(wins, -1, -2)
    theta = np.zeros(wins.shape[:-1])
    with np.errstate(all="ignore"):
        for _ in range(most):
            strength = np.exp(theta)
            new = np.log(wins.sum(-1) / (games / (strength[..., None] + strength[..., None, :])).sum(-1))
            new -= new.mean(-1, keepdims=True)
            change, theta = np.abs(new - theta)[exists], new
            if not change.size or change.max() < tolerance:
                break
    return np.where(exists[..., None], theta, np.nan)


def elo(theta: Floats) -> Floats:
    """Log-strengths [..., k] on Elo's scale, the first one at 0; 400 points are odds of 10 to 1."""
    return (theta - theta[..., :1]) * ELO_SCALE


def student_t(t: float, freedom: int) -> float:
    """The share of Student's distribution between -t and t (Abramowitz and Stegun, 26.7.3 and 26.7.4)."""
    odd, angle = freedom % 2, math.atan(t / math.sqrt(freedom))
    term = math.sin(angle) * (math.cos(angle) if odd else 1.0)
    total = 0.0
    for number in range(1 + odd, freedom, 2):
        total += term
        term *= math.cos(angle) ** 2 * number / (number + 1)
    return 2 / math.pi * (angle + total) if odd else total


def student_t_quantile(share: float, freedom: int) -> float:
    """The t that `student_t` gives this share for."""
    low, high = 0.0, 1.0
    while student_t(high, freedom) < share:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if student_t(middle, freedom) < share else (low, middle)
    return high


def t_interval(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float]:
    """Student's interval of a mean: for a few seeds, where a bootstrap is too narrow; NaN for less than two values."""
    count = len(values)
    if count < 2:
        return math.nan, math.nan
    center = float(np.mean(values))
    half = student_t_quantile(confidence, count - 1) * float(np.std(values, ddof=1)) / math.sqrt(count)
    return center - half, center + half


MOST_SIGNS = 20  # differences whose signs are flipped in every way


def sign_flip_test(differences: Sequence[float]) -> float:
    """The exact two-sided p-value of paired differences: the share of all choices of signs with as large a mean.

    At least 2 / 2**n: five differences cannot reach .05.

    Raises:
        ValueError: If there are more than `MOST_SIGNS`.
    """
    if len(differences) > MOST_SIGNS:
        raise ValueError(f"At most {MOST_SIGNS} differences, got {len(differences)}.")
    sums = np.zeros(1)
    for difference in differences:
        sums = np.concatenate([sums + difference, sums - difference])
    observed = abs(sum(differences))
    return float(np.mean(np.abs(sums) >= observed - 1e-12 * (1 + observed)))


def least_p(differences: int, comparisons: int = 1) -> float:
    """The least p-value that `sign_flip_test` can give for so many differences, adjusted by `holm`."""
    return min(1.0, comparisons * 2.0 / 2**differences)


def differences_needed(comparisons: int = 1, level: float = 0.05) -> int:
    """The differences (seeds) with which the best of so many comparisons can reach a p-value below `level`."""
    return next(count for count in range(1, 64) if least_p(count, comparisons) < level)


def clustered_means(values: Floats, clusters: npt.NDArray[Any], replicates: int = 10_000, seed: int = 0) -> Floats:
    """Bootstrap of means over items that come in clusters, such as the pairs of a person: clusters are drawn.

    Args:
        values: Float [k, items]; the same draws for each of the k, so that their differences are paired.
        clusters: [items], what tells the clusters apart.
        replicates: How many.
        seed: Of the draws.

    Returns:
        Float [k, replicates].
    """
    names, places = np.unique(clusters, return_inverse=True)
    sums = np.stack([np.bincount(places, row, len(names)) for row in values])
    sizes = np.bincount(places, minlength=len(names))
    random = np.random.default_rng(seed)
    drawn = random.multinomial(len(names), np.full(len(names), 1 / len(names)), replicates)
    return (sums @ drawn.T) / (sizes @ drawn.T)


def bootstrap_p(differences: Floats) -> float:
    """The two-sided p-value of a difference by its bootstrap: twice the smaller share on one side of 0."""
    count = len(differences)
    side = min(int(np.sum(differences <= 0)), int(np.sum(differences >= 0)))
    return min(1.0, 2 * (side + 1) / (count + 1))
