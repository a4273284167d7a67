"""Jobs: which stages rows share, what is done again, and running child processes that only write and fail."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from tfwarpgan.comparison import running
from tfwarpgan.comparison.jobs import Job, plan
from tfwarpgan.comparison.rows import read_rows
from tfwarpgan.comparison.running import run_jobs
from tfwarpgan.errors import InputError

ROWS = """
[full]
[w/o L_PH] --lambda_pyramid=0
[parts] --warp_parts=6
[w/o parsing] --model=resnet --generator_inputs=image,pose
[not warped] --warp=identity
[wide stage I] --parser_width=16
"""


@pytest.fixture
def rows(tmp_path):
    """Function of text -> rows of a file."""

    def make(text=ROWS):
        (tmp_path / "t.compare").write_text(text)
        return read_rows(str(tmp_path / "t.compare"))

    return make


def test_stages_that_rows_share_are_trained_once_a_seed(rows):
    jobs = {job.folder: job for job in plan(rows(), [0, 1], "out")}
    stages = [os.path.basename(folder).partition("-")[0] for folder in jobs if folder.startswith("out/stages")]
    assert sorted(stages) == 4 * ["geometric_matcher"] + 4 * ["pose_guided_parser"]  # two kinds of each, two seeds
    needs = {title: jobs[f"out/{title}/seed0"].needs for title in ("full", "w_o_L_PH", "parts", "not_warped")}
    assert needs["full"] == needs["w_o_L_PH"] and len(needs["full"]) == 2
    assert needs["parts"][0] == needs["full"][0] and needs["parts"][1] != needs["full"][1]
    assert needs["not_warped"] == needs["full"][:1]
    assert jobs["out/wide_stage_I/seed0"].needs[1] == needs["full"][1]
    assert jobs["out/full/seed1"].needs != needs["full"] and jobs["out/w_o_parsing/seed0"].needs == ()
    order = list(jobs)
    assert all(order.index(need) < order.index(job.folder) for job in jobs.values() for need in job.needs)


def test_the_commands_say_everything(rows):
    train, evaluate = plan(rows("--flip\n[a] --lambda_pyramid=0\n"), [3], "out", ["--max_pairs=5"])[-1].commands
    assert train[:5] == ("-m", "tfwarpgan.train", "--flip", "--lambda_pyramid=0", "--seed=3")
    assert train[5] == "--run_dir=out/a/seed3" and train[6].startswith("--stages_from=out/stages/pose_guided_parser-")
    assert evaluate == ("-m", "tfwarpgan.evaluate", "--run_dir=out/a/seed3", "--max_pairs=5")


def test_flags_of_the_place_do_not_separate_stages(rows):
    first, second = (plan(rows(f"[a] {flags}"), [0], "out") for flags in ("", "--log_every=7 --generator_steps=9"))
    assert [job.folder for job in first] == [job.folder for job in second]
    assert [job.folder for job in first][:2] != [job.folder for job in plan(rows("[a] --ema=0.9"), [0], "out")][:2]


def test_finished_runs_and_pictures_are_only_evaluated(rows, run_dir, tmp_path):
    text = (
        f"[run] --run_dir={run_dir}\n[people] --weights=people\n[theirs] --pictures={tmp_path} --targets={tmp_path}\n"
    )
    jobs = plan(rows(text), [0, 1], "out")
    assert [job.folder for job in jobs] == ["out/run/seed0", "out/people/seed0", "out/theirs/seed0"]
    assert jobs[0].commands == (
        ("-m", "tfwarpgan.evaluate", f"--run_dir={run_dir}", "--output_dir=out/run/seed0/evaluation"),
    )
    facts = jobs[0].facts
    assert len(facts["weights"]) == 64 and len(facts["flags"]) == 12
    assert jobs[1].facts["weights"] not in ("", facts["weights"])


@pytest.mark.parametrize("flag, said", [
    ("--run_dir=nowhere", "line 1: nowhere contains no run"),
    ("--pictures=nowhere", "line 1: nowhere is not a folder"),
    ("--weights=none", "no released weights --weights=none"),
])  # fmt: skip
def test_a_finished_row_that_is_not_there_is_refused(rows, flag, said):
    with pytest.raises(InputError, match=said):
        plan(rows(f"[a] {flag}"), [0], "out")


@pytest.fixture
def job(tmp_path):
    """Function of a name and lines of Python -> a job that runs each in the folder of all jobs."""

    def make(name, *lines, needs=()):
        commands = tuple(("-c", f"import os, sys, time; os.chdir({str(tmp_path)!r}); {line}") for line in lines)
        return Job(name, str(tmp_path / name), commands, tuple(str(tmp_path / need) for need in needs))

    return make


def note(text):
    return f"open('notes', 'a').write('{text} ')"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Function of jobs -> what became of them by name, and what they noted."""
    monkeypatch.setattr(Job, "_new_facts", lambda self: {"weights": "abc"})

    def make(*jobs, **more):
        (tmp_path / "notes").write_text("")
        ended = run_jobs(jobs, **more)
        return {os.path.basename(folder): well for folder, well in ended.items()}, (
            tmp_path / "notes"
        ).read_text().split()

    return make


