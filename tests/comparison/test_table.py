"""Tables of evaluations whose numbers are known: means, intervals, tests, bold, and what is refused."""

import csv
import dataclasses
import io
import json
import math

import pytest

from tfwarpgan.comparison import formats
from tfwarpgan.comparison.results import person_clusters, read_result
from tfwarpgan.comparison.table import make_table
from tfwarpgan.errors import InputError
from tfwarpgan.evaluation.statistics import t_interval


@pytest.fixture
def results(evaluation):
    """Function of title -> SSIMs by seed -> the results of rows."""

    def make(rows, **more):
        return {
            title: {
                seed: read_result(evaluation(f"{title}{seed}", ssim=ssim, l1=1 - ssim, **more))
                for seed, ssim in enumerate(values)
            }
            for title, values in rows.items()
        }

    return make


def table_of(results, columns=("ssim_gaussian", "l1")):
    seeds = max(map(len, results.values()))
    return make_table(results, range(seeds), columns)


def rows_of(text):
    """The cells of the first table in Markdown, by title."""
    lines = [line.strip("| \n").split(" | ") for line in text.partition("Difference")[0].splitlines()]
    return {cells[0]: cells[1:] for cells in lines}


def test_means_and_intervals(results):
    table = table_of(results({"full": [0.605, 0.609, 0.612, 0.615, 0.618]}))
    cell = table.cells["full", "l1"]
    assert cell.mean == pytest.approx(1 - 0.6118)
    assert cell.interval == pytest.approx((1 - 0.618095, 1 - 0.605505), abs=5e-7)
    assert rows_of(formats.to_markdown(table, []))["full"][1] == "0.3882 ± 0.0063"


EIGHT = [0.60, 0.61, 0.62, 0.63, 0.64, 0.65, 0.66, 0.67]


def test_the_best_is_bold_where_it_wins_significantly(results):
    found = results({"full": EIGHT, "worse": [v - 0.01 - v / 100 for v in EIGHT], "worst": [v - 0.02 for v in EIGHT]})
    table = table_of(found)
    assert table.tests["worse", "ssim_gaussian"].p == 2 / 2**8
    assert table.tests["worse", "ssim_gaussian"].adjusted == 4 / 2**8
    assert not table.tests["worst", "l1"].better and table.tests["worst", "l1"].difference == pytest.approx(0.02)
    assert table.best == {"ssim_gaussian": "full", "l1": "full"}
    rows = rows_of(formats.to_markdown(table, []))
    assert rows["full"][1].startswith("**0.3650**") and rows["worse"][1].endswith(r"\*")
    assert r"\textbf{0.3650}" in formats.to_latex(table, [])


def test_a_row_that_beats_only_some_is_not_bold(results):
    other = [v + (-0.01 if seed % 2 else 0.01) for seed, v in enumerate(EIGHT)]
    table = table_of(results({"full": EIGHT, "alike": other, "worst": [v - 0.02 for v in EIGHT]}))
    assert table.best == {}
    assert table.tests["worst", "l1"].is_significant and not table.tests["alike", "l1"].is_significant


def test_another_row_than_the_first_can_win(results):
    table = table_of(results({"full": EIGHT, "better": [v + 0.01 for v in EIGHT]}))
    assert table.best == {"ssim_gaussian": "better", "l1": "better"} and table.tests["better", "l1"].better


@pytest.mark.parametrize("count, said", [(5, "Fewer than 6 seeds can never"), (6, ""), (3, "the least p of 3 is 0.25")])
def test_few_seeds_can_never_win(results, count, said):
    found = results({"full": EIGHT[:count], "worse": [v - 0.1 for v in EIGHT[:count]]})
    table = table_of(found)
    text = "\n".join(formats.notes(table, {}, {}))
    assert said in text and ("can never" in text) == (count < 6)
    assert bool(table.best) == (count == 6)
    assert ("No number is bold" in text) == (count < 6)


def test_six_seeds_are_too_few_for_six_ablations(results):
    rows = {"full": EIGHT[:6], **{f"row{n}": [v - 0.01 * n for v in EIGHT[:6]] for n in range(1, 7)}}
    table = table_of(results(rows))
    assert table.best == {} and table.tests["row6", "l1"].adjusted == 6 / 32
    assert "6 seeds and 6 comparisons cannot reach p < .05 after Holm (the least is 0.1875); 8 seeds can." in "\n".join(
        formats.notes(table, {}, {})
    )


def test_one_seed_is_compared_by_pairs_and_says_so(evaluation):
    gains = {"full": 0.05, "worse": 0, "same": 0}
    found = {title: {0: read_result(evaluation(title, gain=gain))} for title, gain in gains.items()}
    table = make_table(found, [0], ["ssim_gaussian"])
    assert table.by_pairs and table.tests["worse", "ssim_gaussian"].interval == pytest.approx((-0.025, -0.025))
    assert table.best == {"ssim_gaussian": "full"}
    assert "about these trained models, not about the methods" in "\n".join(formats.notes(table, {}, {}))
    assert "(12 persons)" in "\n".join(formats.notes(table, {}, {}))


