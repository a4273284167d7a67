"""Batches answer as single requests do, take only what fits, and are bounded."""

import concurrent.futures
import itertools
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from tfwarpgan.errors import InputError
from tfwarpgan.serving.service.admission import Admission, nbytes
from tfwarpgan.serving.service.batching import BatchingOptions, BatchingRunner
from tfwarpgan.serving.service.configuration import batching_options
from tfwarpgan.serving.wire.statuses import ServingError

PARAMETERS = """max_batch_size { value: 4 } batch_timeout_micros { value: 100000 } max_enqueued_batches { value: 2 }
num_batch_threads { value: 2 } allowed_batch_sizes: 2 allowed_batch_sizes: 4"""


@pytest.fixture(scope="module")
def client(serve, everything, tmp_path_factory):
    path = tmp_path_factory.mktemp("batching") / "parameters.txt"
    path.write_text(PARAMETERS)
    with serve(everything, enable_batching=True, batching_parameters_file=str(path)) as client:
        yield client


def together(calls):
    """The results, or exceptions, of calls at the same time."""
    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        futures = [pool.submit(call) for call in calls]
        return [future.exception() or future.result() for future in futures]


def test_requests_run_together_and_are_filled_up_to_an_allowed_size(client):
    def call(rows):
        return lambda: client.predict({"x": np.zeros(rows, np.float32)}, signature_name="batch")[1]["rows"].tolist()

    assert together([call(1)]) == [[2]]
    assert sorted(together([call(1), call(2)])) == [[4], [4, 4]]


def test_batched_answers_are_those_of_single_requests(client, rows):
    inputs = [{"x": part["x"] + 10 * i, "z": part["z"] * i} for i, part in enumerate([rows(1), rows(2), rows(1)] * 3)]
    answers = together([lambda own=own: client.predict(own)[1] for own in inputs])
    for own, answer in zip(inputs, answers, strict=True):
        assert np.array_equal(answer["y"], own["x"] * 2 + own["z"][:, None])
        assert np.array_equal(answer["sum"], own["x"].sum(axis=1))


def test_a_poisoned_member_fails_alone(client):
    values = [1.0, -5.0, 3.0, 4.0]
    answers = together(
        [lambda v=value: client.predict({"x": np.float32([v])}, signature_name="positive") for value in values]
    )
    assert [answer[1]["y"].tolist() for answer in answers if isinstance(answer, tuple)] == [[2.0], [6.0], [8.0]]
    assert answers[1].code().name == "INVALID_ARGUMENT" and "negative:" in answers[1].details()


def test_other_shapes_and_types_do_not_meet(client):
    def call(array):
        return lambda: client.predict({"x": array}, signature_name="widths")

    answers = together([call(np.ones([1, 2], np.float32)), call(np.ones([1, 5], np.float32)), call(np.ones([1, 2]))])
    assert answers[0][1]["width"].tolist() == [2] and answers[1][1]["width"].tolist() == [5]
    assert answers[2].details() == "Expects arg[0] to be float but double is provided"


def test_an_output_without_rows_is_computed_request_by_request(client):
    calls = [lambda v=v: client.predict({"x": np.float32([v, v])}, signature_name="total")[1]["total"] for v in (1, 5)]
    assert [float(total) for total in together(calls)] == [2.0, 10.0]


def test_a_request_larger_than_a_batch_is_refused(client, refused, rows):
    with refused("INVALID_ARGUMENT", "Task size 5 is larger than maximum input batch size 4"):
        client.predict(rows(5))


def test_rows_must_agree(client, refused, rows):
    with refused("INVALID_ARGUMENT", "Batching Run() input tensors must have equal 0th-dimension size"):
        client.predict({"x": rows(2)["x"], "z": rows(1)["z"]})
    with refused("INVALID_ARGUMENT"):
        client.predict({"x": np.float32(1)}, signature_name="total")


def test_no_rows_at_all(client):
    assert client.predict({"x": np.zeros([0], np.float32)}, signature_name="batch")[1]["rows"].shape == (0,)


