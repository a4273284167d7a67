"""HTTP as it should not be: requests in requests, clients that are slow or too many, bodies that swell."""

import concurrent.futures
import contextlib
import gzip
import http.client
import json
import re
import socket

import pytest

from tfwarpgan.serving.service.rest import connections

BODY = json.dumps({"instances": [1], "signature_name": "positive"}).encode()
ANSWER = {"predictions": [2.0]}
PREDICT = "/v1/models/tiny:predict"


@pytest.fixture(scope="module")
def service(serve, everything):
    with serve(everything, rest_api_port=-1, rest_api_timeout_in_ms=2000, rest_api_enable_cors_support=True) as client:
        yield client


@pytest.fixture
def connect(service):
    """Function: a raw connection."""
    with contextlib.ExitStack() as stack:
        address = ("127.0.0.1", service.server.rest_port)
        yield lambda: stack.enter_context(socket.create_connection(address, timeout=10))


@pytest.fixture
def send(connect):
    """Function: statuses of the answers to raw bytes and a last request after them, and the parts of the first."""

    def send(data):
        connection = connect()
        connection.sendall(data + LAST)
        with connection.makefile("rb") as file:
            found = file.read()
        statuses = [int(status) for status in re.findall(rb"HTTP/1\.\d (\d+)", found)]
        return statuses, found.partition(b"\r\n\r\n")

    return send


@pytest.fixture
def call(service):
    """Function: the whole answer to a well-formed request."""
    connection = http.client.HTTPConnection("127.0.0.1", service.server.rest_port, timeout=20)

    def call(method, path, body=None, **headers):
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        answer.content = answer.read()
        return answer

    yield call
    connection.close()


LAST = b"GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
INNER = b"GET /v1/models/hidden HTTP/1.1\r\nHost: x\r\n\r\n"


def request(*headers, line="POST " + PREDICT, body=BODY):
    head = "".join(f"{header}\r\n" for header in (f"{line} HTTP/1.1", "Host: x", *headers))
    return head.encode("latin-1") + b"\r\n" + body


def test_the_body_of_a_get_is_no_request(send):
    inner = request(f"Content-Length: {len(INNER)}", line="GET /v1/models/tiny", body=INNER)
    assert send(inner)[0] == [200, 404]
    assert send(inner + request(f"Content-Length: {len(BODY)}"))[0] == [200, 200, 404]


@pytest.mark.parametrize(
    "headers",
    [
        ("Content-Length: {length}", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked", "Content-Length: {length}"),
        ("Content-Length: {length}", "Content-Length: 3"),
        ("Content-Length: {length}, 3",),
        ("Content-Length: +{length}",),
        ("Content-Length: -1",),
        ("Content-Length : {length}",),
        ("Transfer-Encoding: xchunked",),
        ("Transfer-Encoding: chunked, identity",),
        ("Content-Length: {length}", "\x0bTransfer-Encoding: chunked"),
    ],
)
def test_lengths_that_contradict_are_refused(send, headers):
    statuses, (head, _, content) = send(request(*(header.format(length=len(BODY)) for header in headers)))
    assert statuses == [400] and json.loads(content)["error"]
    assert b"keep-alive" not in head and b"application/json" in head and b"Server: tfwarpgan" in head


def test_what_is_no_http_is_told_in_json(send):
    for data in (b"nonsense\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\na" + b"b" * 10**5, b"\0" * 99):
        statuses, (_, _, content) = send(data)
        assert statuses == [400] and json.loads(content)["error"]


def test_chunked_bodies(send):
    half = len(BODY) // 2
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (BODY[:half], BODY[half:], b""))
    statuses, (_, _, content) = send(request("Transfer-Encoding: chunked", body=chunks))
    assert statuses == [200, 404] and json.loads(content.splitlines()[0]) == ANSWER
    statuses, (_, _, content) = send(request("Transfer-Encoding: chunked", body=b"zz\r\n" + INNER))
    assert statuses == [400] and json.loads(content)["error"]


def test_half_requests_keep_nobody_out(connect, call, monkeypatch):
    """Neither headers without an end nor bodies that were only announced take what others need."""
    monkeypatch.setattr(connections, "MOST_CONNECTIONS", 20)
    starts = [b"GET /v1/models/tiny HT", b"", request(f"Content-Length: {2**26}", body=b"[")]
    opened = []
    for number in range(60):
        opened.append(connect())
        with contextlib.suppress(ConnectionError):  # it may have made room already
            opened[-1].sendall(starts[number % 3])
    assert json.loads(call("POST", PREDICT, BODY).content) == ANSWER
    assert call("GET", "/v1/models/tiny").status == 200
    with contextlib.suppress(ConnectionError):
        assert opened[0].recv(100) == b""  # the oldest have made room


