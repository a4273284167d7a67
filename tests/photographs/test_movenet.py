"""MoveNet from Kaggle, by a stand-in for its client: fetched once, and refused if it is another one later."""

import json
import sys
import types

import pytest

from tfwarpgan.errors import InputError
from tfwarpgan.photographs import movenet
from tfwarpgan.photographs.estimator import load_estimator


@pytest.fixture
def kaggle(tmp_path, monkeypatch):
    """Folder that the client downloads to; what it was asked for is in `asked`."""
    folder = tmp_path / "kagglehub"
    asked = []

    def model_download(handle, path=None, *, force_download=False):
        asked.append(handle)
        (folder / "variables").mkdir(parents=True, exist_ok=True)
        (folder / "saved_model.pb").write_bytes(b"graph")
        (folder / "variables" / "variables.index").write_bytes(b"index")
        return str(folder)

    monkeypatch.setitem(sys.modules, "kagglehub", types.SimpleNamespace(model_download=model_download))
    monkeypatch.setattr(movenet, "RECORD", str(tmp_path / "cache" / "movenet.json"))
    return types.SimpleNamespace(folder=folder, asked=asked, record=tmp_path / "cache" / "movenet.json")


def test_it_is_fetched_once_and_then_needs_no_client(kaggle, monkeypatch, capsys):
    assert movenet.fetched_movenet() == str(kaggle.folder)
    assert kaggle.asked == ["google/movenet/tensorFlow2/singlepose-thunder/4"]
    assert "note: MoveNet is fetched from Kaggle, once" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    assert movenet.fetched_movenet() == str(kaggle.folder) and capsys.readouterr().err == ""
    assert json.loads(kaggle.record.read_text())["sha256"] == movenet.sha256_of(str(kaggle.folder))


@pytest.mark.parametrize("change", ["another graph", "one file more", "fetched again"])
def test_another_one_is_refused_by_both_checksums(kaggle, change):
    movenet.fetched_movenet()
    record = json.loads(kaggle.record.read_text())
    first = record["sha256"]
    if change == "another graph":
        (kaggle.folder / "saved_model.pb").write_bytes(b"another")
    elif change == "one file more":
        (kaggle.folder / "variables" / "more").write_bytes(b"")
    else:  # Kaggle's cache was deleted, and its file is another one now
        first = record["sha256"] = "0" * 64
        kaggle.record.write_text(json.dumps(record))
        (kaggle.folder / "saved_model.pb").unlink()
    with pytest.raises(InputError, match=rf"its sha256 is [0-9a-f]{{64}}, and it was {first}; delete that folder"):
        movenet.fetched_movenet()


def test_without_the_client_or_the_network_one_sentence_tells_what_to_do(kaggle, monkeypatch):
    def unreachable(handle):
        raise ConnectionError("no route\nto host")

    monkeypatch.setitem(sys.modules, "kagglehub", types.SimpleNamespace(model_download=unreachable))
    with pytest.raises(InputError, match=r"cannot be fetched from Kaggle \(no route to host\); give --pose_estimator="):
        load_estimator("")
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    with pytest.raises(InputError, match=r"Nothing finds the joints .*: pip install 'tfwarpgan\[photo\]', which"):
        load_estimator("")
    assert not kaggle.record.exists()
