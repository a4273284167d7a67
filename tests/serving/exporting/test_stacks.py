"""A SavedModel of one stack answers alike in the other.

Named by TFWARPGAN_OTHER_PYTHON, an interpreter of the other stack exports the released weights, and this one checks the
SavedModel against its own networks. `.ci/run` does so both ways.
"""

import os
import pathlib
import subprocess

import pytest

from tfwarpgan.flagfiles import run_options
from tfwarpgan.inference.released import released_folder
from tfwarpgan.options import RUN_FLAGFILE
from tfwarpgan.serving.exporting.check import check
from tfwarpgan.serving.exporting.inspection import inspect

ROOT = pathlib.Path(__file__).resolve().parents[3]
OTHER = os.environ.get("TFWARPGAN_OTHER_PYTHON", "")


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The released weights, exported by the other stack."""
    if not OTHER:
        pytest.skip("TFWARPGAN_OTHER_PYTHON names no interpreter of the other stack")
    folder = tmp_path_factory.mktemp("other") / "people"
    command = [OTHER, "-m", "tfwarpgan.export", "--weights=people", f"--export_dir={folder}", "--batch_sizes=1,2"]
    subprocess.run(command, cwd=ROOT, check=True, timeout=600)
    return str(folder / "1")


def test_the_other_is_another_stack(exported):
    import tensorflow as tf

    code = "import tensorflow as tf; print(tf.__version__)"
    output = subprocess.run([OTHER, "-c", code], check=True, capture_output=True, text=True, timeout=300).stdout
    assert output.split()[-1] != tf.__version__


def test_it_answers_as_the_networks_of_this_one(exported):
    from tfwarpgan.inference.loading import load_labeler, load_pipeline

    assert os.path.exists(os.path.join(released_folder("people"), RUN_FLAGFILE))
    options = run_options(released_folder("people"))
    report = check(exported, load_pipeline(options, "people"), load_labeler(options, weights="people"))
    assert set(report) == {"serving_default", "encoded", "photograph", "photograph_encoded"}
    for found in report.values():
        assert found["mean"] < 0.01  # of 255 levels


def test_it_is_sound_here_too(exported):
    found = inspect(exported, [1])
    assert found.problems == [] and found.warmup == 8
