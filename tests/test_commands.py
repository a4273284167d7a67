"""The command line: what --help prints, what is refused, and what works where TensorFlow is not installed."""

import importlib
import os
import pathlib
import re
import signal
import subprocess
import sys

import pytest

from tfwarpgan import flagfiles, options, study
from tfwarpgan.__main__ import COMMANDS
from tfwarpgan.flags import all_fields

ROOT = pathlib.Path(__file__).resolve().parents[1]
TENSORFLOW = ("tensorflow", "keras", "tensorflow_datasets", "tensorflow_io", "tensorflow_addons")
# Python with the client's packages only; the first argument is the module to run.
CLIENT_ONLY = f"""
import importlib.abc, runpy, sys

class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {TENSORFLOW}:
            raise ModuleNotFoundError(f"No module named '{{name}}'", name=name)

sys.meta_path.insert(0, Missing())
del sys.argv[0]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


def python(*arguments):
    return subprocess.run([sys.executable, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, timeout=120)


def command(name, *arguments):
    return python("-m", f"tfwarpgan.{name}", *arguments)


def alone(name, *arguments):
    return python("-c", CLIENT_ONLY, f"tfwarpgan.{name}", *arguments)


def imported(stderr):
    """The packages that a process of `-X importtime` imported."""
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in stderr.splitlines() if "import time:" in line}


def sentence(result):
    assert result.returncode == 2, result.stdout + result.stderr
    assert result.stderr.startswith("error: ") and result.stderr.count("\n") == 1, result.stderr
    return result.stderr


@pytest.fixture(scope="module")
def helps():
    """The text of `--help` by command, each from a process that imports no TensorFlow."""
    texts = {}
    for name in COMMANDS:
        result = python("-X", "importtime", "-m", f"tfwarpgan.{name}", "--help")
        assert result.returncode == 0, result.stderr
        assert {"absl", "tfwarpgan"} <= imported(result.stderr) and not imported(result.stderr) & {*TENSORFLOW}
        texts[name] = result.stdout
    return texts


def listed(text):
    return re.findall(r"^  --(?:\[no\])?(\w+)", text, re.MULTILINE)


def test_the_package_lists_its_commands():
    result = python("-m", "tfwarpgan")
    assert result.returncode == 0 and result.stderr == ""
    lines = re.findall(r"^  (\w+) +(\S.*)$", result.stdout, re.MULTILINE)
    assert [name for name, _ in lines] == list(COMMANDS) and all(len(line) < 110 for _, line in lines)
    for name, line in lines:
        assert importlib.import_module(f"tfwarpgan.{name}").__doc__.startswith(line)
    assert "python -m tfwarpgan.train" in sentence(python("-m", "tfwarpgan", "train"))


def test_the_help_begins_with_the_usage(helps):
    for name, text in helps.items():
        action = f" {'|'.join(study.ACTIONS)}" if name == "study" else ""
        assert text.startswith(f"usage: python -m tfwarpgan.{name}{action} [--flag=value ...]\n\n"), name
        assert importlib.import_module(f"tfwarpgan.{name}").__doc__.splitlines()[0] in text
        assert max(map(len, text.splitlines())) <= 120 and len(listed(text)) == len(set(listed(text)))


def test_the_help_of_a_training_lists_all_of_its_options_in_their_groups(helps):
    parts = (options.WorkerOptions, *options.PARTS)
    fields = [field for cls in parts for field in all_fields(cls)]
    assert listed(helps["train"]) == [field.name for field in fields]
    of_a_run = [field for cls in options.PARTS for field in all_fields(cls)]
    assert {field.name for field in of_a_run} == {field.name for field in all_fields(options.Options)}
    titles = [f"\n{cls.__doc__.splitlines()[0].rstrip('.')}:\n" for cls in parts]
    places = [helps["train"].index(title) for title in titles]
    assert places == sorted(places)
    assert "--height=N" in helps["train"] and "(default: 128; 32 to 1024)" in helps["train"]
    assert "--pose_map=disc|gaussian" in helps["train"] and "--[no]flip" in helps["train"]


@pytest.mark.parametrize("name", ["annotate", "evaluate", "synthesize", "export"])
def test_a_command_of_a_run_lists_what_it_reads(helps, name):
    assert listed(helps[name])[0] == "run_dir"
    of_training = {"learning_rate", "generator_width", "lambda_pixel", "flip", "pose_radius", "stage"}
    assert not of_training & {*listed(helps[name])}
    of_batch = next(field for field in all_fields(options.BatchOptions) if field.name == "batch_size")
    told = f"{of_batch.metadata['help']} (default: the run's; at least 1)"
    assert name == "export" or told in " ".join(helps[name].split())


@pytest.mark.parametrize("arguments", [
    ["tfwarpgan.compare", "--rows=configs/table1.compare", "--dry_run"], ["tfwarpgan.train", "--help"],
    ["tfwarpgan.study", "--help"], ["tfwarpgan"],
])  # fmt: skip
def test_nobody_reads_on(arguments):
    """As behind `| head -1`: the reader has gone before the command prints."""
    reading, writing = os.pipe()
    os.close(reading)
    result = subprocess.run(
        [sys.executable, "-m", *arguments], cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=120
    )
    os.close(writing)
    assert result.stderr == "" and result.returncode == 128 + signal.SIGPIPE


def test_the_help_comes_before_what_is_wrong():
    result = command("serve", "--no_such_flag", "--help")
    assert result.returncode == 0 and result.stdout.startswith("usage: ")


@pytest.mark.parametrize(
    "name, argument",
    [
        ("synthesize", "--keypoints=x"),
        ("synthesize", "--learning_rate=1"),
        ("synthesize", "--noflip"),
        ("synthesize", "--decorrelated_colours"),
        ("evaluate", "--generator_width=8"),
        ("evaluate", "--pose_radius=1"),
        ("annotate", "--data_dir=x"),
        ("export", "--batch_size=2"),
        ("prepare", "--learning_rate=1"),
        ("prepare", "--batch_size=2"),
        ("prepare", "--run_dir=x"),
    ],
)
def test_a_flag_without_an_effect_is_refused(name, argument):
    flag = argument.partition("=")[0]
    assert f"{flag} has no effect on this command" in sentence(command(name, argument))


def test_how_images_are_finished_may_differ_from_the_run():
    flags = ("--weights=people", "--generator_average_shifts=1", "--generator_sharpening=0")
    assert "--export_dir is missing" in sentence(command("export", *flags))


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("photo", ("--weights=people", "--server=localhost:1")),
        ("synthesize", ("--server=localhost:1", "--image=a.png", "--pose_json=b.json", "--output=c.png")),
        ("evaluate", ("--pictures=a", "--output_dir=b")),
    ],
)
def test_how_images_are_finished_is_not_said_where_others_draw(name, arguments):
    told = sentence(command(name, *arguments, "--generator_average_shifts=2"))
    assert "--generator_average_shifts has no effect beside " in told


def test_the_flagfile_of_a_training_fits_prepare_but_not_what_reads_a_run(tmp_path):
    flagfile = f"--flagfile={ROOT}/configs/market.flags"
    assert "data/market1501/bounding_box_train is missing" in sentence(command("prepare", flagfile))
    assert "has no effect on this command: the run has its own" in sentence(command("evaluate", flagfile))
    (tmp_path / "own.flags").write_text(f"--run_dir={tmp_path}\n--batch_size=4\n")
    assert "contains no run" in sentence(command("evaluate", f"--flagfile={tmp_path}/own.flags"))


def test_a_run_and_released_weights_exclude_each_other(tmp_path):
    told = sentence(command("export", "--weights=people", f"--run_dir={tmp_path}", f"--export_dir={tmp_path}/out"))
    assert "either --weights or --run_dir, not both" in told


def test_a_data_set_is_checked_without_tensorflow(market, tmp_path):
    flags = ["--dataset=market1501", f"--data_dir={market}", "--check", "--workers=2"]
    result = python("-X", "importtime", "-m", "tfwarpgan.prepare", *flags)
    assert result.returncode == 0 and "0 errors" in result.stdout, result.stderr
    assert {"PIL", "numpy"} <= imported(result.stderr) and not imported(result.stderr) & {*TENSORFLOW}
    result = alone("prepare", *flags, f"--page={tmp_path}/page.html")
    assert result.returncode == 0 and "0 errors" in result.stdout, result.stderr


@pytest.fixture
def needing(market, tmp_path):
    """Arguments of each command with which it comes to where it needs TensorFlow."""
    data, picture = ["--dataset=market1501", f"--data_dir={market}"], "0004_c1s1_000000_01"
    (tmp_path / options.RUN_FLAGFILE).write_text(flagfiles.to_flagfile(options.Options()))
    (tmp_path / "plugins/profile/1").mkdir(parents=True)
    for name in ("saved_model.pb", "plugins/profile/1/a.xplane.pb"):
        (tmp_path / name).touch()
    (tmp_path / "t.compare").write_text("[full]\n")
    pose = [f"--annotation={market}/market-annotation-test.csv", f"--pose_name={picture}.jpg"]
    files = [f"--image={market}/bounding_box_test/{picture}.jpg", f"--parsing={market}/parsing/{picture}.png"]
    photo = ["--weights=people", f"--pose_estimator={tmp_path}"]
    return {
        "train": [*data, f"--run_dir={tmp_path}/run"],
        "prepare": [*data, f"--prepared_dir={tmp_path}/prepared"],
        "annotate": [f"--run_dir={tmp_path}", f"--image_dir={market}", f"--parsing_dir={tmp_path}/out"],
        "evaluate": ["--weights=people", f"--output_dir={tmp_path}/out"],
        "compare": [f"--rows={tmp_path}/t.compare", f"--output_dir={tmp_path}/table"],
        "synthesize": ["--weights=people", *files, *pose, f"--output={tmp_path}/out.png"],
        "photo": [*photo, files[0], f"--pose_from={market}/x.jpg", f"--output={tmp_path}/out.png"],
        "studio": ["--weights=people"],
        "export": [f"--check={tmp_path}"],
        "serve": [f"--model_base_path={market}"],
        "traces": [f"--logdir={tmp_path}"],
    }


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in ("study", "convert")])
def test_what_is_not_installed_is_told_in_one_sentence(needing, name):
    told = sentence(alone(name, *needing[name]))
    assert "tensorflow" in told and "not installed: pip install 'tfwarpgan[tensorflow]' brings it." in told


def test_a_study_needs_no_tensorflow(market, tmp_path):
    pictures = [f"--a=train={market}/bounding_box_train", f"--b=test={market}/bounding_box_test"]
    flags = [f"--study={tmp_path}/study", *pictures, "--contact=x@example.org"]
    assert "has no picture of that name from" in sentence(alone("study", "make", *flags))
    assert "trials.json is missing" in sentence(alone("study", "analyze", f"--study={tmp_path}"))


def test_an_export_without_tensorflow_is_told_too(tmp_path):
    told = sentence(alone("export", "--weights=people", f"--export_dir={tmp_path}/out"))
    assert "pip install 'tfwarpgan[tensorflow]'" in told and not (tmp_path / "out").exists()
