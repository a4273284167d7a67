"""A line of JSON for each request, on demand."""

import http.client
import json

import grpc
import numpy as np
import pytest

from tfwarpgan.errors import InputError
from tfwarpgan.serving.service.request_log import RequestLog

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_requests_leave_a_line_each(serve, everything, build_request, tmp_path, eventually):
    path = tmp_path / "requests.jsonl"
    with serve(everything, rest_api_port=-1, request_log=str(path)) as client:
        call = client.channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
        for value, signature in ((1, "positive"), (-1, "positive"), (1, "none")):
            request = build_request({"x": np.float32([value])}, name="tiny", signature_name=signature)
            try:
                call(request.SerializeToString(), timeout=20, metadata=[("traceparent", PARENT)])
            except grpc.RpcError:
                pass
        connection = http.client.HTTPConnection("127.0.0.1", client.server.rest_port, timeout=20)
        body = json.dumps({"instances": [1], "signature_name": "positive"})
        for method, where, sent in (("POST", "/v1/models/tiny:predict", body), ("GET", "/v1/models/who", None)):
            connection.request(method, where, sent, {"traceparent": PARENT} if sent else {})
            connection.getresponse().read()
        connection.close()
        eventually(lambda: path.read_text().count("\n") == 5)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    found = [(line["entrypoint"], line["method"], line.get("signature"), line["status"]) for line in lines]
    assert found == [
        ("GRPC", "Predict", "positive", "OK"),
        ("GRPC", "Predict", "positive", "INVALID_ARGUMENT"),
        ("GRPC", "Predict", "none", "FAILED_PRECONDITION"),
        ("REST", "POST", "positive", 200),
        ("REST", "GET", None, 404),
    ]
    assert [line.get("traceparent") for line in lines] == [PARENT] * 4 + [None]
    assert [line.get("model") for line in lines] == ["tiny"] * 4 + [None] and lines[3]["request_bytes"] == len(body)
    assert all(line["milliseconds"] > 0 and line["peer"] and line["time"].endswith("+00:00") for line in lines)


def test_a_path_that_cannot_be_written_is_one_sentence(tmp_path):
    with pytest.raises(InputError, match="--request_log=.* cannot be written"):
        RequestLog(str(tmp_path / "no" / "such"))
