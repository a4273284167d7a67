"""The client over real sockets, against a server whose answers each test writes by itself."""

import asyncio
import concurrent.futures
import contextlib
import itertools
import pathlib
import socket
import subprocess
import sys
import threading
import time

import grpc
import numpy as np
import pytest

from tfwarpgan.serving.client import METHODS, TLS, AsyncClient, Client, ServerError, channel
from tfwarpgan.serving.wire import messages
from tfwarpgan.serving.wire.tensors import from_proto, to_wire

ROOT = pathlib.Path(__file__).resolve().parents[3]
LIGHT = ("numpy", "grpc", "google")


class Server:
    """Answers each method with `answers[method](request, context)`, on a free port of this machine."""

    def __init__(self, address="127.0.0.1:0", credentials=None):
        self.answers, self.calls = {}, []
        options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(4), options=options)
        for service in ("PredictionService", "ModelService"):
            self.server.add_generic_rpc_handlers([self._handler(service)])
        if credentials:
            port = self.server.add_secure_port(address, credentials)
        else:
            port = self.server.add_insecure_port(address)
        self.target = address.replace(":0", f":{port}")
        self.server.start()

    def _handler(self, service):
        handlers = {
            name: grpc.unary_unary_rpc_method_handler(
                lambda request, context, name=name: self._answer(name, request, context),
                request_deserializer=request.FromString,
                response_serializer=response.SerializeToString,
            )
            for name, (owner, request, response) in METHODS.items()
            if owner == service
        }
        return grpc.method_handlers_generic_handler(f"tensorflow.serving.{service}", handlers)

    def _answer(self, name, request, context):
        self.calls.append((name, request, context.time_remaining()))
        return self.answers[name](request, context)


@pytest.fixture
def server():
    server = Server()
    server.answers["Predict"] = echo
    yield server
    server.server.stop(None)


@pytest.fixture(params=["sync", "asyncio"])
def call(request, server):
    """A function (method, *arguments) that calls a new client of the server, of either kind."""

    def sync(method, *arguments, settings=(), **options):
        with Client(server.target, "people", **dict(settings)) as client:
            return getattr(client, method)(*arguments, **options)

    def asynchronous(method, *arguments, settings=(), **options):
        async def once():
            async with AsyncClient(server.target, "people", **dict(settings)) as client:
                return await getattr(client, method)(*arguments, **options)

        return asyncio.run(once())

    return sync if request.param == "sync" else asynchronous


def echo(request, context):
    """The inputs, in the typed fields that a server of TensorFlow Serving answers in."""
    response = messages.PredictResponse()
    for name, tensor in request.inputs.items():
        response.outputs[name].ParseFromString(to_wire(from_proto(tensor)))
    return response


def failing(*codes, then=echo):
    """Refuses with each code in turn, then answers."""
    left = iter(codes)

    def answer(request, context):
        code = next(left, None)
        if code is not None:
            context.abort(code, "not now")
        return then(request, context)

    return answer


@pytest.mark.parametrize(
    "array",
    [
        np.linspace(-1, 1, 24, dtype=np.float32).reshape(2, 3, 4),
        np.arange(256, dtype=np.uint8).reshape(2, 128),
        np.array([[True, False]]),
        np.array([-(2**40), 5], np.int64),
        np.array([-3, 7], np.int32),
        np.array([b"\xff\xd8", b""], object),
        np.zeros([0, 3], np.float32),
    ],
    ids=["float32", "uint8", "bool", "int64", "int32", "bytes", "no rows"],
)
def test_what_is_sent_comes_back(call, array):
    answer = call("predict", {"x": array})["x"]
    assert answer.dtype == array.dtype and answer.shape == array.shape and np.array_equal(answer, array)


def test_the_request_names_model_signature_and_outputs(server, call):
    call("predict", {"x": np.ones(1)}, "encoded", outputs=("x",), settings={"version": 7})
    call("predict", {"x": np.ones(1)}, settings={"label": "canary"})
    first, second = (request for _, request, _ in server.calls)
    assert (first.model_spec.name, first.model_spec.signature_name) == ("people", "encoded")
    assert first.model_spec.version.value == 7 and list(first.output_filter) == ["x"]
    assert second.model_spec.version_label == "canary" and not second.model_spec.HasField("version")


def test_every_call_has_a_deadline(server, call):
    server.answers["GetModelStatus"] = lambda request, context: messages.GetModelStatusResponse()
    call("predict", {"x": np.ones(1)})
    call("predict", {"x": np.ones(1)}, timeout=5)
    call("status", settings={"timeout": 7})
    assert [round(remaining) for _, _, remaining in server.calls] == [30, 5, 7]


