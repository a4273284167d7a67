"""Statistics: values worked out with other libraries (scipy, statsmodels, choix, krippendorff), and by hand."""

import itertools
import math

import numpy as np
import pytest

from tfwarpgan.evaluation import statistics

WINS = np.array([[0, 30, 45], [20, 0, 33], [5, 17, 0]])
JUDGMENTS = np.array([[1, 1, 0, 1, -1, 0, 1, 1], [1, 0, 0, 1, 1, 0, -1, 1], [1, 1, 0, 0, 1, 0, 1, -1]])


@pytest.mark.parametrize("successes, trials, low, high", [
    (412, 600, 0.6484634023, 0.7224948960), (7, 10, 0.3967781475, 0.8922087326), (81, 1000, 0.065650, 0.099557),
])  # fmt: skip
def test_wilson_interval(successes, trials, low, high):
    digits = 6 if trials == 1000 else 10
    assert [round(bound, digits) for bound in statistics.wilson_interval(successes, trials)] == [low, high]


def test_an_interval_of_nothing_is_everything_and_ends_stay_inside():
    assert statistics.wilson_interval(0, 0) == (0, 1)
    assert statistics.wilson_interval(0, 5)[0] == pytest.approx(0, abs=1e-15)
    low, high = statistics.wilson_interval(3, 10)
    assert statistics.wilson_interval(7, 10) == pytest.approx((1 - high, 1 - low))


def test_binomial_test_is_exact():
    assert statistics.binomial_test(7, 10) == statistics.binomial_test(3, 10) == 0.34375
    assert statistics.binomial_test(5, 10) == 1 and statistics.binomial_test(0, 0) == 1
    outcomes = [abs(sum(heads) - 4) for heads in itertools.product([0, 1], repeat=8)]
    assert statistics.binomial_test(7, 8) == sum(distance >= 3 for distance in outcomes) / len(outcomes)
    assert 0 < statistics.binomial_test(9000, 10000) < 1e-300 or statistics.binomial_test(9000, 10000) == 0


def test_holm_by_hand():
    assert statistics.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert statistics.holm([0.5, 0.9]) == [1, 1] and statistics.holm([]) == []


def test_krippendorff_alpha():
    assert round(statistics.krippendorff_alpha(JUDGMENTS), 10) == 0.6153846154


def test_krippendorff_alpha_at_its_ends():
    agreed = np.array([[0, 1, 0, 1], [0, 1, 0, 1]])
    assert statistics.krippendorff_alpha(agreed) == 1
    assert statistics.krippendorff_alpha(agreed[:, ::-1] * [[1], [0]] + agreed * [[0], [1]]) < 0
    assert math.isnan(statistics.krippendorff_alpha(np.ones((3, 4), int)))
    assert math.isnan(statistics.krippendorff_alpha(np.array([[1, -1], [-1, 0]])))


def test_bradley_terry():
    theta = statistics.bradley_terry(WINS)
    assert np.allclose(theta, [0.7709225314, 0.0942331229, -0.8651556543], atol=1e-8, rtol=0)  # another's optimizer
    games, chances = WINS + WINS.T, 1 / (1 + np.exp(theta - theta[:, None]))
    assert np.abs((WINS - games * chances).sum(1)).max() < 1e-9  # at the maximum the expected wins are the actual ones
    assert [round(value, 4) for value in statistics.elo(theta)] == [0, -117.5530, -284.2159]
    assert round(1 / (1 + math.exp(theta[1] - theta[0])), 7) == 0.6629994


def test_bradley_terry_of_two_is_the_log_odds():
    theta = statistics.bradley_terry(np.array([[0, 30], [10, 0]]))
    assert theta[0] - theta[1] == pytest.approx(math.log(3), abs=1e-10)


def test_bradley_terry_takes_many_at_once_and_knows_where_no_strengths_exist():
    never = np.array([[0, 30, 45], [20, 0, 33], [0, 0, 0]])
    theta = statistics.bradley_terry(np.stack([WINS, never, WINS.T]))
    assert np.allclose(theta[0], statistics.bradley_terry(WINS)) and np.isnan(theta[1]).all()
    assert np.allclose(theta[2], -theta[0], atol=1e-9)


def test_resampled_sums_by_the_definition():
    random = np.random.default_rng(1)
    values, counts = random.random((4, 6)), statistics.resampling_counts(4, 6, 5, seed=3)
    assert (counts[0].sum(1) == 4).all() and (counts[1].sum(1) == 6).all()
    by_hand = [sum(r[i] * c[j] * values[i, j] for i in range(4) for j in range(6)) for r, c in zip(*counts)]
    assert np.allclose(statistics.resampled_sums(values, counts), by_hand)