def test_few_persons_are_not_tested(evaluation):
    names = [(f"{person}_a.jpg", f"{person}_b{view}.jpg") for person in range(9) for view in range(4)]
    found = {title: {0: read_result(evaluation(title, gain=gain, names=names))} for title, gain in (("a", 1), ("b", 0))}
    table = make_table(found, [0], ["ssim_gaussian"])
    assert table.best == {} and "Fewer than 10 persons are too few" in "\n".join(formats.notes(table, {}, {}))


def test_what_was_measured_otherwise_is_told(results):
    found = results({"full": [0.5], "theirs": [0.4]})
    theirs = found["theirs"][0]
    other = {name: dataclasses.replace(metric, protocol="truncated") for name, metric in theirs.metrics.items()}
    found["theirs"][0] = dataclasses.replace(theirs, metrics=other)
    lines = formats.notes(make_table(found, [0], ["l1"]), {}, {})
    assert "Measured otherwise: [theirs] truncated" in lines


def test_pairs_of_one_person_are_one_cluster():
    assert person_clusters([("a", "b"), ("c", "d"), ("b", "e"), ("", "f")]) == [0, 1, 0, 2]


def test_a_goal_of_one_is_a_distance(evaluation):
    found = {
        title: {seed: read_result(evaluation(f"{title}{seed}", texture=value + seed / 100)) for seed in range(6)}
        for title, value in (("full", 0.90), ("rich", 1.30))
    }
    table = make_table(found, range(6), ["texture"])
    assert table.best == {"texture": "full"} and table.tests["rich", "texture"].difference == pytest.approx(0.4)


def test_the_default_columns_have_a_number_for_each_pair(results):
    table = make_table(results({"full": [0.5, 0.6]}), [0, 1])
    assert [metric.name for metric in table.metrics] == ["ssim_gaussian", "l1", "texture"]


def test_missing_runs_and_failed_rows(results):
    found = {**results({"full": EIGHT[:3], "some": EIGHT[:2]}), "none": {}}
    table = table_of(found)
    rows = rows_of(formats.to_markdown(table, []))
    assert rows["none"] == ["-", "-"] and rows["some"][1].endswith("(2)")
    lines = formats.notes(table, {"[none] seed 0": "failed or stopped: runs/none/seed0/log.txt"}, {"commit": "abc"})
    assert "Missing: [none] seed 0: failed or stopped: runs/none/seed0/log.txt" in lines and "commit: abc" in lines
    assert "none & -- & --" in formats.to_latex(table, lines)


def test_csv_and_json_hold_every_number(results):
    table = table_of(results({"full": [0.5, 0.6], "worse & co": [0.4, 0.5]}))
    rows = list(csv.DictReader(io.StringIO(formats.to_csv(table))))
    assert [row["row"] for row in rows] == ["full", "full", "worse & co", "worse & co"]
    low, high = t_interval([0.5, 0.4])
    assert float(rows[1]["low"]) == pytest.approx(low) and float(rows[1]["high"]) == pytest.approx(high)
    content = json.loads(formats.to_json(table, ["a note"], {"commit": "abc"}))
    assert content["numbers"][3]["values"] == pytest.approx({"0": 0.6, "1": 0.5}) and content["commit"] == "abc"
    assert content["numbers"][3]["p"] == 0.5 and content["numbers"][0].get("p") is None
    assert r"worse \& co" in formats.to_latex(table, [])


def test_rows_of_other_pairs_are_refused(evaluation):
    found = {
        "full": {0: read_result(evaluation("full"))},
        "other": {0: read_result(evaluation("other", names=[("a.jpg", "b.jpg"), ("a.jpg", "c.jpg")]))},
    }
    with pytest.raises(InputError, match=r"\[other\] was scored on other pairs \(2\) than \[full\] \(24\): .*other"):
        make_table(found, [0])


def test_an_unknown_column_is_refused(results):
    with pytest.raises(InputError, match="--columns: fid is none of ssim_gaussian, l1"):
        make_table(results({"full": [0.5]}), [0], ["fid"])


def test_what_is_no_number_stays_none(results):
    table = make_table(results({"full": [0.5, 0.6]}), [0, 1], ["parsing_miou"])
    assert math.isnan(table.cells["full", "parsing_miou"].mean)
    assert rows_of(formats.to_markdown(table, []))["full"] == ["-"]
    assert json.loads(formats.to_json(table, [], {}))["numbers"][0]["mean"] is None


def test_a_broken_evaluation_is_named(evaluation, tmp_path):
    folder = evaluation("full")
    assert read_result(str(tmp_path / "nothing")) is None
    with open(f"{folder}/metrics.json", "w") as file:
        file.write("[]")
    with pytest.raises(InputError, match="metrics.json is not as evaluate writes it"):
        read_result(folder)
