"""Serves SavedModels on this machine: `python -m tfwarpgan.serve --model_name=people --model_base_path=DIR/people`.

An embedded service for laptops, tests and continuous integration, which answers as TensorFlow Serving does, at gRPC
and REST, and takes the same flags; docs/service.md tells where the two differ. It listens at this machine only, unless
--address says otherwise. A SavedModel is a program: serve only what you exported.
"""

import dataclasses
import gc
import os
import signal
import sys
import threading

from tfwarpgan.command_line import run_command
from tfwarpgan.errors import InputError
from tfwarpgan.options import option

ANY_PORT = -1


@dataclasses.dataclass(frozen=True)
class ServeOptions:
    """What is served and how, by TensorFlow Serving's names where it has one."""

    port: int = option(8500, "Port of gRPC; 0: any free one.", minimum=0, maximum=65535)
    rest_api_port: int = option(0, "Port of REST; 0: none, -1: any free one.", minimum=ANY_PORT, maximum=65535)
    rest_api_timeout_in_ms: int = option(
        30000, "Time that a REST request may take, in milliseconds.", minimum=1, maximum=2**31 - 1
    )
    address: str = option("127.0.0.1", "Address to listen at; 0.0.0.0: all of this machine's.")
    model_name: str = option("default", "Name of the model.")
    model_base_path: str = option("", "Folder of the model: each child whose name is a number is a version.")
    model_config_file: str = option(
        "", "File of a ModelServerConfig, for several models, versions and labels; replaces the two flags above."
    )
    model_config_file_poll_wait_seconds: int = option(
        0, "Seconds between two readings of --model_config_file; 0: it is read once.", minimum=0
    )
    file_system_poll_wait_seconds: float = option(
        1.0, "Seconds between two looks for new versions; 0 or less: only at the start."
    )
    allow_version_labels_for_unavailable_models: bool = option(
        False, "Let a new configuration give a new label to a version that is not served yet."
    )
    allow_reload: bool = option(False, "Let clients change what is served, by HandleReloadConfigRequest.")
    enable_batching: bool = option(False, "Run requests that arrive together in one batch.")
    batching_parameters_file: str = option("", "File of BatchingParameters; empty: the defaults.")
    monitoring_config_file: str = option("", "File of a MonitoringConfig; without --rest_api_port not read.")
    ssl_config_file: str = option("", "File of an SSLConfig: gRPC then speaks TLS.")
    grpc_socket_path: str = option("", "Path of a Unix socket to listen at as well, without TLS.")
    grpc_channel_arguments: str = option("", "More arguments of the gRPC server, as name=value,name=value.")
    tensorflow_intra_op_parallelism: int = option(0, "Threads within an operation; 0: all processors.", minimum=0)
    tensorflow_inter_op_parallelism: int = option(0, "Operations at the same time; 0: all processors.", minimum=0)
    profile_port: int = option(
        0,
        "Port for TensorBoard's profiler, open at all of this machine's addresses whatever --address says; 0: none.",
        minimum=0,
        maximum=65535,
    )
    grace_seconds: float = option(30.0, "Seconds that running requests get when the service is stopped.", minimum=0)

    def __post_init__(self):
        if not self.model_base_path and not self.model_config_file:
            raise InputError("Give --model_base_path for one model, or --model_config_file for several.")
        if self.batching_parameters_file and not self.enable_batching:
            raise InputError("--batching_parameters_file needs --enable_batching.")
        if self.rest_api_port > 0 and self.rest_api_port == self.port:
            raise InputError(f"--rest_api_port={self.rest_api_port} must differ from --port.")
        for name in ("model_config_file", "batching_parameters_file", "monitoring_config_file", "ssl_config_file"):
            path = getattr(self, name)
            if path and not os.path.isfile(path) and (name != "monitoring_config_file" or self.rest_api_port):
                raise InputError(f"--{name}={path} is no file.")

    def ignored(self):
        """Sentences about the flags that are given and have no effect, as in TensorFlow Serving."""
        if self.model_config_file and self.model_base_path:
            yield "--model_base_path and --model_name are ignored: the models are those of --model_config_file."
        if self.monitoring_config_file and not self.rest_api_port:
            yield "--monitoring_config_file is ignored: metrics are read over REST, which --rest_api_port would open."


def main(options):
    """Serves until SIGTERM or Ctrl-C, and then until what runs is answered or --grace_seconds are over."""
    from tfwarpgan.serving.service import allocator, configuration

    allocator.keep_freed_memory()
    for sentence in options.ignored():
        print(sentence, file=sys.stderr, flush=True)
    configured = configuration.read(options)  # what is wrong there is told before TensorFlow starts
    from tfwarpgan.serving.service.server import Server

    # What is there by now stays: the collection that follows a version's end is then short, and holds up no request.
    gc.collect()
    gc.freeze()
    server = Server(options, configured)
    _stop_at_signals(server)
    with server:
        if server.port:
            print(f"gRPC at {options.address}:{server.port}", flush=True)
        if server.port and server.rest_port:
            print(f"REST at http://{options.address}:{server.rest_port}/v1/models/", flush=True)
        server.wait()
    if not server.ended:
        _leave()
    print("Stopped.", flush=True)


def _stop_at_signals(server):
    """A thread waits for the byte that Python writes as soon as a signal comes, on whatever thread that is.

    A handler in Python runs on the main thread only, and not while that waits and the signal came to another one.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)

    def stop():
        os.read(reader, 1)
        if not server.port:  # a first load cannot be broken off, and nobody waits for an answer yet
            _leave()
        server.request_stop()

    threading.Thread(target=stop, daemon=True).start()


def _leave():
    """Ends the process; Python's own end would wait for the threads of runs that go on."""
    print("Stopped.", flush=True)
    sys.stderr.flush()
    os._exit(0)


def cli():
    """The command."""
    run_command(main, ServeOptions)


if __name__ == "__main__":
    cli()
