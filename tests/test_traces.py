"""A capture from a running service holds a marked step for each run, and can be read without a browser."""

import importlib.util
import json
import pathlib
import socket
import subprocess
import sys
import threading

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan import traces
from tfwarpgan.errors import InputError
from tfwarpgan.serving.client import Client

ROOT = pathlib.Path(__file__).resolve().parents[1]


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture(scope="module")
def captured(tmp_path_factory):
    """Folder of a capture of one second, of a service that answers all along."""
    folder, port = tmp_path_factory.mktemp("profile"), free_port()
    module = tf.Module()
    spec = tf.TensorSpec([None, 64], tf.float32, "x")
    module.function = tf.function(lambda x: {"y": tf.matmul(x, x, transpose_b=True)}, input_signature=[spec])
    tf.saved_model.save(module, str(folder / "model" / "1"), signatures=module.function)
    flags = ["--port=0", f"--profile_port={port}", "--model_name=m", f"--model_base_path={folder / 'model'}"]
    server = subprocess.Popen(
        [sys.executable, "-m", "tfwarpgan.serve", *flags], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    stop = threading.Event()

    def ask(target):
        with Client(target, "m") as client:
            while not stop.is_set():
                client.predict({"x": np.ones([4, 64], np.float32)})

    try:
        target = next(line for line in server.stdout if line.startswith("gRPC at ")).split()[-1]
        caller = threading.Thread(target=ask, args=[target])
        caller.start()
        tf.profiler.experimental.client.trace(f"grpc://localhost:{port}", str(folder / "logs"), 1000)
    finally:
        stop.set()
        server.terminate()
        server.wait(30)
        server.stdout.close()
    caller.join(30)
    return str(folder / "logs")


def test_each_run_is_a_step(captured):
    ((name, found),) = traces.steps(traces.newest(captured)).items()
    numbers = list(found)
    assert name == "predict" and len(numbers) > 10
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))  # none is missing
    assert all(milliseconds > 0 for milliseconds in found.values())


def test_the_operations_are_timed(captured):
    times, counts = traces.operations(traces.newest(captured))
    kind = max((kind for kind in counts if "MatMul" in kind), key=counts.get)
    assert counts[kind] > 10 and times[kind] > 0


def test_the_command_prints_both(captured, capsys):
    traces.main(traces.TraceOptions(logdir=captured, operations=50))
    printed = capsys.readouterr().out
    assert "predict: " in printed and "MatMul" in printed


def test_no_profile_is_one_sentence(tmp_path):
    (tmp_path / "plugins" / "profile" / "2026_01_01").mkdir(parents=True)
    with pytest.raises(InputError, match="contains no profile"):
        traces.newest(str(tmp_path))


def test_the_profile_plugin_reads_it(captured):
    """TensorBoard's page gets the steps from the plugin that setup.py pins for this stack."""
    if importlib.util.find_spec("xprof"):
        from xprof.convert import raw_to_tool_data

        tool = "trace_viewer"
    else:
        raw_to_tool_data = pytest.importorskip("tensorboard_plugin_profile.convert.raw_to_tool_data")
        tool = "trace_viewer^"
    data, _ = raw_to_tool_data.xspace_to_tool_data(traces.newest(captured), tool, {})
    events = json.loads(data)["traceEvents"]
    steps = {event["args"]["step_num"] for event in events if event.get("name", "").startswith("predict")}
    assert len(steps) > 10
