"""Preparing that is interrupted, repeated, or done by two at once: the same bytes, nothing half-written believed."""

import hashlib
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from tfwarpgan.data.records import builders, preparation
from tfwarpgan.storage import locks

ROOT = pathlib.Path(__file__).resolve().parents[3]
# Writing that waits in its midst until it is killed.
SLOW = """
import sys, time
from tfwarpgan.data.records import encoding, preparation
from tfwarpgan.options import DataOptions

def wait(person, framing):
    print("writing", file=sys.__stdout__, flush=True)
    time.sleep(60)

encoding.person_record = wait
data_dir, prepared_dir = sys.argv[1:]
preparation.prepare(
    DataOptions(dataset="market1501", data_dir=data_dir, prepared_dir=prepared_dir, height=64, width=32), workers=1
)
"""


def _hashes(prepared):
    folder = pathlib.Path(prepared.folder)
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*tfrecord*")}


def test_two_runs_give_the_same_bytes(options, tmp_path):
    first = preparation.prepare(options(), workers=1)
    second = preparation.prepare(options(prepared_dir=str(tmp_path / "again")), workers=3)
    assert first.folder != second.folder
    assert _hashes(first) == _hashes(second) and len(_hashes(first)) == 2


def test_records_that_go_through_files_are_the_same(options, tmp_path, monkeypatch):
    first = preparation.prepare(options())
    monkeypatch.setattr(builders, "SHUFFLE_BYTES", 1000)
    second = preparation.prepare(options(prepared_dir=str(tmp_path / "again")))
    assert _hashes(first) == _hashes(second)
    assert not list((tmp_path / "again").rglob("*.tmp"))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_one_is_made_anew_and_its_rest_removed(options, market, tmp_path, how):
    command = [sys.executable, "-c", SLOW, str(market), str(tmp_path / "prepared")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout.readline() == b"writing\n"
        process.send_signal(how)
        assert process.wait() != 0
    incomplete = list((tmp_path / "prepared").rglob("*incomplete*"))
    assert bool(incomplete) == (how != signal.SIGINT)  # Python itself cleans up after Ctrl-C
    prepared = preparation.prepare(options())
    assert len(_hashes(prepared)) == 2 and prepared.num_images == {"train": 14, "test": 5}
    assert not list((tmp_path / "prepared").rglob("*incomplete*"))


def test_a_folder_is_had_alone(tmp_path):
    folder = str(tmp_path / "folder")
    code = f"""
from tfwarpgan.storage import locks
with locks.locked({folder!r}):
    print("in", flush=True)
"""
    with locks.locked(folder):
        process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE)
        time.sleep(1)
        assert process.poll() is None
    assert process.communicate(timeout=30)[0] == b"in\n"
    assert not os.listdir(tmp_path)
