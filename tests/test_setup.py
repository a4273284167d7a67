"""What setup.py promises is there: version, data, commands."""

import ast
import importlib
import pathlib
import re
import subprocess
import sys

import pytest

import tfwarpgan

ROOT = pathlib.Path(__file__).resolve().parents[1]
COMMANDS = ("train", "prepare", "annotate", "evaluate", "synthesize", "export", "serve", "traces")


def test_the_version_is_that_of_the_changelog():
    assert re.fullmatch(r"\d+\.\d+\.\d+", tfwarpgan.__version__)
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE).group(1)
    assert newest == tfwarpgan.__version__


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_has_its_entry_point(command):
    assert callable(importlib.import_module(f"tfwarpgan.{command}").cli)


@pytest.mark.parametrize("command", COMMANDS)
def test_importing_a_command_does_not_import_tensorflow(command):
    code = f"import sys, tfwarpgan.{command}; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60).returncode == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_run_as_a_module(command):
    tree = ast.parse((ROOT / "tfwarpgan" / f"{command}.py").read_text())
    last = tree.body[-1]
    assert isinstance(last, ast.If) and ast.unparse(last) == "if __name__ == '__main__':\n    cli()"


@pytest.mark.parametrize("pattern", ["data/people_render.tar.gz", "weights/*/*.npz", "weights/*/options.flags"])
def test_what_the_package_ships_is_there(pattern):
    files = list((ROOT / "tfwarpgan").glob(pattern))
    assert files and all(path.stat().st_size > 0 for path in files)


def test_the_package_is_small_enough_to_ship():
    sizes = [path.stat().st_size for path in (ROOT / "tfwarpgan").rglob("*") if path.suffix in (".gz", ".npz")]
    assert sum(sizes) < 40e6
