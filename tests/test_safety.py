"""No file is ever unpickled: the package imports nothing that runs what it reads."""

import ast
import pathlib

import numpy as np
import pytest

PACKAGE = pathlib.Path(__file__).resolve().parents[1] / "tfwarpgan"
RUNS_WHAT_IT_READS = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "torch"}


def _imports(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name.split(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").split(".")[0]


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_unpickles_or_evaluates(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not RUNS_WHAT_IT_READS & set(_imports(tree))
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        assert not (isinstance(call.func, ast.Name) and call.func.id in ("eval", "exec"))
        assert not any(word.arg == "allow_pickle" and ast.unparse(word.value) != "False" for word in call.keywords)


def test_numpy_refuses_pickles_by_itself(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(ValueError, match="allow_pickle"):
        np.load(tmp_path / "a.npy")
