"""The analysis: raters with known choices, and what must come out by hand."""

import json
import math

import numpy as np
import pytest

from tfwarpgan.evaluation import statistics
from tfwarpgan.human_study import analysis, tables
from tfwarpgan.human_study.answers import Answer, Rater
from tfwarpgan.human_study.design import CHECK, COMPARISON, REAL, REPEAT


def answered(study, choose, slot, number=None, trials=None, simulated=False):
    """A rater who answers each trial with the side that `choose(trial, place)` gives."""
    chosen = [choose(trial, place) for place, trial in enumerate(study.slots[slot])][:trials]
    answers = {place: Answer(place, side, 1000 + 10 * place) for place, side in enumerate(chosen)}
    return Rater(f"{slot if number is None else number:016x}", slot, simulated, answers)


def prefers(*methods):
    """Chooses the first of some methods that is there; the real picture before all."""

    def choose(trial, place):
        for method in (REAL, *methods):
            if method in (trial.left, trial.right):
                return "left" if trial.left == method else "right"
        raise AssertionError(trial)

    return choose


def always_left(trial, place):
    return "left"


def test_all_prefer_one_method(made):
    study, _ = made()
    results = analysis.analyze(study, [answered(study, prefers("ours"), slot) for slot in range(4)])
    (found,) = results["comparisons"]
    assert (found["first"], found["second"], found["count"], found["total"]) == ("ours", "other", 32, 32)
    assert found["wilson"] == statistics.wilson_interval(32, 32) and found["bootstrap"] == (1, 1)
    assert found["p"] == found["p_holm"] == 2 / 2**32 and math.isnan(found["alpha"])
    assert results["repeats"] == {"count": 4, "total": 4, "share": 1} | analysis.Share(4, 4).facts()
    assert results["position"]["share"] == 0.5  # the sides are balanced
    assert results["raters"] == {"wanted": 4, "began": 4, "unfinished": 0, "failed_checks": 0, "counted": 4}


def test_the_share_is_that_of_the_first_method(made):
    study, _ = made()
    raters = [answered(study, prefers("ours" if slot < 3 else "other"), slot) for slot in range(4)]
    (found,) = analysis.analyze(study, raters)["comparisons"]
    assert (found["count"], found["share"]) == (24, 0.75)
    low, high = found["bootstrap"]
    assert low < found["wilson"][0] and high > found["wilson"][1]  # four raters, not 32 answers


def test_who_always_presses_left_is_seen(made):
    study, _ = made(pairs=16, check_share=0.25)
    raters = [answered(study, always_left, slot) for slot in range(4)]
    assert [analysis.failed_checks(study, rater) for rater in raters] == [2] * 4
    assert analysis.analyze(study, raters)["raters"]["failed_checks"] == 4
    results = analysis.analyze(study, raters, most_failed=2)
    assert results["raters"]["counted"] == 4 and results["position"]["share"] == 1
    assert results["comparisons"][0]["share"] == 0.5 and results["repeats"]["share"] == 0


def test_who_fails_more_than_one_check_and_who_does_not_finish_are_left_out(made):
    study, _ = made(pairs=16, check_share=0.25)

    def fails(count):
        def choose(trial, place):
            checks = [p for p, t in enumerate(study.slots[0]) if t.kind == CHECK]
            side = prefers("ours")(trial, place)
            return {"left": "right", "right": "left"}[side] if place in checks[:count] else side

        return choose

    raters = [answered(study, fails(count), 0, number=count) for count in range(4)]
    raters.append(answered(study, prefers("other"), 1, number=9, trials=15))
    raters.append(answered(study, prefers("other"), 1, number=10, simulated=True))
    results = analysis.analyze(study, raters)
    assert results["raters"] == {"wanted": 4, "began": 5, "unfinished": 1, "failed_checks": 2, "counted": 2}
    assert (results["comparisons"][0]["count"], results["comparisons"][0]["total"]) == (32, 32)
    assert analysis.analyze(study, raters, is_simulated=True)["comparisons"][0]["count"] == 0


