"""The REST API: forms of requests and answers, statuses, and the metrics' page."""

import base64
import http.client
import io
import json
import math
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from tfwarpgan.serving.service.rest import answers, requests
from tfwarpgan.serving.wire import messages
from tfwarpgan.serving.wire.statuses import ServingError


@pytest.fixture(scope="module")
def service(serve, everything, tmp_path_factory):
    path = tmp_path_factory.mktemp("rest") / "monitoring.txt"
    path.write_text('prometheus_config { enable: true path: "/metrics/here" }')
    with serve(everything, rest_api_port=-1, monitoring_config_file=str(path), rest_api_timeout_in_ms=1000) as client:
        yield client


@pytest.fixture(scope="module")
def http_call(service):
    """Function: status and content of the answer to a path and a body."""

    def call(path, body=None, method=None):
        connection = http.client.HTTPConnection("127.0.0.1", service.server.rest_port, timeout=20)
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        connection.request(method or ("GET" if body is None else "POST"), path, data)
        answer = connection.getresponse()
        content = answer.read().decode()
        connection.close()
        is_json = answer.headers["Content-Type"] == "application/json"
        return answer.status, json.loads(content) if is_json else content

    return call


@pytest.fixture(scope="module")
def predict(http_call):
    return lambda body, path="/v1/models/tiny": http_call(f"{path}:predict", body)


def test_rows(predict):
    rows = [{"x": [1, 2, 3], "z": 0.1}, {"x": [0, 0, 1.5], "z": 0}]
    status, answer = predict({"instances": rows})
    assert status == 200
    assert answer == {"predictions": [{"y": [2.1, 4.1, 6.1], "sum": 6.0}, {"y": [0.0, 0.0, 3.0], "sum": 1.5}]}


def test_columns(predict):
    status, answer = predict({"inputs": {"x": [[1, 2, 3]], "z": [1]}, "signature_name": "serving_default"})
    assert status == 200 and answer == {"outputs": {"y": [[3.0, 5.0, 7.0]], "sum": [6.0]}}


def test_one_input_and_one_output_need_no_names(predict):
    body = {"signature_name": "positive"}
    assert predict({"instances": [1, 2.5], **body}) == (200, {"predictions": [2.0, 5.0]})
    assert predict({"instances": [{"x": 1}, {"x": 2.5}], **body}) == (200, {"predictions": [2.0, 5.0]})
    assert predict({"inputs": [1, 2.5], **body}) == (200, {"outputs": [2.0, 5.0]})
    assert predict({"inputs": {"x": [1, 2.5]}, **body}) == (200, {"outputs": [2.0, 5.0]})


@pytest.mark.parametrize("form", ["instances", "inputs"])
def test_bytes_travel_as_base64(predict, form):
    picture = np.random.default_rng(0).integers(0, 256, [4, 4, 3], np.uint8)
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "PNG")
    sent = {"b64": base64.b64encode(stream.getvalue()).decode()}
    status, answer = predict({form: [sent], "signature_name": "encoded"})
    (found,) = answer["predictions" if form == "instances" else "outputs"]
    assert status == 200 and list(found) == ["b64"]
    decoded = np.asarray(Image.open(io.BytesIO(base64.b64decode(found["b64"]))))
    assert np.array_equal(decoded, 255 - picture)


def test_numbers_that_are_none(predict):
    status, answer = predict(b'{"instances": [NaN, Infinity], "signature_name": "total"}')
    assert status == 400 and "has no shape information" in answer["error"]
    status, answer = predict(b'{"inputs": [[NaN, Infinity, -Infinity]], "signature_name": "widths"}')
    assert (
        status == 200
        and math.isnan(answer["outputs"]["y"][0][0])
        and answer["outputs"]["y"][0][1:]
        == [
            math.inf,
            -math.inf,
        ]
    )


def test_text_and_a_scalar_of_it(predict):
    body = b'{"inputs": ["\\ud83d\\ude00", "\xc3\xa9\\u0000"], "signature_name": "joined"}'
    assert predict(body) == (200, {"outputs": "\U0001f600\xe9\0"})


def test_versions_in_the_path(predict, http_call):
    rows = {"instances": [{"x": [1, 2, 3], "z": 0}]}
    assert predict(rows, "/v1/models/tiny/versions/1")[0] == 200
    status, answer = predict(rows, "/v1/models/tiny/versions/8")
    assert (status, answer) == (404, {"error": "Servable not found for request: Specific(tiny, 8)"})
    status, answer = predict(rows, "/v1/models/tiny/labels/stable")
    assert (status, answer) == (400, {"error": "Unrecognized servable version label: stable"})
    assert http_call(f"/v1/models/tiny/versions/{2**64}")[0] == 400
    assert http_call(f"/v1/models/tiny/versions/{'9' * 5000}")[0] == 400