def test_a_deadline_in_a_batch_and_in_the_queue(client, refused, rows):
    with refused("DEADLINE_EXCEEDED"):
        client.predict({"steps": np.int32([10**9])}, timeout=0.3, signature_name="slow")
    assert client.predict(rows(1))[0] == 1


def test_a_full_queue_is_told_at_once_and_what_was_taken_is_answered(client):
    steps = {"steps": np.int32([30000] * 4)}  # full batches; two run, and two may wait

    def call():
        start = time.monotonic()
        try:
            return client.predict(steps, signature_name="slow")[1]["counted"].tolist(), time.monotonic() - start
        except Exception as error:
            return error, time.monotonic() - start

    answers = together([call] * 24)
    failed = [(error, seconds) for error, seconds in answers if isinstance(error, Exception)]
    # What was refused waited for no run; that which was taken needed at least one.
    first_answer = min(seconds for values, seconds in answers if not isinstance(values, Exception))
    assert min(seconds for _, seconds in failed) < first_answer
    answered = [values for values, _ in answers if not isinstance(values, Exception)]
    assert failed and len(answered) >= 2 and all(values == [30000] * 4 for values in answered)
    for error, _ in failed:
        assert error.code().name == "UNAVAILABLE"
        assert error.details().startswith("The batch scheduling queue to which this task was submitted is full; ")
    assert client.predict({"x": np.float32([1])}, signature_name="positive")[1]["y"].tolist() == [2.0]


class Recorder:
    """Stands for a model: doubles what it is fed, and may be held up."""

    def __init__(self, hold=False):
        self.sizes, self.go = [], threading.Event()
        if not hold:
            self.go.set()

    def run(self, feeds, fetches, timeout=None):
        self.go.wait(10)
        (array,) = feeds.values()
        self.sizes.append(len(array))
        return [array * 2]


def test_nothing_is_kept_of_keys_that_are_gone():
    runner = BatchingRunner(BatchingOptions(max_batch_size=4, num_batch_threads=1), Admission(8, 10**6))
    for width in range(50):
        assert runner.run(Recorder(), {"x": np.ones([1, width])}, ["y"])[0].shape == (1, width)
    assert runner._queues == {} and runner.admission.requests == runner.admission.bytes == 0
    runner.close()


def test_callers_who_come_back_run_with_those_that_waited_meanwhile():
    """Else callers that once fell out of step stay so: some wait while the others run, and no batch is full again."""
    model = Recorder(hold=True)
    options = BatchingOptions(max_batch_size=4, num_batch_threads=1, batch_timeout_micros=500_000)
    runner = BatchingRunner(options, Admission(8, 10**6))
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        first = pool.submit(runner.run, model, {"x": np.ones([1, 2])}, ["y"])
        time.sleep(0.8)  # it runs, or rather is held up
        others = [pool.submit(runner.run, model, {"x": np.ones([1, 2])}, ["y"]) for _ in range(3)]
        time.sleep(0.8)  # these have waited for longer than the timeout
        model.go.set()
        first.result()
        start = time.monotonic()
        runner.run(model, {"x": np.ones([1, 2])}, ["y"])
        assert time.monotonic() - start < 0.4  # it filled the batch
        assert [other.result()[0].shape for other in others] == [(1, 2)] * 3
    assert model.sizes == [1, 4]
    runner.close()


def test_requests_over_all_queues_are_bounded():
    model = Recorder(hold=True)
    runner = BatchingRunner(BatchingOptions(max_batch_size=1, num_batch_threads=1), Admission(3, 10**6))
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        futures = [pool.submit(runner.run, model, {"x": np.ones([1, width])}, ["y"]) for width in range(10)]
        refused = list(itertools.islice(concurrent.futures.as_completed(futures, timeout=20), 7))
        assert {future.exception().code for future in refused} == {"UNAVAILABLE"}
        model.go.set()
        assert [future.exception() for future in futures].count(None) == 3
    runner.close()