def test_the_preferences_are_those_of_the_answers(made):
    study, _ = made()
    random = np.random.default_rng(0)
    raters = [answered(study, lambda *_: ("left", "right")[random.integers(2)], slot) for slot in range(4)]
    (values,) = analysis.preferences(study, raters).values()
    for row, rater in enumerate(raters):
        for place, trial in enumerate(study.slots[row]):
            if trial.kind == COMPARISON:
                is_first = getattr(trial, rater.answers[place].side) == "ours"
                assert values[row, study.pairs.index(trial.name)] == is_first
    (found,) = analysis.analyze(study, raters, most_failed=9)["comparisons"]
    assert found["alpha"] == statistics.krippendorff_alpha(values.astype(int)) and found["count"] == values.sum()
    same = 0
    for rater, slot in zip(raters, study.slots):
        sides = {
            (trial.kind, trial.name): getattr(trial, rater.answers[place].side) for place, trial in enumerate(slot)
        }
        same += sum(sides[COMPARISON, name] == method for (kind, name), method in sides.items() if kind == REPEAT)
    assert analysis.repeats(study, raters) == analysis.Share(same, 4)


@pytest.fixture
def three(made, folders):
    """A study of three methods, and raters of whom each prefers another one now and then."""
    study, _ = made(c=f"third|_x={folders}/third", raters=12, pairs=12)
    random = np.random.default_rng(1)
    strengths = {"ours": 1.0, "other": 0.0, "third|_x": -0.5}

    def choose(trial, place):
        if REAL in (trial.left, trial.right):
            return prefers()(trial, place)
        chance = 1 / (1 + math.exp(strengths[trial.right] - strengths[trial.left]))
        return "left" if random.random() < chance else "right"

    return study, [answered(study, choose, slot) for slot in range(12)]


def test_three_methods_have_strengths(three):
    study, raters = three
    results = analysis.analyze(study, raters)
    assert [found["total"] for found in results["comparisons"]] == [48, 48, 48]
    wins = np.zeros((3, 3))
    for found in results["comparisons"]:
        first, second = study.methods.index(found["first"]), study.methods.index(found["second"])
        wins[first, second], wins[second, first] = found["count"], found["total"] - found["count"]
    theta = statistics.bradley_terry(wins)
    assert [found["theta"] for found in results["strengths"]] == pytest.approx(theta)
    for found, elo in zip(results["strengths"], statistics.elo(theta)):
        low, high = found["elo_bootstrap"]
        assert found["elo"] == pytest.approx(elo) and low <= found["elo"] <= high
    assert results["strengths"][0]["elo_bootstrap"] == (0, 0)
    p_values = [found["p"] for found in results["comparisons"]]
    assert [found["p_holm"] for found in results["comparisons"]] == statistics.holm(p_values)


def test_where_one_method_always_wins_there_are_no_strengths(three):
    study, _ = three
    raters = [answered(study, prefers("ours", "other"), slot) for slot in range(12)]
    results = analysis.analyze(study, raters)
    assert results["strengths"] == [] and "Elo" not in tables.to_markdown(results)


def test_the_tables(three):
    study, raters = three
    results = analysis.analyze(study, raters)
    found = results["comparisons"][0]
    text = tables.to_markdown(results)
    assert f"| ours vs. other | {100 * found['share']:.1f} % | " in text and "| ours vs. third\\|_x |" in text
    assert "choice/natural-untimed; study" in text and "12 counted of 12 who began (12 wanted)" in text
    assert "not complete" not in text
    latex = tables.to_latex(results)
    assert r"third|\_x & " in latex and r"\toprule" in latex and latex.count(r"\begin{tabular}") == 2
    assert all(line.startswith("%") or "%" not in line.replace(r"\%", "") for line in latex.splitlines())
    assert json.loads(tables.to_json(results))["comparisons"][0]["count"] == found["count"]


def test_a_study_that_goes_on_or_is_simulated_says_so(made):
    study, _ = made()
    raters = [answered(study, prefers("ours"), slot) for slot in range(3)]
    assert "not complete" in tables.to_markdown(analysis.analyze(study, raters))
    raters = [answered(study, prefers("ours"), slot, simulated=True) for slot in range(3)]
    text = tables.to_markdown(analysis.analyze(study, raters, is_simulated=True))
    assert "simulated raters: no result" in text and "| – |" in text  # alpha of those who all say the same
    assert "NaN" not in tables.to_json(analysis.analyze(study, raters, is_simulated=True))


@pytest.mark.parametrize("value, text", [(0.34375, ".3438"), (1.0, "1.0000"), (0.00001, "< .0001"), (0.05, ".0500")])
def test_p_values_are_written_as_papers_do(value, text):
    assert tables._p(value) == text
