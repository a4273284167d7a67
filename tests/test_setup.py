"""What setup.py promises is there: version, data, commands."""

import ast
import importlib
import pathlib
import re
import runpy
import unittest.mock

import pytest

import tfwarpgan
from tfwarpgan.__main__ import COMMANDS

ROOT = pathlib.Path(__file__).resolve().parents[1]


def test_the_version_is_the_newest_release_of_the_changelog():
    assert re.fullmatch(r"\d+\.\d+\.\d+", tfwarpgan.__version__)
    releases = re.findall(r"^## \[(\d\S*)\] - \d{4}-\d\d-\d\d$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert releases[0] == tfwarpgan.__version__


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_has_its_entry_point(command):
    assert callable(importlib.import_module(f"tfwarpgan.{command}").cli)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_run_as_a_module(command):
    tree = ast.parse((ROOT / "tfwarpgan" / f"{command}.py").read_text())
    last = tree.body[-1]
    assert isinstance(last, ast.If) and ast.unparse(last) == "if __name__ == '__main__':\n    cli()"


@pytest.mark.parametrize("pattern", [
    "data/people_render.tar.gz", "weights/*/*.npz", "weights/*/options.flags", "weights/*/*/*.npz",
    "weights/*/*/options.flags", "human_study/web/*.js",
    "photo_studio/web/index.html", "photo_studio/web/poses.json", "photo_studio/web/*.js", "photo_studio/web/*.css",
    "human_study/web/jspsych/license.txt",
])  # fmt: skip
def test_what_the_package_ships_is_there(pattern):
    files = list((ROOT / "tfwarpgan").glob(pattern))
    assert files and all(path.stat().st_size > 0 for path in files)


def arguments():
    """The arguments of `setup`."""
    found = {}
    with unittest.mock.patch("setuptools.setup", lambda **arguments: found.update(arguments)):
        runpy.run_path(str(ROOT / "setup.py"))
    return found


def test_every_command_is_a_program():
    programs = [f"tfwarpgan-{command}=tfwarpgan.{command}:cli" for command in COMMANDS]
    assert sorted(arguments()["entry_points"]["console_scripts"]) == sorted(programs)


def requirements():
    """What is installed always, and by extra."""
    return arguments()["install_requires"], arguments()["extras_require"]


def names(wanted):
    return {re.match(r"[\w-]+", requirement).group() for requirement in wanted}


def test_the_client_brings_no_tensorflow():
    base, extras = requirements()
    assert names([*base, *extras["client"]]) == {"absl-py", "filelock", "numpy", "pillow", "tqdm", "grpcio", "protobuf"}
    assert {"tensorflow", "keras", "tensorflow-addons", "tensorflow-io"} <= names(extras["tensorflow"])
    assert names(extras["tensorflow"]) <= names(extras["dev"])


def test_cuda_brings_the_same_tensorflow_with_its_cuda_libraries():
    _, extras = requirements()
    added = set(extras["cuda"]) - set(extras["tensorflow"])
    assert {requirement.replace("[and-cuda]", "") for requirement in added} == {
        requirement for requirement in extras["tensorflow"] if requirement.startswith("tensorflow==")
    }
    assert all("[and-cuda]" in requirement for requirement in added) and set(extras["tensorflow"]) < set(extras["cuda"])


def test_no_test_of_the_profile_page_is_skipped_for_want_of_its_package():
    _, extras = requirements()
    assert set(extras["profile"]) <= set(extras["dev"])


def test_the_package_is_small_enough_to_ship():
    sizes = [path.stat().st_size for path in (ROOT / "tfwarpgan").rglob("*") if path.suffix in (".gz", ".npz")]
    assert sum(sizes) < 40e6