def test_the_bootstrap_of_raters_and_items_is_wider_where_raters_differ():
    """Ten raters who each always choose the same: as good as ten answers, not a thousand."""

    def width(values):
        counts = statistics.resampling_counts(*values.shape, 4000, seed=0)
        low, high = statistics.percentile_interval(statistics.resampled_sums(values, counts) / values.size)
        return high - low

    own = np.repeat([[1.0], [0.0]], 5, 0) * np.ones((10, 100))
    mixed = np.random.default_rng(0).permutation(own.ravel()).reshape(10, 100)
    assert width(own) == pytest.approx(2 * 1.96 * math.sqrt(0.25 / 10), rel=0.15)
    assert width(mixed) < width(own) / 3


@pytest.mark.parametrize(
    "freedom, t", [(1, 12.7062047), (2, 4.3026527), (4, 2.7764451), (5, 2.5705818), (30, 2.0422725)]
)
def test_quantiles_of_student_t(freedom, t):
    assert statistics.student_t_quantile(0.95, freedom) == pytest.approx(t, abs=5e-8)
    assert statistics.student_t(t, freedom) == pytest.approx(0.95, abs=1e-8)


FIVE_SEEDS = (0.605, 0.609, 0.612, 0.615, 0.618)


def test_the_t_interval_of_five_seeds_is_wider_than_their_bootstrap():
    low, high = statistics.t_interval(FIVE_SEEDS)
    assert (round(low, 6), round(high, 6)) == (0.605505, 0.618095)
    every_draw = np.array(list(itertools.product(FIVE_SEEDS, repeat=5))).mean(1)
    assert np.allclose(statistics.percentile_interval(every_draw), (0.6078, 0.6156), atol=1e-9)


def test_one_value_has_no_interval():
    assert all(map(math.isnan, statistics.t_interval([0.6])))


def test_sign_flips_are_exact():
    assert statistics.sign_flip_test([1, 2, 3, 4, 5]) == 0.0625  # 2 of 32: never below .05
    assert statistics.sign_flip_test([-1, -2, -3, -4, -5, -6]) == 0.03125
    differences = [0.3, -0.1, 0.25, 0.02]
    means = [sum(s * d for s, d in zip(signs, differences)) for signs in itertools.product([1, -1], repeat=4)]
    assert statistics.sign_flip_test(differences) == sum(abs(mean) >= 0.47 - 1e-9 for mean in means) / 16
    assert statistics.sign_flip_test([0.0, 0.0]) == 1
    with pytest.raises(ValueError, match="At most 20"):
        statistics.sign_flip_test([1.0] * 21)


def test_what_can_be_reached_at_all():
    assert statistics.least_p(5) == 0.0625 and statistics.least_p(6) == 0.03125 == statistics.sign_flip_test([1.0] * 6)
    assert statistics.differences_needed() == 6
    # Holm multiplies the least of 6 p-values by 6: six seeds are not enough for the six ablations of a table.
    assert statistics.least_p(6, comparisons=6) == 0.1875 == statistics.holm([0.03125] * 6)[0]
    assert statistics.differences_needed(6) == 8 and statistics.least_p(8, 6) < 0.05 < statistics.least_p(7, 6)


def test_the_bootstrap_by_clusters_by_hand():
    """Two clusters of 1 and 3 items: a draw is one of them twice (a quarter each) or both (a half)."""
    values, clusters = np.array([[1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 0.0, 8.0]]), np.array(["b", "a", "a", "a"])
    means = statistics.clustered_means(values, clusters, replicates=4000)
    assert set(map(tuple, np.round(means.T, 9))) == {(1.0, 0.0), (3.0, round(8 / 3, 9)), (2.5, 2.0)}
    assert np.mean(means[0] == 2.5) == pytest.approx(0.5, abs=0.03)


def test_the_bootstrap_by_clusters_is_wider_where_clusters_differ():
    """Ten persons of a hundred equal pairs each are ten observations, not a thousand."""
    values = np.repeat(np.arange(10.0), 100)
    persons = statistics.clustered_means(values[None], np.repeat(np.arange(10), 100), 4000)
    singles = statistics.clustered_means(values[None], np.arange(1000), 4000)
    assert persons.std() == pytest.approx(values.std() / math.sqrt(10), rel=0.05)
    assert singles.std() == pytest.approx(values.std() / math.sqrt(1000), rel=0.05)


def test_p_of_a_bootstrap():
    assert statistics.bootstrap_p(np.ones(999)) == 2 / 1000
    assert statistics.bootstrap_p(np.array([-1.0, 1.0] * 500)) == 1
