"""The command that prepares."""

import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfwarpgan import prepare
from tfwarpgan.data.records import preparation
from tfwarpgan.options import DataOptions, Options

ROOT = pathlib.Path(__file__).resolve().parents[1]


def test_counts_and_place_are_printed(options, capsys, tmp_path):
    prepare.main(Options(data=options()), prepare.PrepareOptions())
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["train: 5 persons, 14 images, 28 pairs", "test: 2 persons, 5 images, 8 pairs"]
    assert str(tmp_path / "prepared") in lines[2] and "64 x 32" in lines[2]
    assert len(lines) == 3


def test_pictures_of_the_human_parser(tmp_path, capsys):
    root = tmp_path / "lip"
    drawn = np.random.default_rng(0).integers(0, 255, (40, 30, 3), np.uint8)
    for split, count in (("train", 3), ("val", 2)):
        names = [f"{split}{number}" for number in range(count)]
        for folder in (f"TrainVal_images/{split}_images", f"TrainVal_parsing_annotations/{split}_segmentations"):
            (root / folder).mkdir(parents=True)
        for number, name in enumerate(names):
            Image.fromarray(drawn).save(root / f"TrainVal_images/{split}_images/{name}.jpg")
            labels = Image.fromarray(np.full((40, 30), number, np.uint8))
            labels.save(root / f"TrainVal_parsing_annotations/{split}_segmentations/{name}.png")
        (root / f"{split}_id.txt").write_text("\n".join(names))
    data = DataOptions(dataset="lip", lip_dir=str(root), prepared_dir=str(tmp_path / "prepared"))
    prepare.main(Options(data=data), prepare.PrepareOptions())
    assert capsys.readouterr().out.splitlines()[:2] == ["train: 3 images", "val: 2 images"]
    prepared = preparation.prepare(data)
    seen = {record["name"].decode(): record for record in prepared.records("train").as_numpy_iterator()}
    assert seen["train2"]["image"] == (root / "TrainVal_images/train_images/train2.jpg").read_bytes()
    assert (tf.io.decode_png(seen["train2"]["parsing"]).numpy() == 2).all()


@pytest.mark.parametrize(
    "command, flags, words",
    [
        ("prepare", ["--data_dir=/some/where"], "--dataset=people takes no --data_dir"),
        ("prepare", ["--dataset=market1501"], "--dataset=market1501 needs --data_dir"),
        ("prepare", ["--dataset=lip"], "--dataset=lip needs --lip_dir"),
        ("prepare", ["--page=x.html"], "--page needs --check"),
        ("prepare", ["--check", "--beam_runner=DirectRunner"], "either --check or --beam_runner"),
        ("prepare", ["--beam_options=x=1"], "--beam_options needs --beam_runner"),
        ("train", [], "--run_dir is missing"),
        ("train", ["--run_dir=x", "--data_dir=/some/where"], "--dataset=people takes no --data_dir"),
        ("train", ["--run_dir=x", "--dataset=deepfashion"], "--dataset=deepfashion needs --data_dir"),
        ("train", ["--run_dir=x", "--stage=human_parser", "--dataset=folder"], "--dataset=folder needs --data_dir"),
        ("train", ["--run_dir=x", "--dataset=lip"], "only trains --stage=human_parser"),
    ],
)
def test_a_forgotten_place_is_told_before_tensorflow_starts(command, flags, words):
    code = (
        "import sys\n"
        f"from tfwarpgan import {command}\n"
        f"sys.argv = ['{command}', *{flags!r}]\n"
        "try:\n"
        f"    {command}.cli()\n"
        "finally:\n"
        "    assert 'tensorflow' not in sys.modules\n"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert result.returncode == 2, result.stderr
    assert len(result.stderr.strip().splitlines()) == 1 and words in result.stderr


def test_prepared_copies_are_shown_without_tensorflow(tmp_path):
    (tmp_path / "lip-0123456789ab/pictures/own_size").mkdir(parents=True)
    (tmp_path / "lip-0123456789ab/pictures/own_size/x").write_bytes(b"x" * 200_000)
    code = (
        "import sys\nfrom tfwarpgan import prepare\n"
        f"sys.argv = ['prepare', sys.argv[1], '--prepared_dir={tmp_path}']\n"
        "try:\n    prepare.cli()\nfinally:\n    assert 'tensorflow' not in sys.modules\n"
    )
    said = []
    for flag in ("--list_prepared", "--remove_prepared", "--list_prepared"):
        command = [sys.executable, "-c", code, flag]
        said.append(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True).stdout)
    assert f"{tmp_path}/lip-0123456789ab  own_size  0.2 MB" in said[0] and "1 prepared data set, 0.2 MB" in said[0]
    assert "Removed 1 prepared data set" in said[1] and said[2] == f"0 prepared data sets, 0.0 MB, in {tmp_path}.\n"
