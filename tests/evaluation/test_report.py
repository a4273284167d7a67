"""The report: what is chosen, what the files say, and that none is half-written."""

import base64
import dataclasses
import io
import json
import re

import numpy as np
import pytest
from PIL import Image

from tfwarpgan.body.labels import LABELS
from tfwarpgan.errors import InputError
from tfwarpgan.evaluation import report
from tfwarpgan.evaluation.results import Evaluation, Measurement, Result

MEASUREMENT = Measurement(8, 6, "round", "of the test list", "7 targets sha256:0123", "0.0")
BY_LABEL = (float("nan"), 0.25, *[0.5] * 18)


def make_evaluation(count=7):
    """SSIM of pair i is i / 10, worse than copying; L1 beats both baselines."""
    rising = np.arange(count, dtype=np.float32) / 10
    metrics = (
        Result("ssim_gaussian", "ssim/gaussian", "a window", "higher", 0.3, {"copy_condition": 0.4, "mean_image": 0.2}),
        Result("l1", "l1/range2", "range 2", "lower", 0.1, {"copy_condition": 0.2, "mean_image": 0.3}),
        Result("parsing_miou", "miou/parsing", "pixels", "higher", float("nan"), {"copy_condition": 0.5}, BY_LABEL),
    )
    pairs = {
        "ssim_gaussian": {"model": rising, "copy_condition": rising + 0.1, "mean_image": rising - 0.1},
        "l1": {"model": 1 - rising, "copy_condition": rising * 0 + 1, "mean_image": rising * 0},
    }
    metrics = tuple(dataclasses.replace(result, measured=MEASUREMENT.of(result.id)) for result in metrics)
    names = tuple((f"<a>{i}.jpg", f"b{i}.jpg") for i in range(count))
    return Evaluation(metrics, names, pairs, rising[::-1], MEASUREMENT)


def make_pictures(count=7):
    return {
        index: {
            name: np.full((8, 6, 3), 10 * index + shade, np.uint8) for shade, name in enumerate(("condition", "target"))
        }
        for index in range(count)
    }


def test_best_median_and_worst():
    chosen = report.chosen_pairs(make_evaluation(7), count=3)
    assert {title: list(part) for title, part in chosen.items()} == {
        "Best by SSIM": [6, 5, 4], "Median by SSIM": [4, 3, 2], "Worst by SSIM": [2, 1, 0]
    }  # fmt: skip
    assert [len(part) for part in report.chosen_pairs(make_evaluation(7), count=20).values()] == [7, 7, 7]


def test_pairs_by_pose_change():
    """The later the pair, the smaller its change of pose; a pair without a common joint is in no part."""
    evaluation = make_evaluation(7)
    parts = report.pairs_by_pose_change(evaluation)
    assert {title: list(part) for title, part in parts.items()} == {"Easy": [4, 5, 6], "Middle": [2, 3], "Hard": [0, 1]}
    shown = report.shown_by_pose_change(evaluation, count=2)
    assert [list(part) for part in shown.values()] == [[4, 6], [2, 3], [0, 1]]
    evaluation.pose_change[6] = np.nan
    assert list(report.pairs_by_pose_change(evaluation)["Easy"]) == [4, 5]


def test_the_page_has_a_table_by_pose_change():
    evaluation = make_evaluation(6)
    text = report.to_html(evaluation, report.sections(evaluation, 2), make_pictures(6))
    assert "Hard (2 pairs, joints move by 0.40 to 0.50 heights)" in text
    assert "<b>0.0500</b><br>(copy_condition 0.1500, mean_image -0.0500)" in text  # SSIM of pairs 0 and 1
    assert "Hard changes of pose: 2 pairs" in text


def test_even_pairs_reach_from_end_to_end():
    assert list(report.even_pairs(make_evaluation(7), 4)) == [0, 2, 4, 6]
    assert list(report.even_pairs(make_evaluation(2), 10)) == [0, 1]


def test_json_names_protocols_and_baselines():
    content = json.loads(report.to_json(make_evaluation(), {"dataset": "people"}), parse_constant=pytest.fail)
    assert content["pairs"] == 7 and content["dataset"] == "people"
    ssim, l1, miou = (content["metrics"][name] for name in ("ssim_gaussian", "l1", "parsing_miou"))
    assert (
        ssim["protocol"] == "a window" and ssim["id"] == "ssim/gaussian" and ssim["model"] == 0.3 and ssim["pairs"] == 7
    )
    assert ssim["baselines"] == {"copy_condition": 0.4, "mean_image": 0.2}
    assert not ssim["beats_baselines"] and l1["beats_baselines"] and not miou["beats_baselines"]
    assert miou["model"] is None
    assert miou["by_label"][LABELS[0]] is None and miou["by_label"][LABELS[1]] == 0.25


