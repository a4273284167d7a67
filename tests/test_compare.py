"""The command that compares: what it refuses, what it would run, and the table of what is finished."""

import json
import os

import numpy as np
import pytest

from tfwarpgan import compare
from tfwarpgan.comparison.jobs import Job, job_of
from tfwarpgan.comparison.rows import read_rows
from tfwarpgan.errors import InputError
from tfwarpgan.storage.writing import save_png

ROWS = "[full]\n[w/o L_PH] --lambda_pyramid=0\n"


@pytest.fixture
def options(tmp_path):
    """Function of flags -> options of a comparison of two rows."""
    (tmp_path / "t.compare").write_text(ROWS)

    def make(**flags):
        given = {"rows": str(tmp_path / "t.compare"), "seeds": "0,1", "output_dir": str(tmp_path / "out"), **flags}
        return compare.CompareOptions(**given)

    return make


@pytest.mark.parametrize("flags, said", [
    ({"rows": ""}, "--rows is missing"),
    ({"seeds": "0,x"}, "--seeds=0,x must be whole numbers"),
    ({"seeds": "1,01"}, "each once"),
    ({"seeds": ",".join(map(str, range(21)))}, "--seeds: at most 20"),
    ({"output_dir": "a,b"}, "must not have a comma"),
    ({"only": "nobody"}, r"has no row \[nobody\], only full; w/o L_PH"),
    ({"evaluate": "'"}, "--evaluate=' cannot be read"),
    ({"rows": "nowhere.compare"}, "nowhere.compare is missing"),
])  # fmt: skip
def test_what_is_wrong_is_one_sentence_and_nothing_is_written(options, tmp_path, flags, said):
    with pytest.raises(InputError, match=said):
        compare.main(options(**flags))
    assert not (tmp_path / "out").exists()


def test_a_dry_run_prints_the_commands(options, tmp_path, capsys):
    compare.main(options(dry_run=True, only="w/o L_PH", train="--perceptual_weights=vgg.npz", seeds="4"))
    said = capsys.readouterr().out
    assert said.count("python -m tfwarpgan.train") == 3 and said.count("python -m tfwarpgan.evaluate") == 1
    assert "# [w/o L_PH] seed 4: 2 of 2 commands are left" in said and "[full]" not in said
    assert said.count("--lambda_pyramid=0 --perceptual_weights=vgg.npz --seed=4") == 3
    assert not (tmp_path / "out").exists()


@pytest.fixture
def finished(evaluation_of, options, monkeypatch):
    """Function of title -> seed -> SSIM: leaves what a finished run of that row and seed would."""
    monkeypatch.setattr(Job, "_new_facts", lambda self: {"flags": "f1a95", "weights": "ab" * 32})

    def make(rows):
        given = options()
        for row in read_rows(given.rows):
            for seed, ssim in rows.get(row.title, {}).items():
                job = job_of(row, seed, given.folder)
                evaluation_of(job.evaluation, ssim)
                job.remember(0)

    return make


@pytest.fixture
def evaluation_of():
    """Function of a folder and an SSIM: writes an evaluation of two pairs there."""

    def make(folder, ssim):
        os.makedirs(folder)
        metric = {"protocol": "of everything", "goal": "higher", "model": ssim}
        with open(f"{folder}/metrics.json", "w") as file:
            json.dump({"metrics": {"ssim": metric}}, file)
        with open(f"{folder}/pairs.csv", "w") as file:
            file.write(f"from,to,ssim_model\na.jpg,b.jpg,{ssim}\na.jpg,c.jpg,{ssim}\n")
        for kind, level in (("condition", 0), ("synthesized", int(255 * ssim)), ("target", 255)):
            save_png(f"{folder}/even_pairs/00_{kind}.png", np.full((8, 4, 3), level, np.uint8))

    return make


def test_the_table_of_what_is_finished(finished, options, tmp_path, monkeypatch, capsys):
    finished({"full": {0: 0.5, 1: 0.7}, "w/o L_PH": {0: 0.4}})
    monkeypatch.setattr(compare, "run_jobs", lambda jobs, at_once, on_end: {job.folder: True for job in jobs})
    compare.main(options())
    text = (tmp_path / "out/table.md").read_text()
    assert text in capsys.readouterr().out
    assert "| full | 0.6000 ± 1.2706 |" in text and r"| w/o L\_PH | 0.4000 (1) |" in text
    assert (
        r"Missing: \[w/o L\_PH\] seed 1: has not run" in text
        and "[full] seed 0 abababababab".replace("[full]", r"\[full\]") in text
    )
    assert {"table.md", "table.tex", "table.csv", "table.json", "index.html"} <= {*os.listdir(tmp_path / "out")}
    content = json.loads((tmp_path / "out/table.json").read_text())
    assert content["weights sha256"]["[full] seed 0"] == "ab" * 32 and len(content["commit"]) >= 40
    page = (tmp_path / "out/index.html").read_text()
    assert page.count('alt="synthesized"') == 2 and page.count('alt="target"') == 1
    assert page.index("<th>full</th>") < page.index("<th>w/o L_PH</th>")


def test_a_failed_run_ends_with_1_and_a_dash(finished, options, tmp_path, monkeypatch):
    finished({"full": {0: 0.5}})
    log = tmp_path / "out/w_o_L_PH/seed0/log.txt"

    def fail(jobs, at_once, on_end):
        log.parent.mkdir(parents=True)
        log.write_text("error: something")
        return {job.folder: "w_o" not in job.folder for job in jobs}

    monkeypatch.setattr(compare, "run_jobs", fail)
    with pytest.raises(SystemExit) as ended:
        compare.main(options(seeds="0"))
    assert ended.value.code == 1
    text = (tmp_path / "out/table.md").read_text()
    assert r"| w/o L\_PH | - |" in text and f"failed or stopped: {log}".replace("_", r"\_") in text


def test_nothing_finished_is_no_table(options, tmp_path, monkeypatch):
    monkeypatch.setattr(compare, "run_jobs", lambda jobs, at_once, on_end: {})
    compare.main(options())
    assert not (tmp_path / "out").exists()
