"""The command: its actions one after the other, and what is refused in one sentence."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys

import pytest

from tfwarpgan.errors import InputError
from tfwarpgan.human_study.answers import Answer, of_study
from tfwarpgan.human_study.document import load
from tfwarpgan.study import (
    ACTIONS,
    AnalyzeOptions,
    DeleteOptions,
    ImportOptions,
    StudyOptions,
    analyze,
    delete,
    import_results,
)


@pytest.fixture
def command(root):
    """Function of arguments -> the finished command."""

    def command(*arguments):
        given = [sys.executable, "-m", "tfwarpgan.study", *map(str, arguments)]
        return subprocess.run(given, cwd=root, capture_output=True, text=True, timeout=60)

    return command


def sentence(result):
    assert result.returncode == 2 and result.stdout == "", result.stdout
    assert result.stderr.startswith("error: ") and result.stderr.count("\n") == 1, result.stderr
    return result.stderr


def test_a_study_from_the_command_line(command, folders, tmp_path, root):
    folder = tmp_path / "study"
    pictures = [f"--a=ours={folders}/ours", f"--b={folders}/other", f"--real={folders}/real"]
    flags = [*pictures, "--pairs=4", "--raters=2", "--practice=0", "--contact=x@example.org"]
    made = command("make", f"--study={folder}", *flags)
    assert made.returncode == 0 and "4 pairs, 1 comparisons, 2 raters" in made.stdout, made.stderr
    serving = [sys.executable, "-m", "tfwarpgan.study", "serve", f"--study={folder}", "--port=0"]
    with subprocess.Popen(serving, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        port = int(re.search(r"http://127.0.0.1:(\d+)/", process.stdout.readline()).group(1))
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        headers = {"Content-Type": "application/json"}
        connection.request("POST", "/join", "{}", headers)
        token = json.loads(connection.getresponse().read())["token"]
        for trial in range(6):
            body = json.dumps({"trial": trial, "side": "left", "milliseconds": 500})
            connection.request("POST", "/answer", body, headers | {"Authorization": f"Bearer {token}"})
            assert connection.getresponse().read() == json.dumps({"saved": trial}).encode()
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=20) == ("Stopped.\n", "") and process.returncode == 0
    table = command("analyze", f"--study={folder}")
    assert table.returncode == 0 and "| ours vs. other | 50.0 % |" in table.stdout, table.stderr
    assert "not complete" in table.stdout and (folder / "results.md").read_text() == table.stdout
    assert {"results.json", "results.md", "results.tex"} <= set(os.listdir(folder))


def test_an_action_comes_first(command):
    told = sentence(command("--study=x"))
    assert all(name in told for name in ACTIONS) and "Say first what to do" in told
    assert "--study is missing" in sentence(command("serve"))


def test_the_help_of_an_action_lists_its_flags_alone(command):
    text = command("make", "--help").stdout
    assert text.startswith("usage: python -m tfwarpgan.study make [--flag=value ...]\n")
    assert "--contact=TEXT" in text and "--port" not in text


@pytest.fixture
def answered(made):
    """Folder of a study that one rater has answered."""
    study, folder = made()
    answers = of_study(str(folder), study)
    rater = answers.join(False)[1]
    for trial in range(12):
        answers.record(rater.rater, Answer(trial, "left", 1))
    return folder, rater


def test_a_rater_is_deleted(answered, capsys):
    folder, rater = answered
    where = StudyOptions(str(folder))
    delete(where, DeleteOptions(rater.rater))
    assert rater.rater in capsys.readouterr().out and of_study(str(folder), load(str(folder))).read() == []
    for number in (rater.rater, ""):
        with pytest.raises(InputError, match=f"--rater={number} is no rater of"):
            delete(where, DeleteOptions(number))
    with pytest.raises(InputError, match="has no rater to count: 0 began, 0 did not finish, 0 failed checks"):
        analyze(where, AnalyzeOptions())


def test_one_bad_file_keeps_all_out(answered, tmp_path):
    folder, _ = answered
    study, results = load(str(folder)), tmp_path / "results"
    results.mkdir()
    good = {"study": study.id, "slot": 0, "rater": "0" * 16, "answers": []}
    (results / "a.json").write_text(json.dumps(good))
    (results / "b.json").write_text(json.dumps(good | {"study": "another"}))
    with pytest.raises(InputError, match="b.json: the answers are of study another"):
        import_results(StudyOptions(str(folder)), ImportOptions(str(results)))
    assert len(of_study(str(folder), study).read()) == 1


@pytest.mark.parametrize("results, words", [("nowhere.json", "nowhere.json is missing"), ("", "--results is missing")])
def test_results_that_are_not_there_are_told(answered, tmp_path, results, words):
    with pytest.raises(InputError, match=words):
        import_results(StudyOptions(str(answered[0])), ImportOptions(results and str(tmp_path / results)))


def test_answers_of_another_study_are_told(answered, settings, tmp_path):
    from tfwarpgan.human_study.making import make

    folder, _ = answered
    make(settings(study_seed=5), str(tmp_path / "second"), "1.0")
    (tmp_path / "second" / "answers.sqlite").write_bytes((folder / "answers.sqlite").read_bytes())
    with pytest.raises(InputError, match="holds the answers of another study"):
        analyze(StudyOptions(str(tmp_path / "second")), AnalyzeOptions())
