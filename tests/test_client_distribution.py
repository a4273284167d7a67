"""tfwarpgan-client: the same modules and version, and no requirement that brings TensorFlow."""

import ast
import pathlib
import re
import subprocess
import sys

import pytest

import tfwarpgan

ROOT = pathlib.Path(__file__).resolve().parents[1]
LIGHT = {"grpcio", "numpy", "protobuf"}


def listed(name, part):
    """The requirements in a list of client/setup.py, by name."""
    tree = ast.parse((ROOT / "client" / "setup.py").read_text())
    (call,) = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "setup"]
    (value,) = [ast.literal_eval(each.value) for each in call.keywords if each.arg == name]
    return {re.match(r"[\w-]+", requirement).group() for requirement in (value[part] if part else value)}


def test_it_requires_what_the_client_imports():
    assert listed("install_requires", "") == LIGHT
    assert listed("extras_require", "synthesize") == {"absl-py", "pillow", "tqdm"}


def test_it_has_the_version_of_the_package():
    query = [sys.executable, "setup.py", "--quiet", "--name", "--version"]
    output = subprocess.run(query, cwd=ROOT / "client", capture_output=True, text=True, timeout=60, check=True).stdout
    assert output.split()[-2:] == ["tfwarpgan-client", tfwarpgan.__version__]


@pytest.mark.parametrize("command", ["train", "export"])
def test_without_tensorflow_other_commands_say_what_to_install(command, tmp_path):
    code = (
        "import sys; sys.modules['tensorflow'] = None\n"
        f"import tfwarpgan.{command} as command; sys.argv = ['{command}', *sys.argv[1:]]; command.cli()"
    )
    arguments = {"train": [f"--run_dir={tmp_path}"], "export": ["--weights=people", f"--export_dir={tmp_path}"]}
    result = subprocess.run(
        [sys.executable, "-c", code, *arguments[command]], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 2 and "TensorFlow is not installed" in result.stderr
