"""The channel of a client: encryption, retries, and messages of any size."""

import dataclasses
import json
from typing import Any

import grpc

MAX_ATTEMPTS = 5  # gRPC itself makes no more
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0  # seconds; each pause is twice the one before, and drawn around that
MAX_MESSAGE_BYTES = 2**31 - 1
PING_AFTER, PING_WITHIN = 5.0, 5.0  # seconds without a word in a call until a ping, and for its answer


@dataclasses.dataclass(frozen=True)
class TLS:
    """Files (PEM) of an encrypted connection.

    Attributes:
        ca: Certificates to trust; empty: those of the system.
        certificate, key: The client's own, if the server asks for them.
        server_name: Name in the server's certificate, if it differs from the host.
    """

    ca: str = ""
    certificate: str = ""
    key: str = ""
    server_name: str = ""

    def credentials(self) -> grpc.ChannelCredentials:
        """The `grpc.ChannelCredentials`."""
        if bool(self.certificate) != bool(self.key):
            raise ValueError("A client's certificate and its key belong together: give both or neither.")
        return grpc.ssl_channel_credentials(_read(self.ca), _read(self.key), _read(self.certificate))


def channel_options(attempts: int = MAX_ATTEMPTS, server_name: str = "") -> list[tuple[str, Any]]:
    """The options of a gRPC channel, sync or asyncio: both message limits, and retries.

    Asked again is what was UNAVAILABLE, or CANCELLED by a server that stops: the caller's own cancellation is final. A
    server whose machine is frozen, which answers no ping either, is UNAVAILABLE too.

    The servers that a target names, or that its name resolves to, take turns; by itself gRPC stays with the first.
    """
    policy = {
        "maxAttempts": attempts,
        "initialBackoff": f"{FIRST_PAUSE}s",
        "maxBackoff": f"{LONGEST_PAUSE}s",
        "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE", "CANCELLED"],
    }
    config: dict[str, Any] = {"loadBalancingConfig": [{"round_robin": {}}]}
    if attempts > 1:
        config["methodConfig"] = [{"name": [{}], "retryPolicy": policy}]
    options = [
        ("grpc.service_config", json.dumps(config)),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.per_rpc_retry_buffer_size", MAX_MESSAGE_BYTES),  # a request above it, 256 KiB, would be tried once
        ("grpc.keepalive_time_ms", int(1000 * PING_AFTER)),
        ("grpc.keepalive_timeout_ms", int(1000 * PING_WITHIN)),
        ("grpc.http2.ping_timeout_ms", int(1000 * PING_WITHIN)),  # what later versions of gRPC go by
        ("grpc.initial_reconnect_backoff_ms", int(1000 * FIRST_PAUSE)),
        ("grpc.max_reconnect_backoff_ms", int(1000 * LONGEST_PAUSE)),
    ]
    if server_name:
        options.append(("grpc.ssl_target_name_override", server_name))
    return options


def _read(path: str) -> bytes | None:
    if not path:
        return None
    with open(path, "rb") as file:
        return file.read()