def test_a_body_that_does_not_come_is_told(send, connect):
    connection = connect()
    connection.sendall(request("Content-Length: 100", body=b"half"))
    assert connection.recv(100).startswith(b"HTTP/1.1 408 ")
    assert send(request(f"Content-Length: {2**40}", body=b""))[0] == [413]


def test_a_client_that_asks_before_it_sends(connect):
    connection = connect()
    connection.sendall(request(f"Content-Length: {len(BODY)}", "Expect: 100-continue", "Connection: close", body=b""))
    assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    connection.sendall(BODY)
    with connection.makefile("rb") as file:
        assert file.read().startswith(b"HTTP/1.1 200 ")


def test_gzip_both_ways(call):
    answer = call("POST", PREDICT, gzip.compress(BODY), Content_Encoding="gzip", Accept_Encoding="gzip")
    assert json.loads(answer.content) == ANSWER  # too short to be worth it
    body = json.dumps({"inputs": [0.5] * 5000, "signature_name": "positive"}).encode()
    for accepted, packed in (("deflate, gzip;q=0.5", True), ("gzip; q=0", False), ("br", False)):
        answer = call("POST", PREDICT, gzip.compress(body), Content_Encoding="gzip", Accept_Encoding=accepted)
        assert (answer.headers["Content-Encoding"] == "gzip") == packed and "Accept-Encoding" in answer.headers["Vary"]
        content = gzip.decompress(answer.content) if packed else answer.content
        assert json.loads(content) == {"outputs": [1.0] * 5000}


def test_what_unpacks_to_too_much_is_refused(call):
    zeros = gzip.compress(bytes(2**20), 9)
    liar = zeros[:-4] + (10).to_bytes(4, "little")
    huge = zeros[:-4] + (2**31).to_bytes(4, "little")
    for body, status in ((huge, 413), (liar, 400), (zeros + zeros, 400), (zeros[8:], 400), (b"text", 400), (b"", 400)):
        answer = call("POST", PREDICT, body, Content_Encoding="gzip")
        assert answer.status == status and json.loads(answer.content)["error"]
    assert call("POST", PREDICT, BODY, Content_Encoding="br").status == 415


def test_head_and_options(call):
    get, head = call("GET", "/v1/models/tiny/metadata"), call("HEAD", "/v1/models/tiny/metadata")
    assert (head.status, head.content) == (200, b"") and head.headers["Content-Length"] == str(len(get.content))
    assert call("HEAD", "/v1/models/who").status == 404
    options = call("OPTIONS", PREDICT)
    assert (options.status, options.content) == (204, b"") and options.headers["Allow"] == "GET, HEAD, OPTIONS, POST"


def test_other_origins_by_flag(call, serve, everything):
    for answer in (call("OPTIONS", PREDICT), call("POST", PREDICT, BODY), call("GET", "/v1/models/who")):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    with serve(everything, rest_api_port=-1, model_name="my model:\xe9") as client:
        connection = http.client.HTTPConnection("127.0.0.1", client.server.rest_port, timeout=20)
        connection.request("POST", "/v1/models/my%20model%3A%c3%A9:predict", BODY)
        answer = connection.getresponse()
        assert json.loads(answer.read()) == ANSWER and "Access-Control-Allow-Origin" not in answer.headers
        for path, status in (("/v1/models/%ff", 400), ("/v1/models/%2e%2e", 404), ("/v1/models/a%2Fb", 404)):
            connection.request("GET", path)
            answer = connection.getresponse()
            assert answer.status == status and json.loads(answer.read())["error"]
        connection.close()


def test_many_clients_and_broken_connections(connect, service):
    for _ in range(5):
        connect().sendall(request("Content-Length: 100", body=b"half"))

    def call(value):
        connection = http.client.HTTPConnection("127.0.0.1", service.server.rest_port, timeout=20)
        connection.request("POST", PREDICT, json.dumps({"instances": [value], "signature_name": "positive"}))
        return json.loads(connection.getresponse().read())["predictions"]

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert list(pool.map(call, range(64))) == [[2.0 * value] for value in range(64)]


def test_the_program_does_not_call_itself_by_another_name(call):
    assert call("GET", "/v1/models/tiny").headers["Server"] == "tfwarpgan"