def test_a_metric_without_baselines_beats_none_and_shows_its_spread():
    evaluation = make_evaluation()
    result = Result("is_x", "is/x", "score", "higher", 3.2, measured="is/x; size", spread=0.1, beside={"targets": 3.5})
    evaluation = dataclasses.replace(evaluation, metrics=(*evaluation.metrics, result))
    entry = json.loads(report.to_json(evaluation))["metrics"]["is_x"]
    assert entry["baselines"] == {} and entry["beats_baselines"] is None
    assert entry["spread"] == 0.1 and entry["beside"] == {"targets": 3.5}
    lines = report.to_table(evaluation).splitlines()
    assert lines[6].split() == ["is/x", "(higher", "is", "better)", "3.2000", "+-", "0.1000", "-", "-", "-"]
    assert "is/x; size; targets 3.5" in lines


def test_without_a_known_pose_change_the_page_has_no_such_table():
    evaluation = make_evaluation()
    evaluation = dataclasses.replace(evaluation, pose_change=np.full(7, np.nan))
    assert list(report.sections(evaluation, 2)) == ["Best by SSIM", "Median by SSIM", "Worst by SSIM"]
    assert "pose change" not in report.to_html(evaluation, report.sections(evaluation, 2), make_pictures())


def test_the_table_lines_up():
    lines = report.to_table(make_evaluation()).splitlines()
    assert lines[0] == "7 test pairs"
    assert lines[2].split() == ["metric", "model", "copy_condition", "mean_image", "beats", "baselines"]
    assert lines[3].split() == ["ssim/gaussian", "(higher", "is", "better)", "0.3000", "0.4000", "0.2000", "NO"]
    assert lines[4].split()[-4:] == ["0.1000", "0.2000", "0.3000", "yes"]
    assert lines[5].split()[-4:] == ["nan", "0.5000", "-", "NO"]
    assert lines[2].index("model") + 5 == lines[3].index("0.3000") + 6
    where = lines.index(MEASUREMENT.of("ssim/gaussian"))
    assert lines[where + 1].strip() == "a window"


def test_csv_has_a_row_a_pair():
    lines = report.to_csv(make_evaluation()).splitlines()
    assert lines[0].startswith(
        "from,to,ssim_gaussian_model,ssim_gaussian_copy_condition,ssim_gaussian_mean_image,l1_model"
    )
    assert lines[3] == "<a>2.jpg,b2.jpg,0.200000,0.300000,0.100000,0.800000,1.000000,0.000000" and len(lines) == 8


def test_the_page_is_self_contained_and_escaped():
    evaluation = make_evaluation()
    page = report.to_html(evaluation, report.chosen_pairs(evaluation, 2), make_pictures(), "runs & more")
    assert "<h1>runs &amp; more</h1>" in page and "<a>" not in page and "&lt;a&gt;6.jpg" in page
    assert all(f"<h2>{part} by SSIM: 2 pairs</h2>" in page for part in ("Best", "Median", "Worst"))
    assert (
        '<td class="number">0.3000</td><td class="number">0.4000</td>' in page
        and "a window [ssim/gaussian; size 8x6; padding none;" in page
    )
    sources = re.findall(r'src="([^"]*)"', page)
    assert len(sources) == 12 and "href" not in page
    first = base64.b64decode(sources[0].removeprefix("data:image/png;base64,"))
    assert np.all(np.asarray(Image.open(io.BytesIO(first))) == 60)
    assert "ssim_gaussian <b>0.600</b>" in page and "copy_condition 0.700" in page


def test_the_report_is_written_whole(tmp_path):
    paths, table = report.write_report(make_evaluation(), make_pictures(), tmp_path / "new")
    names = ["grid.png", "index.html", "metrics.json", "metrics.txt", "pairs.csv"]
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["even_pairs", *names]
    assert [path for path in sorted(paths) if not path.startswith("even_pairs")] == names
    assert (tmp_path / "new" / "metrics.txt").read_text() == table
    assert Image.open(paths["grid.png"]).size[0] == 2 * (256 // 8 * 6 + 4) + 4


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        report.write_report(make_evaluation(), make_pictures(), tmp_path / "file")
