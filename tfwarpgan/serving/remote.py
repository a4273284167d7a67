"""The networks of a server instead of this process' own: what `synthesize --server=host:port` draws with.

Nothing here imports TensorFlow, so that a machine with the client alone can synthesize.
"""

import dataclasses
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from tfwarpgan.errors import InputError
from tfwarpgan.options import Options, option
from tfwarpgan.serving.pipeline import ExportedPipeline
from tfwarpgan.typing import Array, Arrays

if TYPE_CHECKING:
    from tfwarpgan.serving.client import Client

Answer = TypeVar("Answer")


@dataclasses.dataclass(frozen=True)
class ServerOptions:
    """Which server draws, and how it is reached."""

    server: str = option("", "Server to draw with, host:port (gRPC), instead of networks on this machine.")
    server_model: str = option("people", "With --server: name of the model.")
    server_label: str = option("", "With --server: label of the version, such as canary; default: the newest version.")
    server_batch_size: int = option(
        8, "With --server: images per request, at most the largest batch that the server allows.", minimum=1
    )
    server_timeout: float = option(60.0, "With --server: timeout of a request, in seconds.", minimum=0.001)
    server_ca: str = option("", "With --server: PEM file of the certificate authorities to trust; turns on TLS.")
    server_certificate: str = option(
        "", "With --server_ca: PEM file of the client certificate, if the server asks for one."
    )
    server_key: str = option("", "With --server_ca: PEM file of the key of --server_certificate.")
    server_name: str = option(
        "", "With --server_ca: name in the server's certificate, if it differs from the host name."
    )

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            if not self.server and getattr(self, field.name) != field.default:
                raise InputError(f"--{field.name} needs --server.")
        if (self.server_certificate or self.server_key or self.server_name) and not self.server_ca:
            raise InputError("--server_certificate, --server_key and --server_name need --server_ca too.")
        if bool(self.server_certificate) != bool(self.server_key):
            raise InputError("--server_certificate and --server_key belong together: give both or neither.")

    def connect(self) -> "RemotePipeline":
        """The `RemotePipeline`.

        Raises:
            InputError: If the server cannot be reached, or its model is another one.
        """
        try:
            from tfwarpgan.serving.client import TLS, Client
        except ImportError as error:
            raise InputError(
                f"A server is called with grpcio and protobuf ({error}); pip install 'tfwarpgan[client]'."
            ) from None
        files = (self.server_ca, self.server_certificate, self.server_key)
        ca, certificate, key = map(os.path.expanduser, files)
        tls = TLS(ca, certificate, key, server_name=self.server_name) if self.server_ca else None
        try:
            client = Client(
                self.server, self.server_model, label=self.server_label, timeout=self.server_timeout, tls=tls
            )
        except OSError as error:
            raise InputError(f"{error.filename} cannot be read ({error.strerror}); name a PEM file.") from None
        return RemotePipeline(client, self.server_batch_size)


class RemotePipeline(ExportedPipeline):
    """The networks of a server.

    Args:
        client: `Client`.
        batch_size: Rows that the server takes at once, at most.

    Raises:
        InputError: If the server does not answer, or its model is not an export of `tfwarpgan.export`.
    """

    def __init__(self, client: "Client", batch_size: int = ExportedPipeline.batch_size) -> None:
        self.client, self.batch_size = client, batch_size
        signatures = self._asked(client.metadata)
        shapes = {name: {key: spec.shape for key, spec in inputs.items()} for name, (inputs, _) in signatures.items()}
        inputs, _ = signatures.get("serving_default", ({}, {}))
        dimensions = inputs["image"].dimensions if "image" in inputs else ()
        super().__init__(f"{client.model} of {client.target}", shapes, dimensions[2] if len(dimensions) == 4 else "")

    def sized(self, options: Options) -> Options:
        """`Options` with the size of the server's images, and batches that it takes."""
        batch_size = min(options.data.batch_size, self.batch_size)
        data = dataclasses.replace(options.data, height=self.height, width=self.width, batch_size=batch_size)
        return dataclasses.replace(options, data=data)

    def predict(self, inputs: Arrays, signature: str) -> dict[str, Array]:
        """See `ExportedPipeline.predict`."""
        return self._asked(self.client.predict, inputs, signature)

    def _asked(self, method: Callable[..., Answer], *arguments: object) -> Answer:
        from tfwarpgan.serving.client import ServerError

        try:
            return method(*arguments)
        except ServerError as error:
            told = " ".join(str(error).split())
            raise InputError(f"{self.client.target} does not answer for {self.client.model}: {told}") from None