@pytest.mark.parametrize("timeout", [0, -1, float("inf"), float("nan")])
def test_a_call_without_a_deadline_is_refused(call, timeout):
    with pytest.raises(ValueError, match="deadline"):
        call("predict", {"x": np.ones(1)}, timeout=timeout)


def test_a_late_answer_is_not_waited_for(server, call):
    server.answers["Predict"] = lambda request, context: time.sleep(2)
    start = time.perf_counter()
    with pytest.raises(ServerError, match="DEADLINE_EXCEEDED") as caught:
        call("predict", {"x": np.ones(1)}, timeout=0.2)
    assert caught.value.code == grpc.StatusCode.DEADLINE_EXCEEDED
    assert time.perf_counter() - start < 1.5 and len(server.calls) == 1


def test_messages_above_four_mebibytes_pass_both_ways(call):
    array = np.random.default_rng(0).random([8, 256, 256, 3], np.float32)
    assert np.array_equal(call("predict", {"x": array})["x"], array)


@pytest.mark.parametrize("values", [1, 200_000], ids=["small", "above gRPC's buffer for retries"])
def test_an_unavailable_server_is_asked_again(server, call, values):
    server.answers["Predict"] = failing(grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)  # as one that stops
    start = time.perf_counter()
    assert len(call("predict", {"x": np.ones(values)})["x"]) == values
    assert len(server.calls) == 3
    assert time.perf_counter() - start > 0.1  # two pauses of about 0.1 and 0.2 s, drawn around that


def test_the_attempts_are_bounded(server, call):
    server.answers["Predict"] = failing(*[grpc.StatusCode.UNAVAILABLE] * 99)
    with pytest.raises(ServerError, match="UNAVAILABLE: not now"):
        call("predict", {"x": np.ones(1)}, settings={"attempts": 2})
    assert len(server.calls) == 2
    with pytest.raises(ServerError, match="UNAVAILABLE"):
        call("predict", {"x": np.ones(1)}, settings={"attempts": 1})
    assert len(server.calls) == 3


@pytest.mark.parametrize("code", ["INVALID_ARGUMENT", "NOT_FOUND", "RESOURCE_EXHAUSTED", "INTERNAL", "ABORTED"])
def test_any_other_error_is_raised_at_once(server, call, code):
    server.answers["Predict"] = failing(grpc.StatusCode[code])
    with pytest.raises(ServerError, match=f"Predict: {code}: not now") as caught:
        call("predict", {"x": np.ones(1)})
    assert len(server.calls) == 1 and caught.value.details == "not now"


def test_attempts_share_one_deadline(server, call):
    server.answers["Predict"] = failing(*itertools.repeat(grpc.StatusCode.UNAVAILABLE, 99))
    start = time.perf_counter()
    with pytest.raises(ServerError):
        call("predict", {"x": np.ones(1)}, timeout=0.3)
    assert time.perf_counter() - start < 1
    remaining = [left for _, _, left in server.calls]
    assert remaining == sorted(remaining, reverse=True)
    assert max(remaining) < 0.302  # on the wire gRPC rounds a deadline up to a whole millisecond
    assert max(remaining[1:]) < 0.28  # what the first attempt and the pause after it left


def test_no_server_is_unavailable(call, server):
    server.server.stop(None).wait()
    with pytest.raises(ServerError, match="UNAVAILABLE"):
        call("predict", {"x": np.ones(1)}, timeout=3, settings={"attempts": 2})


def test_a_server_that_has_answered_is_waited_for(server):
    """Until it is back, which may take longer than all pauses between the attempts."""
    with Client(server.target, "people") as client, Client(server.target, "people", attempts=1) as hasty:
        assert client.predict({"x": np.ones(1)})["x"] == hasty.predict({"x": np.ones(1)})["x"] == [1]
        server.server.stop(None).wait()
        with pytest.raises(ServerError, match="UNAVAILABLE"):
            hasty.predict({"x": np.ones(1)})
        with pytest.raises(ServerError, match="DEADLINE_EXCEEDED"):
            client.predict({"x": np.ones(1)}, timeout=0.3)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            asked = pool.submit(client.predict, {"x": np.ones(1)})
            again = Server(server.target)
            again.answers["Predict"] = echo
            assert asked.result()["x"] == [1]
            again.server.stop(None)