def test_the_bytes_of_requests_are_bounded():
    admission = Admission(10, 100)
    with admission.entered(10**6), pytest.raises(ServingError, match="is full; 1 requests"):
        with admission.entered(8):
            pass
    size = nbytes({"x": np.zeros(10), "s": np.array([b"1234567890"] * 2, object)})
    assert size == 80 + 20
    with admission.entered(size), pytest.raises(ServingError), admission.entered(1):
        pass
    assert (admission.requests, admission.bytes) == (0, 0)


def test_memory_stays_bounded_under_overload(everything, connect, root, tmp_path, build_request, rows):
    path = tmp_path / "parameters.txt"
    path.write_text("max_batch_size { value: 100000 } max_enqueued_batches { value: 2 } num_batch_threads { value: 2 }")
    flags = ["--port=0", "--model_name=tiny", f"--model_base_path={everything}", "--enable_batching"]
    command = [sys.executable, "-m", "tfwarpgan.serve", *flags, f"--batching_parameters_file={path}"]
    process = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    with connect(process.stdout.readline().split()[-1]) as client:
        steps = np.full(100000, 2500, np.int32)  # 400 kB, there and back, and slow
        request = build_request({"steps": steps}, name="tiny", signature_name="slow").SerializeToString()
        call = client.channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
        sizes = []
        for _ in range(8):
            codes = [future.code().name for future in [call.future(request, timeout=60) for _ in range(400)]]
            assert set(codes) == {"OK", "UNAVAILABLE"}
            sizes.append(resident_megabytes(process.pid))
        # What is on its way at once differs by a hundred MB from wave to wave; were it kept, each would add 160 MB.
        assert min(sizes[5:]) - min(sizes[:3]) < 300, sizes
        assert client.predict(rows(1))[0] == 1
    process.terminate()
    assert process.wait(20) == 0


def resident_megabytes(pid):
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def test_short_rows_are_filled_up_where_that_is_asked_for():
    options = BatchingOptions(
        max_batch_size=2, num_batch_threads=1, batch_timeout_micros=10**6, pad_variable_length_inputs=True
    )
    runner = BatchingRunner(options, Admission(8, 10**6))
    arrays = [np.array([[1.0]]), np.array([[2.0, 3.0, 4.0]])]
    first, second = together([lambda a=a: runner.run(model, {"x": a}, ["y"])[0] for a in arrays])
    assert first.tolist() == [[2.0, 2.0, 2.0]] and second.tolist() == [[4.0, 6.0, 8.0]]
    arrays = [np.array([[b"a\0"]], object), np.array([[b"", b"b\0"]], object)]
    first, second = together([lambda a=a: runner.run(model, {"x": a}, ["y"])[0] for a in arrays])
    assert first.tolist() == [[b"a\0a\0"] * 2] and second.tolist() == [[b"", b"b\0b\0"]]
    runner.close()


model = Recorder()


@pytest.mark.parametrize(
    "text, named",
    [
        ("max_batch_size { value: 0 }", "max_batch_size"),
        ("max_batch_size { value: 4 } allowed_batch_sizes: 2", "allowed_batch_sizes"),
        ("max_batch_size { value: 4 } allowed_batch_sizes: [4, 2, 4]", "allowed_batch_sizes"),
        ("enable_large_batch_splitting { value: true }", "enable_large_batch_splitting"),
        ("batch_size: 3", "BatchingParameters"),
    ],
)
def test_impossible_parameters_are_one_sentence(tmp_path, text, named):
    path = tmp_path / "batching.txt"
    path.write_text(text)
    with pytest.raises(InputError, match=named):
        batching_options(str(path))


def test_parameters_are_read(tmp_path):
    path = tmp_path / "batching.txt"
    path.write_text(PARAMETERS)
    assert batching_options(str(path)) == BatchingOptions(4, 100000, 2, 2, (2, 4))
    assert batching_options("").max_batch_size == 1000
