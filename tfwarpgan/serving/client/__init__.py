"""A client of any server that speaks TensorFlow Serving's gRPC interface, without TensorFlow.

    from tfwarpgan.serving.client import Client

    with Client("localhost:8500", "people") as people:
        answer = people.predict({"image_bytes": [jpeg], ...}, "encoded")["image_bytes"]

It needs grpcio, protobuf and NumPy. Every call has a deadline, which holds for all of its attempts together; an answer
of UNAVAILABLE (a server that starts, stops or has a full queue) is asked for again after a growing pause, any other
error is raised at once. Messages may have any size that the server takes; gRPC alone would refuse more than 4 MiB.
"""

from tfwarpgan.serving.client.async_client import AsyncClient
from tfwarpgan.serving.client.calls import METHODS, ServerError, TensorSpec
from tfwarpgan.serving.client.channel import TLS, channel_options
from tfwarpgan.serving.client.client import Client

__all__ = ["METHODS", "TLS", "AsyncClient", "Client", "ServerError", "TensorSpec", "channel_options"]