class FrozenRelay:
    """Stands between client and server; once frozen, it passes nothing on, and the connections stay open."""

    def __init__(self, port):
        self.frozen, self.port = threading.Event(), port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.target = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.sockets = [self.listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                pair = self.listener.accept()[0], socket.create_connection(("127.0.0.1", self.port))
                self.sockets += pair
                for source, sink in (pair, pair[::-1]):
                    threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(2**16):
                if not self.frozen.is_set():
                    sink.sendall(data)

    def close(self):
        for each in self.sockets:
            each.close()


def test_a_frozen_address_is_left_for_another(monkeypatch):
    """No packet says so, since its kernel still takes what is sent: only a ping without an answer."""
    monkeypatch.setattr(channel, "PING_AFTER", 0.2)
    monkeypatch.setattr(channel, "PING_WITHIN", 0.2)
    servers = [Server(), Server()]
    for server in servers:
        server.answers["Predict"] = echo
    relay = FrozenRelay(servers[0].target.split(":")[1])
    with Client(f"ipv4:{relay.target},{servers[1].target}", "people", timeout=20) as client:
        while not servers[0].calls:
            client.predict({"x": np.ones(1)})
        relay.frozen.set()
        for _ in range(6):
            assert client.predict({"x": np.ones(1)})["x"] == [1]
    relay.close()
    for server in servers:
        server.server.stop(None)


def test_the_metadata_is_typed(server, call):
    def answer(request, context):
        assert list(request.metadata_field) == ["signature_def"]
        response, signatures = messages.GetModelMetadataResponse(), messages.SignatureDefMap()
        image = signatures.signature_def["encoded"].inputs["image"]
        image.dtype = messages.DataType.Value("DT_UINT8")
        for size, name in ((-1, "batch"), (128, "height")):
            image.tensor_shape.dim.add(size=size, name=name)
        signatures.signature_def["encoded"].outputs["text"].dtype = messages.DataType.Value("DT_STRING")
        signatures.signature_def["__saved_model_init_op"].SetInParent()
        response.metadata["signature_def"].Pack(signatures)
        return response

    server.answers["GetModelMetadata"] = answer
    ((name, (inputs, outputs)),) = call("metadata").items()
    assert name == "encoded" and inputs["image"].dtype == np.uint8 and outputs["text"].dtype is object
    assert inputs["image"].shape == (None, 128) and inputs["image"].dimensions == ("batch", "height")


def test_it_waits_for_a_model_that_loads(server, call):
    states = iter(["UNKNOWN_MODEL", "LOADING", "AVAILABLE"])

    def answer(request, context):
        state = next(states)
        if state == "UNKNOWN_MODEL":
            context.abort(grpc.StatusCode.NOT_FOUND, "Could not find any versions of model people")
        response = messages.GetModelStatusResponse()
        response.model_version_status.add(version=3, state=messages.ModelVersionStatus.State.Value(state))
        return response

    server.answers["GetModelStatus"] = answer
    call("wait_until_ready", timeout=10)
    assert len(server.calls) == 3


NOT_READY = [
    (grpc.StatusCode.INVALID_ARGUMENT, "Unrecognized servable version label: canary"),
    (grpc.StatusCode.NOT_FOUND, "Servable not found for request: Specific(people, 3)"),
    (grpc.StatusCode.FAILED_PRECONDITION, "not yet"),
]


def refusing(*refusals):
    """Refuses with each (code, text) in turn, then answers with metadata."""
    left = iter(refusals)

    def answer(request, context):
        refusal = next(left, None)
        if refusal:
            context.abort(*refusal)
        response = messages.GetModelMetadataResponse()
        response.metadata["signature_def"].Pack(messages.SignatureDefMap())
        return response

    return answer


def test_it_waits_for_the_version_of_its_label(server, call):
    """Other versions are available all the while, which a status would tell."""
    status = messages.GetModelStatusResponse()
    status.model_version_status.add(version=2, state=messages.ModelVersionStatus.State.Value("AVAILABLE"))
    server.answers["GetModelStatus"] = lambda request, context: status
    server.answers["GetModelMetadata"] = refusing(*NOT_READY)
    call("wait_until_ready", timeout=10, settings={"label": "canary"})
    assert [name for name, _, _ in server.calls] == ["GetModelMetadata"] * 4
    assert {request.model_spec.version_label for _, request, _ in server.calls} == {"canary"}


@pytest.mark.parametrize("refusal", NOT_READY)
def test_it_waits_for_a_label_until_the_timeout(server, call, refusal):
    server.answers["GetModelMetadata"] = refusing(*[refusal] * 99)
    start = time.perf_counter()
    with pytest.raises(ServerError):
        call("wait_until_ready", timeout=0.5, settings={"label": "canary"})
    assert 0.4 < time.perf_counter() - start < 3 and len(server.calls) > 1


def test_labels_that_a_server_does_not_take_are_not_waited_for(server, call):
    text = "ModelSpec has 'version_label' set, but it is not currently allowed by the server."
    server.answers["GetModelMetadata"] = refusing((grpc.StatusCode.INVALID_ARGUMENT, text))
    with pytest.raises(ServerError, match="not currently allowed"):
        call("wait_until_ready", timeout=10, settings={"label": "canary"})
    assert len(server.calls) == 1


def test_it_does_not_wait_for_ever(server, call):
    response = messages.GetModelStatusResponse()
    response.model_version_status.add(version=3, state=messages.ModelVersionStatus.State.Value("LOADING"))
    server.answers["GetModelStatus"] = lambda request, context: response
    with pytest.raises(ServerError, match="DEADLINE_EXCEEDED"):
        call("wait_until_ready", timeout=0.3)
    assert call("status") == {3: "LOADING"}


@pytest.mark.parametrize(
    "settings, told",
    [
        ({"version": 1, "label": "stable"}, "either version or label"),
        ({"attempts": 0}, "attempts"),
        ({"timeout": 0}, "deadline"),
        ({"tls": TLS(certificate="cert.pem")}, "belong together"),
    ],
)
def test_settings_that_cannot_work_are_refused(server, settings, told):
    with pytest.raises(ValueError, match=told):
        Client(server.target, "people", **settings)


@pytest.mark.parametrize(
    "address, host",
    [
        ("unix:{}/socket", "unix"),
        ("localhost:0", "localhost"),
        ("127.0.0.1:0", "localhost"),
        ("127.0.0.1:0", "127.0.0.1"),
    ],
)
def test_sockets_and_hosts_are_targets(tmp_path, address, host):
    """A name may resolve to an address at which nobody listens, as localhost does to ::1: no call goes there."""
    server = Server(address.format(tmp_path))
    server.answers["Predict"] = echo
    with Client(f"{host}:{server.target.split(':')[1]}", "people", attempts=1) as client:
        for _ in range(10):
            assert client.predict({"x": np.ones(2)})["x"].tolist() == [1, 1]
    server.server.stop(None)


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_servers_behind_one_target_take_turns_and_one_may_stop(kind):
    servers = [Server(), Server()]
    for server in servers:
        server.answers["Predict"] = echo

    async def ask(client, count):
        """How many of the calls each server got."""
        before = [len(server.calls) for server in servers]
        for _ in range(count):
            answer = client.predict({"x": np.ones(2)})
            answer = await answer if kind is AsyncClient else answer
            assert answer["x"].tolist() == [1, 1]
        return [len(server.calls) - count for server, count in zip(servers, before)]

    async def check():
        client, end = kind("ipv4:" + ",".join(server.target for server in servers), "people"), time.monotonic() + 20
        while not all(await ask(client, 2)) and time.monotonic() < end:  # until it has connected to both
            await asyncio.sleep(0.01)
        assert await ask(client, 10) == [5, 5]
        servers[0].server.stop(None).wait()
        assert await ask(client, 10) == [0, 10]
        closed = client.close()
        if kind is AsyncClient:
            await closed

    asyncio.run(check())
    servers[1].server.stop(None)


def test_tls_with_client_certificates(certificates):
    read = {path.name: path.read_bytes() for path in certificates.glob("*.[ck]*")}
    pair = [(read["server.key"], read["server.crt"])]
    server = Server(credentials=grpc.ssl_server_credentials(pair, read["ca.crt"], require_client_auth=True))
    server.answers["Predict"] = echo
    name, trusted = "people.example", str(certificates / "ca.crt")
    own = {"certificate": str(certificates / "client.crt"), "key": str(certificates / "client.key")}
    with Client(server.target, "people", tls=TLS(trusted, **own, server_name=name)) as client:
        assert client.predict({"x": np.ones(2)})["x"].tolist() == [1, 1]
    stranger = TLS(trusted, **own, server_name="other.example")
    for tls in (None, TLS(trusted, server_name=name), stranger, TLS(server_name=name, **own)):
        with (
            Client(server.target, "people", tls=tls, attempts=1, timeout=5) as client,
            pytest.raises(ServerError, match="UNAVAILABLE"),
        ):
            client.predict({"x": np.ones(2)})
    server.server.stop(None)


def test_it_imports_nothing_but_grpc_protobuf_and_numpy():
    """Measured against what the standard library and the three packages import by themselves."""
    code = (
        "import sys, grpc, grpc.aio, numpy, google.protobuf.any_pb2, google.protobuf.wrappers_pb2\n"
        "import google.protobuf.message_factory, google.protobuf.internal.enum_type_wrapper\n"
        "before = set(sys.modules)\n"
        "import tfwarpgan.serving.client\n"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(*sorted(new - set(sys.stdlib_module_names)))\n"
        "print(*sorted({'tensorflow', 'PIL', 'absl', 'keras', 'tqdm'} & set(sys.modules)))\n"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    first, second = result.stdout.split("\n")[:2]
    assert (set(first.split()) - set(LIGHT), second) == ({"tfwarpgan"}, ""), result.stderr
