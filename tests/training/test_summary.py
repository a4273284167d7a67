"""The summary of a run: curves that stay short and survive a kill, and a page with all stages."""

import dataclasses
import json
import os

import numpy as np
import pytest

from tfwarpgan.inference.scores import Scores, write_scores
from tfwarpgan.options import Options, TrainOptions
from tfwarpgan.storage.writing import save_png, write_atomically
from tfwarpgan.training import summary
from tfwarpgan.training.callbacks import Bar
from tfwarpgan.training.summary import Course


def test_a_long_curve_becomes_means_of_its_neighbors(monkeypatch):
    monkeypatch.setattr(summary, "MOST_POINTS", 4)
    course = Course()
    for step in range(1, 6):
        course.add(step, {"loss": float(step)})
    assert course.curves["loss"] == [[2, 1.5, 2], [4, 3.5, 2], [5, 5.0, 1]]
    for step in range(6, 17):
        course.add(step, {"loss": float(step)})
        assert len(course.curves["loss"]) <= 4
    points = course.curves["loss"]
    assert points[-1][0] == 16 and sum(count for _, _, count in points) == 16
    assert sum(value * count for _, value, count in points) == pytest.approx(sum(range(1, 17)))


def test_what_was_lost_is_taken_off():
    course = Course(step=40, seconds=20.0)
    for step in (10, 20, 30, 40):
        course.add(step, {"loss": 1.0})
    again = course.until(20)
    assert (again.step, again.seconds) == (20, 10.0) and [point[0] for point in again.curves["loss"]] == [10, 20]
    assert Course().until(7).seconds == 0.0


@pytest.fixture
def options(tmp_path):
    """Options of a run that has finished stage I early and trains the matcher."""
    run_dir = tmp_path / "people"
    train = TrainOptions(
        run_dir=str(run_dir), parser_steps=900, matcher_steps=400, matcher_pretraining_steps=0, patience=1
    )
    for stage, step, best in (("pose_guided_parser", 300, (200, 0.5)), ("geometric_matcher", 100, None)):
        course = Course(step, 3600.0, 1, {"cross_entropy": [[step // 2, 2.0, 1], [step, 1.0, 1]]})
        write_atomically(run_dir / stage / "series.json", json.dumps(dataclasses.asdict(course)))
        write_scores(str(run_dir / stage), Scores("validation_mean_iou", {200: 0.5, 300: 0.25} if best else {}, best))
    save_png(run_dir / "pose_guided_parser/pictures.png", np.full([4, 6, 3], 7, np.uint8))
    return Options(train=train)


def test_the_page_tells_of_every_stage(options):
    path = summary.write_summary(options, 20)
    with open(path) as file:
        page = file.read()
    assert os.listdir(options.train.run_dir).count("summary.html") == 1
    rows = [row.replace("</td>", "").split("<td>")[1:] for row in page.split("<tr>")[2:]]
    assert rows[0][:8] == ["pose_guided_parser", "300", "900", "1 h", "finished early", "1.67", "0.5000", "200"]
    assert rows[1][:6] == ["geometric_matcher", "100", "400", "1 h", "3 h", "0.556"]
    assert page.count("<svg") == 2 and page.count("data:image/png") == 1
    assert "--patience=1" in page and "Warping generator" not in page
    assert "http" not in page.replace("http://www.w3.org", "")  # nothing is loaded from elsewhere


def test_a_damaged_series_begins_anew(options):
    with open(os.path.join(options.train.run_dir, "geometric_matcher/series.json"), "w") as file:
        file.write('{"step": 3, "unknown": 1}')
    assert summary.read_course(os.path.join(options.train.run_dir, "geometric_matcher")) == Course()


@pytest.mark.parametrize("seconds, wanted", [
    (0.2, "0 s"), (42, "42 s"), (200, "3 min 20 s"), (18_420, "5 h 7 min"), (183_600, "2 d 3 h"), (3_600, "1 h"),
])  # fmt: skip
def test_durations(seconds, wanted):
    assert summary.duration(seconds) == wanted


def test_the_bar_tells_pictures_and_time_left(capsys):
    bar = Bar(total=100, initial=40, desc="stage", pictures=20)
    bar.n, bar.start_t = 60, bar.start_t - 10.0  # 20 steps in 10 seconds
    text = bar.format_meter(**bar.format_dict)
    assert text.startswith("stage:  60%|") and "60/100 [00:10, 00:20 left, 40 pictures/s" in text
    bar.close()
    assert "? pictures/s" in capsys.readouterr().err
