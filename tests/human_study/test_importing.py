"""Results of Mechanical Turk and of saved files: numbers in place of workers, and what does not fit."""

import csv
import json

import pytest

from tfwarpgan.errors import InputError
from tfwarpgan.human_study.importing import hashed, read_results


@pytest.fixture
def study(made):
    return made()


def result(of, slot=0, **changes):
    answers = [[trial, "left", 1000 + trial] for trial in range(12)]
    values = {"study": of.id, "slot": slot, "simulated": False, "answers": answers} | changes
    return json.dumps({key: value for key, value in values.items() if value is not None})


def table(path, *rows, columns=("HITId", "WorkerId", "Input.slot", "Answer.answers")):
    with open(path, "w", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([columns, *rows])
    return str(path)


def test_workers_become_numbers(study, tmp_path):
    study, folder = study
    path = table(
        tmp_path / "batch.csv",
        ("h1", "A1WORKER", "0", result(study, 0)), ("h2", "A2WORKER", "3", result(study, 3)),
    )  # fmt: skip
    raters = list(read_results(path, study, str(folder)))
    assert [rater.slot for rater in raters] == [0, 3] and all(len(rater.answers) == 12 for rater in raters)
    key = bytes.fromhex((folder / "worker.key").read_text())
    assert [rater.rater for rater in raters] == [hashed("A1WORKER", key), hashed("A2WORKER", key)]
    assert raters == list(read_results(path, study, str(folder)))
    assert (folder / "worker.key").stat().st_mode & 0o077 == 0 and len(key) == 32
    assert hashed("A1WORKER", bytes(32)) != raters[0].rater
    (folder / "worker.key").write_text("x" * 64)
    with pytest.raises(InputError, match="worker.key is not the key of worker ids"):
        list(read_results(path, study, str(folder)))


def test_a_saved_file_is_read(study, tmp_path):
    study, folder = study
    (tmp_path / "a.json").write_text(result(study, 2, rater="0123456789abcdef", simulated=True))
    (rater,) = read_results(str(tmp_path / "a.json"), study, str(folder))
    assert (rater.rater, rater.slot, rater.is_simulated) == ("0123456789abcdef", 2, True)
    assert rater.answers[11].milliseconds == 1011 and not (folder / "worker.key").exists()


@pytest.mark.parametrize("changes, words", [
    ({"study": "abc"}, "the answers are of study abc, not"),
    ({"study": None}, "the answers are of study None, not"),
    ({"slot": 4}, "slot and rater are not those of this study"),
    ({"slot": "0"}, "slot and rater are not"),
    ({"rater": "Jane Doe"}, "slot and rater are not"),
    ({"answers": [[0, "left"]]}, "are not a list of"),
    ({"answers": 3}, "are not a list of"),
    ({"answers": None}, "are not a list of"),
    ({"answers": [[12, "left", 1]]}, "trial must be a whole number from 0 to 11"),
    ({"answers": [[0, "above", 1]]}, "side must be left or right"),
])  # fmt: skip
def test_what_does_not_fit_is_told_with_its_file(study, tmp_path, changes, words):
    study, folder = study
    path = tmp_path / "a.json"
    path.write_text(result(study, **({"rater": "0" * 16} | changes)))
    with pytest.raises(InputError, match=f"a.json: .*{words}"):
        list(read_results(str(path), study, str(folder)))


@pytest.mark.parametrize("text", ["", "{", "[1]", "[" * 5000])
def test_other_files_are_told(study, tmp_path, text):
    study, folder = study
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(InputError, match="are not JSON as the study's page writes it"):
        list(read_results(str(tmp_path / "a.json"), study, str(folder)))


def test_a_bad_row_is_told_with_its_number(study, tmp_path):
    study, folder = study
    path = table(tmp_path / "b.csv", ("h", "W1", "0", result(study)), ("h", "W2", "1", result(study, study="other")))
    with pytest.raises(InputError, match=r"b.csv, row 2 \(line 3\): the answers are of study other"):
        list(read_results(path, study, str(folder)))
    path = table(tmp_path / "c.csv", ("h", "W1"), columns=("HITId", "WorkerId"))
    with pytest.raises(InputError, match="has no columns workerid and answer.answers"):
        list(read_results(path, study, str(folder)))
    with pytest.raises(InputError, match=r"none.csv is missing; expected Mechanical Turk's table"):
        list(read_results(str(tmp_path / "none.csv"), study, str(folder)))