def test_what_is_done_is_not_done_again(job, run):
    stage, row = job("stage", note("stage")), job("row", note("train"), note("evaluate"), needs=["stage"])
    assert run(row, stage) == ({"stage": True, "row": True}, ["stage", "train", "evaluate"])
    assert run(row, stage) == ({"stage": True, "row": True}, [])
    other = job("row", note("train"), note("evaluate all"), needs=["stage"])
    assert run(other, stage)[1] == ["evaluate", "all"]  # the training has not changed
    assert other.facts == {"weights": "abc"}


def test_a_failure_leaves_out_what_needs_it_and_is_tried_again(job, run, tmp_path, capsys):
    bad = job("bad", note("bad"), "print('what is wrong'); sys.exit(3)")
    jobs = [bad, job("next", note("next"), needs=["bad"]), job("other", note("other"))]
    assert run(*jobs) == ({"bad": False, "next": False, "other": True}, ["bad", "other"])
    said = capsys.readouterr().out
    assert f"bad: failed with exit code 3: {bad.log}" in said and "next: left out" in said
    assert "what is wrong" in pathlib.Path(bad.log).read_text()
    assert len(bad.left) == 1 and run(*jobs)[1] == []


def test_several_at_once(job, run):
    wait = "[time.sleep(.02) for _ in range(3000) if not os.path.exists('both')]"
    jobs = [job("a", f"{note('a')}; {wait}; {note('end')}"), job("b", f"{note('b')}; open('both', 'w')")]
    notes = run(*jobs, at_once=2)[1]
    assert sorted(notes[:2]) == ["a", "b"] and notes[2:] == ["end"]  # a ends only once b has begun


def test_each_end_is_told(job, run):
    ends = []
    run(job("a", note("a")), job("b", "sys.exit(1)"), on_end=lambda: ends.append(1))
    assert len(ends) == 2


def test_what_still_runs_is_not_started_again(job, run, tmp_path):
    """A comparison that was killed leaves its training behind, which holds the folder."""
    wait = "open('runs', 'w'); [time.sleep(.02) for _ in range(1000) if not os.path.exists('end')]"
    left = job("a", wait)
    process = running._start(left)
    with pytest.raises(InputError, match="is in use: another comparison, or a training that an earlier one has left"):
        run(left)
    (tmp_path / "end").touch()
    assert process.wait(30) == 0 and run(left)[0] == {"a": True}


def test_a_signal_stops_the_children(job, tmp_path):
    handler = "import signal; signal.signal(signal.SIGTERM, lambda *_: (open('saved', 'w'), sys.exit(130)))"
    line = f"{handler}; open('started', 'w'); time.sleep(60)"
    script = tmp_path / "script.py"
    script.write_text(f"from tfwarpgan.comparison.running import *\nrun_jobs([{job('a', line)!r}])\n")
    root = str(pathlib.Path(__file__).resolve().parents[2])
    process = subprocess.Popen([sys.executable, script], env={**os.environ, "PYTHONPATH": root}, stderr=subprocess.PIPE)
    for _ in range(600):
        if (tmp_path / "started").exists():
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode and (tmp_path / "saved").exists() and not (tmp_path / "a/finished.json").exists()
