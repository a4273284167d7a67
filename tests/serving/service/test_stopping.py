"""Nothing is lost when a server stops, and nothing is done for callers who are gone."""

import concurrent.futures
import contextlib
import http.client
import json
import threading

import numpy as np
import pytest

from tfwarpgan.serving.client import Client
from tfwarpgan.serving.service.admission import Admission, DirectRunner
from tfwarpgan.serving.service.batching import BatchingOptions, BatchingRunner
from tfwarpgan.serving.service.deadlines import Deadline
from tfwarpgan.serving.service.grpc import health
from tfwarpgan.serving.wire.statuses import ServingError

PREDICT = "/tensorflow.serving.PredictionService/Predict"


def test_callers_do_not_notice_restarts(serve, everything):
    """12 callers, and a server that is gone and comes back at the same port, five times."""
    done, answers, failures = threading.Event(), [], []

    def call(port):
        with Client(f"127.0.0.1:{port}", "tiny") as client:
            while not done.is_set():
                try:
                    answers.append(client.predict({"x": np.float32([3])}, "positive")["y"].tolist())
                except Exception as error:
                    failures.append(error)

    def answered(more):
        wanted = len(answers) + more
        return lambda: len(answers) >= wanted or failures

    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        port = 0
        for restart in range(6):
            with serve(everything, port=port) as client:
                port = client.server.port
                if not restart:
                    callers = [pool.submit(call, port) for _ in range(12)]
                enough = answered(60)
                while not enough():
                    done.wait(0.01)
                if restart == 5:
                    done.set()
                    concurrent.futures.wait(callers)
    assert failures == [] and answers == [[6.0]] * len(answers)


def test_a_lame_duck_answers_and_sends_callers_elsewhere(serve, everything, eventually):
    with serve(everything, rest_api_port=-1, lame_duck_seconds=1) as client:
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            check = client.channel.unary_unary(
                "/grpc.health.v1.Health/Check",
                request_serializer=health.HealthCheckRequest.SerializeToString,
                response_deserializer=health.HealthCheckResponse.FromString,
            )
            connection = http.client.HTTPConnection("127.0.0.1", client.server.rest_port, timeout=20)
            body = json.dumps({"instances": [1], "signature_name": "positive"})
            connection.request("POST", "/v1/models/tiny:predict", body)
            answer = connection.getresponse()
            assert answer.read() and answer.headers["Connection"] != "close"
            stopped = pool.submit(client.server.stop)
            eventually(lambda: check(health.HealthCheckRequest(), timeout=5).status == 2)  # NOT_SERVING
            assert client.predict({"x": np.float32([1])}, signature_name="positive")[1]["y"] == [2]
            connection.request("POST", "/v1/models/tiny:predict", body)
            answer = connection.getresponse()
            assert answer.headers["Connection"] == "close" and json.loads(answer.read()) == {"predictions": [2.0]}
            stopped.result()


class Model:
    """Stands for a model, and is held up until `go`."""

    def __init__(self):
        self.runs, self.go = [], threading.Event()

    def run(self, feeds, fetches, timeout=None):
        self.runs.append(float(feeds["x"][0]))
        self.go.wait(10)
        return [feeds["x"]]


def runners():
    yield DirectRunner(1, Admission(8, 10**6))
    yield BatchingRunner(
        BatchingOptions(max_batch_size=1, num_batch_threads=1, max_enqueued_batches=4), Admission(8, 10**6)
    )


@pytest.mark.parametrize("runner", runners(), ids=["one by one", "batching"])
def test_who_is_gone_holds_no_place(runner, eventually):
    model, deadlines = Model(), [Deadline(20) for _ in range(5)]
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        calls = []
        for number, deadline in enumerate(deadlines):
            calls.append(pool.submit(runner.run, model, {"x": np.float32([number])}, ["y"], deadline))
            eventually(lambda: (runner.waiting, len(model.runs)) == (len(calls) - 1, 1))
        late = pool.submit(runner.run, model, {"x": np.float32([9])}, ["y"], Deadline(0.05))
        for left in (1, 2, 4):
            deadlines[left].leave()
        assert [calls[left].exception().code for left in (1, 2, 4)] == ["CANCELLED"] * 3
        assert late.exception().code in ("DEADLINE_EXCEEDED", "UNAVAILABLE")
        eventually(lambda: runner.waiting == 1)
        assert runner.admission.requests == 2 and not calls[0].done()
        model.go.set()
        assert [calls[there].result()[0].tolist() for there in (0, 3)] == [[0.0], [3.0]]
    assert model.runs == [0.0, 3.0] and runner.admission.requests == 0
    with pytest.raises(ServingError, match="gone away"):
        runner.run(model, {"x": np.float32([7])}, ["y"], deadlines[1])
    assert 7.0 not in model.runs
    runner.close()


@contextlib.contextmanager
def all_turns_taken(runner):
    """Whatever is asked of a runner waits while the context lasts."""
    free, runner._free = runner._free, 0
    yield
    runner._free = free


def test_cancelled_calls_do_not_run(serve, everything, build_request, eventually):
    with serve(everything) as client, all_turns_taken(client.server._runner):
        runner, call = client.server._runner, client.channel.unary_unary(PREDICT)
        request = build_request({"x": np.float32([1])}, name="tiny", signature_name="positive").SerializeToString()
        calls = [call.future(request, timeout=20) for _ in range(60)]
        eventually(lambda: runner.waiting == 60)
        for each in calls:
            each.cancel()
        eventually(lambda: runner.waiting == runner.admission.requests == 0)
        for _ in range(1000):  # made and given up at once, as HTTP/2 resets are
            call.future(request, timeout=20).cancel()
        eventually(lambda: runner.waiting == runner.admission.requests == 0)
        text = client.server.metrics.text()
        assert "runtime_latency_count{" not in text and 'signature="positive",status="CANCELLED"}' in text


def test_a_rest_client_that_goes_away(serve, everything, eventually):
    with serve(everything, rest_api_port=-1) as client, all_turns_taken(client.server._runner):
        runner, body = client.server._runner, json.dumps({"inputs": [1], "signature_name": "positive"})
        opened = [http.client.HTTPConnection("127.0.0.1", client.server.rest_port) for _ in range(20)]
        for connection in opened:
            connection.request("POST", "/v1/models/tiny:predict", body)
        eventually(lambda: runner.waiting == 20)
        for connection in opened:
            connection.close()
        eventually(lambda: runner.waiting == runner.admission.requests == 0)
