"""TLS with clients' certificates, a Unix socket, health, and ports."""

import concurrent.futures
import gzip
import http.client
import json
import time

import grpc
import numpy as np
import pytest

from tfwarpgan.errors import InputError
from tfwarpgan.serving.service.admission import Admission
from tfwarpgan.serving.service.compression import MAGIC, unpacked
from tfwarpgan.serving.service.configuration import channel_arguments, ssl_config
from tfwarpgan.serving.service.grpc import health
from tfwarpgan.serving.service.grpc import server as grpc_server
from tfwarpgan.serving.wire import messages, tensors
from tfwarpgan.serving.wire.statuses import ServingError

SERVING, NOT_SERVING, SERVICE_UNKNOWN = 1, 2, 3


@pytest.fixture(scope="module")
def ssl_file(certificates, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ssl")

    def ssl_file(client_verify):
        path = folder / f"ssl_{client_verify}.config"
        key, certificate, authority = (
            (certificates / name).read_text() for name in ("server.key", "server.crt", "ca.crt")
        )
        values = {"server_key": key, "server_cert": certificate, "custom_ca": authority}
        lines = [f"{name}: {repr(value)}" for name, value in values.items()]
        path.write_text("\n".join([*lines, f"client_verify: {str(client_verify).lower()}\n"]))
        return str(path)

    return ssl_file


def test_tls(serve, everything, connect, certificates, ssl_file, rows, refused):
    trusted = grpc.ssl_channel_credentials((certificates / "ca.crt").read_bytes())
    with serve(everything, ssl_config_file=ssl_file(False)) as plain:
        target = f"localhost:{plain.server.port}"
        with connect(target, trusted) as client:
            assert client.predict(rows(1))[0] == 1
        with pytest.raises(grpc.RpcError), connect(target) as client:
            client.predict(rows(1), timeout=1)
        with pytest.raises(grpc.RpcError):
            with connect(target, grpc.ssl_channel_credentials((certificates / "other.crt").read_bytes())) as client:
                client.predict(rows(1), timeout=1)


def test_tls_with_clients_certificates(serve, everything, connect, certificates, ssl_file, rows):
    authority = (certificates / "ca.crt").read_bytes()

    def pair(name):
        return [(certificates / f"{name}.{kind}").read_bytes() for kind in ("key", "crt")]

    with serve(everything, ssl_config_file=ssl_file(True)) as plain:
        target = f"localhost:{plain.server.port}"
        with connect(target, grpc.ssl_channel_credentials(authority, *pair("client"))) as client:
            assert client.predict(rows(1))[0] == 1
        for credentials in (
            grpc.ssl_channel_credentials(authority),
            grpc.ssl_channel_credentials(authority, *pair("stranger")),
        ):
            with pytest.raises(grpc.RpcError), connect(target, credentials) as client:
                client.predict(rows(1), timeout=1)


@pytest.mark.parametrize(
    "text, named",
    [
        ('server_key: "a" server_cert: "b"', "PEM"),
        ('server_key: "-----BEGIN" server_cert: "-----BEGIN" client_verify: true', "custom_ca"),
        ("key: 3", "SSLConfig"),
    ],
)
def test_a_wrong_tls_file_is_one_sentence(tmp_path, text, named):
    path = tmp_path / "ssl.config"
    path.write_text(text)
    with pytest.raises(InputError, match=named):
        ssl_config(str(path))


def test_a_unix_socket(serve, everything, connect, rows, tmp_path):
    path = tmp_path / "socket"
    with serve(everything, grpc_socket_path=str(path)) as tcp:
        with connect(f"unix:{path}") as client:
            assert client.predict(rows(1))[0] == 1
        assert tcp.predict(rows(1))[0] == 1
    assert not path.exists()


def test_a_port_in_use_is_one_sentence(serve, everything):
    with serve(everything) as client:
        with pytest.raises(InputError, match=f"Cannot listen on 127.0.0.1:{client.server.port}"):
            with serve(everything, port=client.server.port):
                pass


def test_channel_arguments(serve, everything, rows, refused):
    assert channel_arguments("a.b=3, c=d") == [("a.b", 3), ("c", "d")] and channel_arguments("") == []
    with pytest.raises(InputError, match="name=value"):
        channel_arguments("a")
    with serve(everything, grpc_channel_arguments="grpc.max_receive_message_length=100000") as client:
        assert client.predict(rows(1))[0] == 1
        with refused("RESOURCE_EXHAUSTED"):
            client.predict(rows(10000))
        zeros = client.channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
        with refused("RESOURCE_EXHAUSTED", "The request unpacks to 10000000 bytes; 100000 are allowed at most"):
            zeros(bytes(10**7), timeout=20, compression=grpc.Compression.Gzip)


def test_compressed_messages(serve, everything, rows, build_request, refused):
    """Gzip's are unpacked here, within bounds; deflate does not say what it unpacks to."""
    with serve(everything) as client:
        request = build_request(rows(5000), name="tiny").SerializeToString()
        call = client.channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
        answer = messages.PredictResponse.FromString(call(request, timeout=20, compression=grpc.Compression.Gzip))
        assert tensors.from_proto(answer.outputs["y"]).shape == (5000, 3)
        with refused("UNIMPLEMENTED", "Compression algorithm 'deflate' is disabled"):
            call(request, timeout=20, compression=grpc.Compression.Deflate)
        with refused("INVALID_ARGUMENT", "The request is no valid gzip"):
            call(MAGIC + bytes(100), timeout=20)


def test_no_more_is_unpacked_than_there_is_room_for():
    packed, admission = gzip.compress(bytes(1000)), Admission(9, 2000)
    with admission.entered(1500), admission.entered(len(packed)) as grow, pytest.raises(ServingError, match="is full"):
        unpacked(packed, 10**6, grow)
    with admission.entered(len(packed)) as grow:
        assert unpacked(packed, 1000, grow) == bytes(1000) and admission.bytes == 1000 + len(packed)
        for size in (0, 999, 1001):  # what it claims
            with pytest.raises(ServingError, match="is no valid gzip"):
                unpacked(packed[:-4] + size.to_bytes(4, "little"), 10**6, grow)
    assert (admission.requests, admission.bytes) == (0, 0)


def test_large_messages_pass(serve, everything, rows):
    with serve(everything) as client:
        count = 10**6  # 16 MB there, 16 MB back; a client's own limit is 4 MiB unless it says otherwise
        assert client.predict(rows(count))[1]["y"].shape == (count, 3)


def test_messages_are_admitted_before_they_are_parsed(
    serve, everything, rows, refused, build_request, monkeypatch, eventually
):
    admissions = [Admission(100, 10_000), Admission(100, 10_000)]  # of the two services
    wanted = iter(admissions)
    monkeypatch.setattr(grpc_server, "Admission", lambda *bounds: next(wanted))
    with serve(everything) as client:
        endless = build_request({"steps": np.full(2000, 10**9, np.int32)}, name="tiny", signature_name="slow")
        call = client.channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
        running = call.future(endless.SerializeToString(), timeout=3)
        eventually(lambda: admissions[0].requests)
        with refused("UNAVAILABLE"):
            client.predict(rows(1000))
        assert client.predict(rows(1))[0] == 1 and client.status() == {1: 30}
        assert running.code().name == "DEADLINE_EXCEEDED"
        eventually(lambda: not admissions[0].requests)
        assert client.predict(rows(1000))[0] == 1  # one that is alone may be larger


def health_calls(client):
    """Functions of a service's name: its status, and a stream of its statuses."""
    codec = {
        "request_serializer": health.HealthCheckRequest.SerializeToString,
        "response_deserializer": health.HealthCheckResponse.FromString,
    }
    check = client.channel.unary_unary("/grpc.health.v1.Health/Check", **codec)
    watch = client.channel.unary_stream("/grpc.health.v1.Health/Watch", **codec)
    return (
        lambda name="": check(health.HealthCheckRequest(service=name), timeout=5).status,
        lambda name="": watch(health.HealthCheckRequest(service=name), timeout=20),
    )


def test_the_health_messages_are_those_of_the_package():
    peer = pytest.importorskip("grpc_health.v1.health_pb2", reason="grpcio-health-checking is not there")
    ours = health.HealthCheckResponse(status=SERVING)
    assert peer.HealthCheckResponse.FromString(ours.SerializeToString()).status == peer.HealthCheckResponse.SERVING
    assert dict(peer.HealthCheckResponse.ServingStatus.items()) == dict(
        health.HealthCheckResponse.ServingStatus.items()
    )
    service = peer.HealthCheckRequest(service="a").SerializeToString()
    assert health.HealthCheckRequest.FromString(service).service == "a"


def test_the_package_for_health_would_hold_up_the_end():
    """Why the service has its own: those who watch the package's are told, but their streams stay until the grace."""
    package = pytest.importorskip("grpc_health.v1.health", reason="grpcio-health-checking is not there")
    servicer = package.HealthServicer()
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
    package._health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = package._health_pb2_grpc.HealthStub(channel)
        states = stub.Watch(package._health_pb2.HealthCheckRequest())
        assert next(states).status == SERVING
        servicer.enter_graceful_shutdown()
        assert next(states).status == NOT_SERVING
        over = server.stop(30)
        assert not over.wait(0.5)
        states.cancel()
        assert over.wait(20)


def test_health_during_load_and_its_end(serve, everything, rows):
    with serve(everything) as client, concurrent.futures.ThreadPoolExecutor(8) as pool:
        check, watch = health_calls(client)
        running = [pool.submit(client.predict, {"steps": np.int32([20000])}, signature_name="slow") for _ in range(40)]
        checked = 0
        while not all(call.done() for call in running):
            assert check() == SERVING
            checked += 1
        assert checked >= 3 and all(call.result()[0] == 1 for call in running)
        for service in ("PredictionService", "ModelService"):
            assert check(service) == check(f"tensorflow.serving.{service}") == SERVING
        with pytest.raises(grpc.RpcError) as caught:
            check("another")
        assert caught.value.code() == grpc.StatusCode.NOT_FOUND
        states, unknown, left = watch(), watch("another"), watch()
        assert next(states).status == SERVING and next(unknown).status == SERVICE_UNKNOWN
        left.cancel()
        stopped = pool.submit(client.server.stop)
        assert [state.status for state in states] == [NOT_SERVING]  # and the stream's end
        stopped.result(timeout=5)


def test_a_model_whose_versions_failed_is_not_ready(serve, everything, tmp_path):
    (tmp_path / "broken" / "7").mkdir(parents=True)
    with serve(everything, allow_reload=True) as client:
        check, watch = health_calls(client)
        assert check("tiny") == check("tiny/versions/1") == SERVING
        models = {"tiny": everything, "broken": tmp_path / "broken"}
        configs = [
            {"name": name, "base_path": str(path), "model_platform": "tensorflow"} for name, path in models.items()
        ]
        states = watch("broken")
        assert next(states).status == SERVICE_UNKNOWN
        with pytest.raises(grpc.RpcError):
            client.reload({"config": configs})
        assert client.status("broken") and check("broken") == check("broken/versions/7") == NOT_SERVING
        assert next(states).status == NOT_SERVING and check("tiny") == SERVING
        states.cancel()


def test_requests_that_run_are_answered_before_the_end(serve, everything, eventually):
    with serve(everything, grace_seconds=60.0) as client, concurrent.futures.ThreadPoolExecutor(4) as pool:
        client.status()
        slow = {"steps": np.int32([100000])}
        running = [pool.submit(client.predict, slow, signature_name="slow") for _ in range(4)]
        eventually(lambda: client.server._runner.admission.requests == 4)
        client.server.stop()
        assert [call.result()[1]["counted"].tolist() for call in running] == [[100000]] * 4
        with pytest.raises(grpc.RpcError):
            client.predict(slow, timeout=0.5)


def test_rest_is_drained_with_grpc(serve, everything, eventually):
    def post(connection, steps):
        body = json.dumps({"signature_name": "slow", "inputs": [steps]})
        connection.request("POST", "/v1/models/tiny:predict", body)
        return connection.getresponse()

    with serve(everything, rest_api_port=-1) as client, concurrent.futures.ThreadPoolExecutor(4) as pool:
        _, watch = health_calls(client)
        states = watch()
        assert next(states).status == SERVING
        kept, used = (http.client.HTTPConnection("127.0.0.1", client.server.rest_port, timeout=20) for _ in range(2))
        assert post(kept, 1).read() and kept.sock  # which is open for a further request
        runner = client.server._runner
        runner._free = 0  # all turns are taken
        running = pool.submit(post, used, 7)
        eventually(lambda: runner.waiting == 1)
        stopped = pool.submit(client.server.stop)
        assert [state.status for state in states] == [NOT_SERVING]
        assert not running.done()  # both sides refuse what is new while REST still has this to answer
        with pytest.raises(grpc.RpcError):
            client.predict({"steps": np.int32([1])}, timeout=0.5, signature_name="slow")
        kept.auto_open = False
        with pytest.raises((OSError, http.client.HTTPException)):
            post(kept, 1)
        assert not running.done() and not stopped.done()
        runner._pass_turn()
        answer = running.result()
        assert answer.headers["Connection"] == "close" and json.loads(answer.read()) == {"outputs": [7]}
        stopped.result(timeout=20)
        assert client.server.ended


def test_the_grace_is_shared_and_short(serve, everything, eventually):
    with serve(everything, rest_api_port=-1, grace_seconds=0.5) as client:
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            slow = {"steps": np.int32([2_000_000_000])}
            running = pool.submit(client.predict, slow, timeout=8, signature_name="slow")
            eventually(lambda: client.server._runner.admission.requests == 1)
            start = time.monotonic()
            client.server.stop()
            assert time.monotonic() - start < 5 and not client.server.ended
            with pytest.raises(grpc.RpcError):
                running.result()
        eventually(lambda: client.server._runner.admission.requests == 0)  # the run's own deadline
        client.server.stop()
        assert client.server.ended
