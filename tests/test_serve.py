"""The command: its flags, its start, its failures and its end."""

import concurrent.futures
import contextlib
import http.client
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import grpc
import numpy as np
import pytest
import tensorflow as tf

import tfwarpgan
from tfwarpgan.errors import InputError
from tfwarpgan.serve import ServeOptions
from tfwarpgan.serving.service.server import session_config
from tfwarpgan.serving.service.unused_flags import REASONS
from tfwarpgan.serving.wire import messages, tensors

ROOT = pathlib.Path(__file__).resolve().parents[1]
# All flags of tensorflow_model_server 2.15, with a value each; either program fits the same command line.
FLAGS = """port=0 rest_api_port=-1 grpc_socket_path= rest_api_num_threads=4 rest_api_timeout_in_ms=30000
rest_api_enable_cors_support=true enable_batching=true allow_version_labels_for_unavailable_models=true
batching_parameters_file= enable_per_model_batching_parameters=true model_config_file=
model_config_file_poll_wait_seconds=0 model_name=doubling model_base_path= num_load_threads=2 num_unload_threads=2
max_num_load_retries=1 load_retry_interval_micros=1000000 file_system_poll_wait_seconds=1 flush_filesystem_caches=true
tensorflow_session_parallelism=2 tensorflow_session_config_file= tensorflow_intra_op_parallelism=1
tensorflow_inter_op_parallelism=1 use_alts_credentials=false ssl_config_file= platform_config_file=
per_process_gpu_memory_fraction=0.5 saved_model_tags=serve grpc_channel_arguments=grpc.max_connection_age_ms=60000
grpc_max_threads=8 enable_model_warmup=true num_request_iterations_for_warmup=2 version=false monitoring_config_file=
remove_unused_fields_from_bundle_metagraph=true prefer_tflite_model=false num_tflite_pools=1
num_tflite_interpreters_per_pool=1 enable_signature_method_name_check=false xla_cpu_compilation_enabled=false
enable_profiler=true thread_pool_factory_config_file= mixed_precision= skip_initialize_tpu=false
enable_grpc_healthcheck_service=true""".split()


class Doubling(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, "x")])
    def serving_default(self, x):
        return {"y": x * 2}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32, "steps")])
    def slow(self, steps):
        tf.print("a slow run begins", output_stream=sys.stderr)
        most = tf.reduce_max(steps)
        return {"y": tf.fill(tf.shape(steps), tf.while_loop(lambda i: i < most, lambda i: [i + 1], [0])[0])}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Folder of a model with one version."""
    folder = tmp_path_factory.mktemp("models") / "doubling"
    module = Doubling()
    signatures = {"serving_default": module.serving_default, "slow": module.slow}
    tf.saved_model.save(module, str(folder / "1"), signatures)
    return folder


@pytest.fixture
def start():
    """Function that starts the command; what a test leaves running is killed."""
    with contextlib.ExitStack() as stack:

        def start(*arguments):
            command = [sys.executable, "-m", "tfwarpgan.serve", "--port=0", *arguments]
            process = stack.enter_context(
                subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            )
            stack.callback(process.kill)
            return process

        yield start


def wait_until_it_runs(process):
    """Reads the model's own mark, so that the request is neither on its way nor waiting."""
    assert any("a slow run begins" in line for line in process.stderr)


def predict(channel, array, signature="", timeout=30):
    request = messages.PredictRequest(model_spec={"name": "doubling", "signature_name": signature})
    request.inputs["steps" if signature else "x"].CopyFrom(tensors.to_proto(array))
    call = channel.unary_unary(
        "/tensorflow.serving.PredictionService/Predict",
        request_serializer=messages.PredictRequest.SerializeToString,
        response_deserializer=messages.PredictResponse.FromString,
    )
    return tensors.from_proto(call(request, timeout=timeout, wait_for_ready=True).outputs["y"]).tolist()


def test_it_serves_and_is_drained_by_sigterm(start, model):
    process = start(
        "--model_name=doubling", f"--model_base_path={model}", "--rest_api_port=-1", "--enable_batching=true"
    )
    address = process.stdout.readline().split()[-1]
    rest = process.stdout.readline().split()[-1]
    assert address.startswith("127.0.0.1:") and rest.startswith("http://127.0.0.1:")
    with grpc.insecure_channel(address) as channel, concurrent.futures.ThreadPoolExecutor() as pool:
        assert predict(channel, np.float32([1, 2])) == [2, 4]
        assert b'"AVAILABLE"' in urllib.request.urlopen(rest + "doubling", timeout=10).read()
        running = pool.submit(predict, channel, np.int32([200000]), "slow")
        wait_until_it_runs(process)
        process.send_signal(signal.SIGTERM)
        assert running.result() == [200000]
    assert process.wait(20) == 0
    assert process.stdout.read() == "Stopped.\n" and "Traceback" not in process.stderr.read()