def test_status_and_metadata(http_call):
    status, answer = http_call("/v1/models/tiny")
    state = {"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    assert status == 200 and answer == {"model_version_status": [state]}
    assert http_call("/v1/models/tiny/versions/1") == (200, answer)
    assert http_call("/v1/models/who")[0] == 404
    status, answer = http_call("/v1/models/tiny/metadata")
    assert status == 200 and answer["model_spec"] == {"name": "tiny", "signature_name": "", "version": "1"}
    x = answer["metadata"]["signature_def"]["signature_def"]["serving_default"]["inputs"]["x"]
    assert x["dtype"] == "DT_FLOAT" and [dim["size"] for dim in x["tensor_shape"]["dim"]] == ["-1", "3"]


def test_classify_and_regress(http_call):
    body = {"signature_name": "classify", "examples": [{"x": 0.25}, {"x": [1.0]}]}
    expected = {"results": [[["low", 0.75], ["high", 0.25]], [["low", 0.0], ["high", 1.0]]]}
    assert http_call("/v1/models/tiny:classify", body) == (200, expected)
    body = {"signature_name": "regress", "examples": [{}, {"x": 0.1}], "context": {"x": 1.5, "name": "n", "count": 3}}
    assert http_call("/v1/models/tiny:regress", body) == (200, {"results": [3.0, 0.2]})


@pytest.mark.parametrize("method", ["classify", "regress"])
@pytest.mark.parametrize(
    "found", [{}, {"examples": 3}, {"examples": []}, {"examples": [3]}, {"examples": [{"x": None}]},
              {"examples": [{"x": [1.0, "a"]}]}, {"examples": [{"x": [[1.0]]}]}, {"examples": [{"x": 2**70}]},
              {"examples": [{"x": {"b64": "!"}}]}, {"examples": [{"x": 1e300}]}],
)  # fmt: skip
def test_examples_that_are_none(http_call, method, found):
    status, answer = http_call(f"/v1/models/tiny:{method}", {**found, "signature_name": method})
    assert status == 400 and answer["error"]


@pytest.mark.parametrize(
    "body, text",
    [
        (b"", "JSON Parse error"),
        (b"{", "JSON Parse error"),
        (b"[" * 100000, "JSON Parse error"),
        (b"\xff\xfe{", "JSON Parse error"),
        (b"[1]", "Is not object"),
        ({}, "Missing 'inputs' or 'instances' key"),
        ({"inputs": {}, "instances": []}, "only one of 'inputs' or 'instances'"),
        ({"instances": 3}, "Excepting 'instances' to be an list/array"),
        ({"instances": []}, "No values in 'instances' array"),
        ({"instances": [1]}, "instances is a plain list, but expecting list of objects"),
        ({"instances": [{"x": [1, 2, 3]}]}, "keys must be equal to: x,z"),
        ({"instances": [{"x": [1, 2, 3], "z": 1}, 2]}, "Expecting object but got list at item 1"),
        ({"instances": [{"x": [1, 2, 3], "z": 1}, {"x": [1], "z": 1}]}, "different sizes"),
        ({"instances": [{"x": ["a", "b", "c"], "z": 1}]}, "is not of expected type: float"),
        ({"instances": [{"x": [1, 2, 1e300], "z": 1}]}, "without loss of precision"),
        ({"instances": [{"x": [1, 2], "z": 1}]}, "is not compatible with expected shape"),
        ({"inputs": [1]}, "inputs is a plain value/list, but expecting an object"),
        ({"inputs": {"x": [[1, 2, 3]]}}, "Missing named input: z in 'inputs' object."),
        ({"instances": [1], "signature_name": "none"}, 'Serving signature name: "none" not found in signature def'),
        ({"instances": [1], "signature_name": 4}, "'signature_name' key must be a string value"),
        ({"instances": [1.5], "signature_name": "slow"}, "is not of expected type: int32"),
        ({"instances": [2**40], "signature_name": "slow"}, "is not of expected type: int32"),
        ({"instances": [{"b64": "*"}], "signature_name": "encoded"}, "Unable to base64 decode"),
        ({"instances": [{"b64": 3}], "signature_name": "encoded"}, "keys must be equal to"),
        ({"instances": [7], "signature_name": "encoded"}, "not formatted correctly for base64 data"),
        ({"instances": ["a", ["b"]], "signature_name": "encoded"}, "different sizes or depths"),
        (b'{"signature_name": "encoded", "instances": ' + b"[" * 500 + b"]" * 500 + b"}", "is nested too deeply"),
        (b'{"signature_name": "positive", "instances": ' + b"[" * 500 + b"]" * 500 + b"}", "JSON Value"),
        (b'{"signature_name": "positive", "instances": [' + b"1" * 10**4 + b"]}", ""),
        ({"instances": [-1], "signature_name": "positive"}, "negative:"),
        (b'{"instances": ["\\ud800"], "signature_name": "joined"}', "surrogate pair"),
        (b'{"instances": ["\xed\xa0\x80"], "signature_name": "joined"}', "JSON Parse error"),
        (b'{"instances": [1], "signature_name": "\\uDFFF"}', "surrogate pair"),
        (b'{"instances": [{"\\ud8ff": 1}]}', "surrogate pair"),
        ({"instances": ["a"], "signature_name": "joined"}, "has no shape information"),
    ],
)
def test_requests_that_are_none(predict, body, text):
    status, answer = predict(body)
    assert status == 400 and text in answer["error"], answer
    assert predict({"instances": [1], "signature_name": "positive"})[0] == 200


def test_a_run_that_takes_too_long(predict):
    status, answer = predict({"instances": [2_000_000_000], "signature_name": "slow"})
    assert (status, answer) == (504, {"error": "Timed out waiting for notification"})


@pytest.mark.parametrize(
    "method, path, status",
    [
        ("GET", "/", 404),
        ("GET", "/v1/other", 400),
        ("POST", "/v1/models/tiny:guess", 400),
        ("GET", "/v1/models/tiny:predict", 400),
        ("PUT", "/v1/models/tiny", 400),
    ],
)
def test_paths_that_are_none(http_call, method, path, status):
    found, answer = http_call(path, None if method == "GET" else b"{}", method)
    assert found == status and answer["error"]


def test_long_strings_in_place_of_numbers_take_no_memory():
    value = ["a" * 10**5, *["b"] * 10**4]  # as an array of strings 4 GB
    tracemalloc.start()
    with pytest.raises(ServingError, match="is not of expected type: float"):
        requests.inputs({"inputs": value}, {"x": messages.TensorInfo(dtype=1)})
    assert tracemalloc.get_traced_memory()[1] < 10**7
    tracemalloc.stop()


def test_metrics(service, http_call, predict, rows):
    service.predict(rows(1))
    predict({"instances": [-1], "signature_name": "positive"})
    status, text = http_call("/metrics/here")
    assert status == 200 and "# TYPE :tensorflow:serving:request_count counter\n" in text
    labels = 'model_name="tiny",signature="positive",status="INVALID_ARGUMENT"'
    assert f":tensorflow:serving:request_count{{{labels}}} " in text
    labels = 'API="Predict",entrypoint="GRPC",model_name="tiny",signature="serving_default"'
    assert f":tensorflow:serving:request_latency_count{{{labels}}} " in text
    assert "who" not in text  # names of clients' choice would have no end
    assert "process_resident_memory_bytes " in text and "tfwarpgan_queue_length 0.0\n" in text
    assert http_call("/monitoring/prometheus/metrics")[0] == 404


def test_metrics_tell_rest_from_grpc(serve, everything):
    def count(api):
        lines = client.server.metrics.text().splitlines()
        found = [line for line in lines if f'API="{api}",' in line and "request_latency_count" in line]
        return [line.split('entrypoint="')[1].split('"')[0] for line in found]

    with serve(everything, rest_api_port=-1) as client:
        for call in ("classify", "regress"):
            body = json.dumps({"signature_name": call, "examples": [{"x": 0.5}]})
            connection = http.client.HTTPConnection("127.0.0.1", client.server.rest_port, timeout=20)
            connection.request("POST", f"/v1/models/tiny:{call}", body)
            assert connection.getresponse().status == 200
            connection.close()
            assert count(call) == ["REST"]


def test_all_types_of_arrays():
    assert answers.predictions({"a": np.array([True])}, True) == '{"predictions": [true]}\n'
    assert answers.predictions({"a": np.array([[b"\xc3\xa9"]], object)}, False) == '{"outputs": [["\\u00e9"]]}\n'
    assert json.loads(answers.predictions({"a": np.float16([0.1]), "b": np.int64([2**60])}, False)) == {
        "outputs": {"a": [0.099975586], "b": [2**60]}
    }
    with pytest.raises(ServingError):
        answers.predictions({"a": np.complex64([1])}, False)
    infos = {"a": messages.TensorInfo(dtype=messages.DataType.Value("DT_BOOL"))}
    assert requests.inputs({"inputs": [True, False]}, infos)[0]["a"].tolist() == [True, False]
    with pytest.raises(ServingError, match="bool"):
        requests.inputs({"inputs": [1, 0]}, infos)
    infos["a"].dtype = messages.DataType.Value("DT_RESOURCE")
    with pytest.raises(ServingError, match="DT_RESOURCE"):
        requests.inputs({"inputs": [1, 0]}, infos)
