"""Paths in object stores: what is said without tensorflow-io, and, against a local stand-in of S3, all that is done."""

import json
import os
import pathlib
import socket
import subprocess
import sys
import time

import pytest

from tfwarpgan.errors import InputError
from tfwarpgan.storage import object_store

PROCESS = pathlib.Path(__file__).with_name("object_store_process.py")
ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_remote_paths():
    assert all(object_store.is_remote(path) for path in ("s3://people/x", "gs://people", "hdfs://host/people"))
    assert not any(object_store.is_remote(path) for path in ("", "/s3://people", "people", "file:///people"))


def test_without_tensorflow_io_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_io", None)
    with pytest.raises(InputError, match="s3://people needs tensorflow-io.*pip install 'tensorflow-io"):
        object_store.connect("s3://people")


@pytest.fixture(scope="module")
def server():
    """Address of an S3 server, a process of its own: TensorFlow holds Python's lock while it waits for an answer."""
    pytest.importorskip("tensorflow_io", reason="tensorflow-io is not there for this Python")
    pytest.importorskip("moto", reason="moto is not installed: pip install 'tfwarpgan[dev]'")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(port)
            yield f"127.0.0.1:{port}"
        finally:
            process.kill()


def _wait_for(port):
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError("moto's server did not start")


@pytest.fixture(scope="module")
def environment(server):
    """What tells TensorFlow's S3 of the server."""
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT), "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "AWS_REGION": "us-east-1",
        "S3_ENDPOINT": f"http://{server}", "S3_USE_HTTPS": "0", "S3_VERIFY_SSL": "0",
    }  # fmt: skip


def _run(environment, *arguments):
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)


# One process for all, which is not this one: S3 would abort it at its end.
def test_data_prepared_data_and_runs_in_a_bucket(server, environment, market, tmp_path):
    child = _run(environment, str(PROCESS), server, str(market), str(tmp_path))
    assert child.returncode == 0, child.stderr
    *told, last = child.stdout.strip().splitlines()
    seen = json.loads(last)
    assert seen["same"] and seen["again"] and seen["changed"] and seen["kept"]
    assert seen["nothing"].startswith("s3://people/nothing is missing")
    assert seen["folder"].startswith("s3://people/prepared/market1501-")
    assert seen["counts"] and seen["records"] and seen["once"]
    assert seen["trained"] == [True, True] and "1 steps are done" in "".join(told)
    assert seen["options"]
    assert {"options.flags", "checkpoint"} <= set(seen["run"]) and any("tfevents" in name for name in seen["run"])

    flags = {"data_dir": "s3://people/market", "prepared_dir": "s3://people/prepared", "dataset": "market1501"}
    flags |= {"height": 64, "width": 32}
    environment = {**environment, "HOME": str(tmp_path)}
    command = _run(environment, "-m", "tfwarpgan.prepare", *(f"--{name}={value}" for name, value in flags.items()))
    assert command.returncode == 0, command.stderr
    assert "s3://people/prepared/market1501-" in command.stdout