@pytest.mark.parametrize("batching", ["false", "true"])
def test_a_run_that_outlasts_the_grace_does_not_hold_up_the_end(start, model, batching):
    process = start(
        "--model_name=doubling", f"--model_base_path={model}", "--grace_seconds=1", f"--enable_batching={batching}"
    )
    address = process.stdout.readline().split()[-1]
    with grpc.insecure_channel(address) as channel, concurrent.futures.ThreadPoolExecutor() as pool:
        running = pool.submit(predict, channel, np.int32([2_000_000_000]), "slow", 120)
        wait_until_it_runs(process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
        with pytest.raises(grpc.RpcError):
            running.result()
    assert process.stdout.read() == "Stopped.\n"


def test_a_run_over_rest_that_outlasts_the_grace(start, model):
    process = start(
        "--model_name=doubling",
        f"--model_base_path={model}",
        "--grace_seconds=0.5",
        "--rest_api_port=-1",
        "--rest_api_timeout_in_ms=120000",
    )
    _, rest = process.stdout.readline(), process.stdout.readline().split()[-1]
    body = b'{"signature_name": "slow", "inputs": [2000000000]}'
    with concurrent.futures.ThreadPoolExecutor() as pool:
        running = pool.submit(urllib.request.urlopen, rest + "doubling:predict", body, 120)
        wait_until_it_runs(process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
        with pytest.raises((OSError, http.client.HTTPException)):
            running.result()


def test_flags_that_have_no_effect_are_told(start, model, tmp_path):
    config = tmp_path / "models.txt"
    config.write_text(
        f'model_config_list {{ config {{ name: "doubling" base_path: "{model}" model_platform: "tensorflow" }} }}'
    )
    process = start(
        "--model_name=model",  # as the image of TensorFlow Serving is started
        "--model_base_path=/models/model",
        f"--model_config_file={config}",
        f"--monitoring_config_file={tmp_path / 'none'}",
    )
    address = process.stdout.readline().split()[-1]
    with grpc.insecure_channel(address) as channel:
        assert predict(channel, np.float32([1])) == [2]
    process.terminate()
    assert process.wait(20) == 0
    told = [line for line in process.stderr.read().splitlines() if "ignored" in line]
    assert [line.split()[0] for line in told] == ["--model_base_path", "--monitoring_config_file"]


def test_a_first_load_that_fails_ends_it_with_the_reason(start, model, tmp_path):
    shutil.copytree(model, tmp_path / "doubling")
    (tmp_path / "doubling" / "1" / "saved_model.pb").write_bytes(b"broken")
    process = start(f"--model_base_path={tmp_path / 'doubling'}")
    assert process.wait(60) == 2 and process.stdout.read() == ""
    (line,) = [line for line in process.stderr.read().splitlines() if line.startswith("error: ")]
    assert "Version 1 of model default cannot be loaded: " in line and "doubling/1" in line


def test_a_first_load_can_be_stopped(start, model, tmp_path):
    shutil.copytree(model, tmp_path / "doubling")
    endless = messages.PredictRequest(model_spec={"name": "doubling", "signature_name": "slow"})
    endless.inputs["steps"].CopyFrom(tensors.to_proto(np.int32([2_000_000_000])))
    records = tmp_path / "doubling" / "1" / "assets.extra" / "tf_serving_warmup_requests"
    records.parent.mkdir()
    with tf.io.TFRecordWriter(str(records)) as writer:
        writer.write(messages.PredictionLog(predict_log={"request": endless}).SerializeToString())
    process = start(f"--model_base_path={tmp_path / 'doubling'}")
    wait_until_it_runs(process)
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert process.stdout.read() == "Stopped.\n" and "Traceback" not in process.stderr.read()


def test_it_waits_for_a_first_version(start, model, tmp_path):
    folder = tmp_path / "doubling"
    folder.mkdir()
    process = start("--model_name=doubling", f"--model_base_path={folder}", "--file_system_poll_wait_seconds=0.1")
    time.sleep(1)
    assert process.poll() is None
    shutil.copytree(model / "1", folder / ".1")
    (folder / ".1").rename(folder / "1")
    address = process.stdout.readline().split()[-1]
    with grpc.insecure_channel(address) as channel:
        assert predict(channel, np.float32([1])) == [2]
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0


@pytest.mark.parametrize(
    "arguments, named",
    [
        ([], "--model_base_path"),
        (["--model_base_path={model}/none"], "is not a folder"),
        (["--model_config_file={model}/none"], "--model_config_file"),
        (["--model_config_file={file}"], "Error parsing text-format tensorflow.serving.ModelServerConfig"),
        (["--model_base_path={model}/1"], "is itself a version"),
        (["--model_base_path={model}", "--batching_parameters_file={file}"], "--enable_batching"),
        (["--model_base_path={model}", "--enable_batching", "--batching_parameters_file={file}"], "BatchingParameters"),
        (
            ["--model_base_path={model}", "--rest_api_port=-1", "--monitoring_config_file={file}"],
            "MonitoringConfig",
        ),
        (["--model_base_path={model}", "--ssl_config_file={file}"], "SSLConfig"),
        (["--model_base_path={model}", "--grpc_channel_arguments=a"], "name=value"),
        (["--model_base_path={model}", "--port=70000"], "port"),
        (["--model_base_path={model}", "extra"], "extra"),
    ],
)
def test_what_is_wrong_is_one_sentence(start, model, tmp_path, arguments, named):
    file = tmp_path / "file"
    file.write_text("nonsense")
    process = start(*(argument.format(model=model, file=file) for argument in arguments))
    assert process.wait(60) == 2
    lines = process.stderr.read().strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("error: ") and named in lines[0]


def test_all_flags_of_tensorflow_serving_are_taken(start, model):
    assert len(FLAGS) == 46
    process = start(*(f"--{flag}" for flag in FLAGS), f"--model_base_path={model}")
    address = process.stdout.readline().split()[-1]
    with grpc.insecure_channel(address) as channel:
        assert predict(channel, np.float32([1])) == [2]
    process.terminate()
    assert process.wait(20) == 0
    (line,) = [line for line in process.stderr.read().splitlines() if "without effect" in line]
    assert all(f"--{name} (" in line for name in REASONS)


def test_the_documentation_says_which_flags_have_an_effect():
    section = (ROOT / "docs" / "service.md").read_text().partition("## Flags of TensorFlow Serving\n")[2]
    effective, none = section.partition("\n## ")[0].split("have no effect")
    names = {flag.partition("=")[0] for flag in FLAGS}
    assert set(re.findall(r"`--(\w+)`", none)) == set(REASONS)
    assert set(re.findall(r"`--(\w+)`", effective)) == names - set(REASONS) <= set(ServeOptions.__dataclass_fields__)


def test_the_version_is_told(start):
    process = start("--version")
    assert process.wait(60) == 0
    assert process.stdout.read() == f"tfwarpgan: {tfwarpgan.__version__}\nTensorFlow: {tf.__version__}\n"


def test_ports_that_are_one_are_refused():
    with pytest.raises(InputError, match="--rest_api_port=8500 must differ"):
        ServeOptions(model_base_path="a", rest_api_port=8500)


def test_what_a_session_is_opened_with(tmp_path):
    file = tmp_path / "session.config"
    threads = "inter_op_parallelism_threads: 3 intra_op_parallelism_threads: 3"
    file.write_text(f"{threads} gpu_options {{ visible_device_list: '0' }}")
    options = {"model_base_path": str(tmp_path), "tensorflow_session_config_file": str(file)}
    one = {**options, "tensorflow_intra_op_parallelism": 1}
    config = session_config(ServeOptions(**one, per_process_gpu_memory_fraction=0.5))
    assert (config.intra_op_parallelism_threads, config.inter_op_parallelism_threads) == (1, 3)
    assert config.gpu_options.visible_device_list == "0" and config.gpu_options.per_process_gpu_memory_fraction == 0.5
    config = session_config(ServeOptions(**one, tensorflow_session_parallelism=2))
    assert (config.intra_op_parallelism_threads, config.inter_op_parallelism_threads) == (1, 2)
    file.write_text("nonsense")
    with pytest.raises(InputError, match="Error parsing text-format tensorflow.ConfigProto"):
        session_config(ServeOptions(**options))


def test_the_service_can_be_profiled(start, model, tmp_path):
    with socket.socket() as free:
        free.bind(("", 0))
        port = free.getsockname()[1]
    process = start("--model_name=doubling", f"--model_base_path={model}", f"--profile_port={port}")
    address = process.stdout.readline().split()[-1]
    with grpc.insecure_channel(address) as channel, concurrent.futures.ThreadPoolExecutor() as pool:
        predict(channel, np.float32([1]))
        asking = pool.submit(lambda: [predict(channel, np.int32([1000]), "slow") for _ in range(50)])
        tf.profiler.experimental.client.trace(f"localhost:{port}", str(tmp_path), 1000)
        asking.result()
    assert list(tmp_path.rglob("*.xplane.pb"))
    process.terminate()
    assert process.wait(20) == 0
