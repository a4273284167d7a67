"""The networks of a server in place of this process' own: what `synthesize --server=host:port` draws with.

Nothing here imports TensorFlow, so that a machine with the client alone can synthesize.
"""

import dataclasses
import os

import numpy as np

from tfwarpgan.errors import InputError
from tfwarpgan.options import option
from tfwarpgan.storage.pixels import from_pixels, to_pixels


@dataclasses.dataclass(frozen=True)
class ServerOptions:
    """Which server draws, and how it is reached."""

    server: str = option("", "host:port (gRPC) of a server that draws, in place of networks of one's own.")
    server_model: str = option("people", "With --server: name of the model there.")
    server_label: str = option("", "With --server: label of the model's version, such as canary; empty: the newest.")
    server_batch_size: int = option(
        8, "With --server: rows to send at once, at most what the server's batching allows.", minimum=1
    )
    server_timeout: float = option(60.0, "With --server: seconds that a batch may take.", minimum=0.001)
    server_ca: str = option("", "With --server: PEM file of the certificates to trust; encrypts the connection.")
    server_certificate: str = option("", "With --server_ca: PEM file of the client's certificate, if one is asked for.")
    server_key: str = option("", "With --server_ca: PEM file of its key.")
    server_name: str = option("", "With --server_ca: name in the server's certificate, if it is not the host's.")

    def __post_init__(self):
        if (self.server_certificate or self.server_key or self.server_name) and not self.server_ca:
            raise InputError("--server_certificate, --server_key and --server_name need --server_ca too.")
        if bool(self.server_certificate) != bool(self.server_key):
            raise InputError("--server_certificate and --server_key belong together: give both or neither.")

    def connect(self):
        """The `RemotePipeline`.

        Raises:
            InputError: If the server cannot be reached, or its model is another one.
        """
        try:
            from tfwarpgan.serving.client import TLS, Client
        except ImportError as error:
            raise InputError(
                f"--server needs grpcio and protobuf ({error}); pip install 'tfwarpgan[client]'."
            ) from None
        files = [os.path.expanduser(path) for path in (self.server_ca, self.server_certificate, self.server_key)]
        tls = TLS(*files, server_name=self.server_name) if self.server_ca else None
        try:
            client = Client(
                self.server, self.server_model, label=self.server_label, timeout=self.server_timeout, tls=tls
            )
        except OSError as error:
            raise InputError(f"{error.filename} cannot be read ({error.strerror}); name a PEM file.") from None
        return RemotePipeline(client, self.server_batch_size)


class RemotePipeline:
    """The pipeline of a server, as `synthesis.synthesize` takes it.

    Args:
        client: `Client`.
        batch_size: Rows that the server takes at once, at most.

    Attributes:
        height, width: Of the model's pictures, in pixels.
        labels: Whether the server labels pictures that have no parsing.
    """

    def __init__(self, client, batch_size=8):
        self.client, self.batch_size = client, batch_size
        signatures = self._asked(client.metadata)
        try:
            _, self.height, self.width, _ = signatures["serving_default"][0]["image"].shape
        except (KeyError, TypeError, ValueError):
            raise InputError(
                f"--server={client.target}: {client.model} is not exported by tfwarpgan.export; name its model by "
                "--server_model."
            ) from None
        self.labels = "photograph" in signatures

    def sized(self, options):
        """`Options` with the size of the server's pictures, and batches that it takes."""
        batch_size = min(options.data.batch_size, self.batch_size)
        data = dataclasses.replace(options.data, height=self.height, width=self.width, batch_size=batch_size)
        return dataclasses.replace(options, data=data)

    def pictures(self, batch):
        """Draws a batch.

        Args:
            batch: Dictionary of arrays: `condition_image` float32 [B, H, W, 3] in [-1, 1], `target_keypoints`,
                `target_visible` and, unless the server labels pictures, `condition_parsing` uint8 [B, H, W].

        Returns:
            float32 [B, H, W, 3] in [-1, 1].
        """
        inputs = {
            "image": to_pixels(batch["condition_image"]),
            "target_keypoints": np.asarray(batch["target_keypoints"], np.float32),
            "target_visible": np.asarray(batch["target_visible"], bool),
        }
        signature = "photograph"
        if "condition_parsing" in batch:
            inputs["condition_parsing"], signature = np.asarray(batch["condition_parsing"], np.uint8), "serving_default"
        return from_pixels(self._asked(self.client.predict, inputs, signature)["image"])

    def _asked(self, method, *arguments):
        from tfwarpgan.serving.client import ServerError

        try:
            return method(*arguments)
        except ServerError as error:
            told = " ".join(str(error).split())
            raise InputError(f"--server={self.client.target} does not answer for {self.client.model}: {told}") from None
