"""Clients of any server that speaks TensorFlow Serving's gRPC interface, without TensorFlow."""

from tfwarpgan.serving.client.client import METHODS, TLS, AsyncClient, Client, ServerError, TensorSpec, channel_options

__all__ = ["METHODS", "TLS", "AsyncClient", "Client", "ServerError", "TensorSpec", "channel_options"]
