"""Serves SavedModels on this machine.

    python -m tfwarpgan.serve --model_name=people --model_base_path=DIR/people

A small server for laptops, tests and continuous integration, which answers like TensorFlow Serving, over gRPC and
REST, and takes the same flags; docs/service.md lists the differences, and which flags have an effect. It listens on
this machine only, unless --address says otherwise. A SavedModel is a program: serve only what you exported yourself.
"""

import dataclasses
import gc
import os
import signal
import sys
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn

from tfwarpgan import __version__
from tfwarpgan.command_line import run_command
from tfwarpgan.errors import InputError
from tfwarpgan.options import option
from tfwarpgan.serving.service.unused_flags import REASONS, warning

if TYPE_CHECKING:
    from tfwarpgan.serving.service.server import Server

ANY_PORT = -1


@dataclasses.dataclass(frozen=True)
class ServeOptions:
    """What is served and how; the names are TensorFlow Serving's where it has one."""

    port: int = option(8500, "gRPC port; 0 takes any free port.", minimum=0, maximum=65535)
    rest_api_port: int = option(
        0, "REST port; 0 disables REST, -1 takes any free port.", minimum=ANY_PORT, maximum=65535
    )
    rest_api_timeout_in_ms: int = option(
        30000, "Timeout of a REST request, in milliseconds.", minimum=1, maximum=2**31 - 1
    )
    address: str = option("127.0.0.1", "Address to listen on; 0.0.0.0 means all addresses of this machine.")
    model_name: str = option("default", "Name of the model.")
    model_base_path: str = option("", "Folder of the model; each subfolder whose name is a number is a version.")
    model_config_file: str = option(
        "",
        "File with a ModelServerConfig, for several models and labels; replaces --model_name and --model_base_path.",
    )
    model_config_file_poll_wait_seconds: int = option(
        0, "Seconds between two readings of --model_config_file; 0 reads it only once.", minimum=0
    )
    file_system_poll_wait_seconds: float = option(
        1.0, "Seconds between two checks for new versions; 0 or less checks only at startup."
    )
    allow_version_labels_for_unavailable_models: bool = option(
        False, "Allow a new configuration to give a new label to a version that is not loaded yet."
    )
    allow_reload: bool = option(False, "Allow clients to change what is served, with HandleReloadConfigRequest.")
    enable_batching: bool = option(False, "Run requests that arrive together as one batch.")
    batching_parameters_file: str = option("", "File with BatchingParameters; what it leaves out has its default.")
    monitoring_config_file: str = option("", "File with a MonitoringConfig; ignored without --rest_api_port.")
    ssl_config_file: str = option("", "File with an SSLConfig; gRPC then uses TLS.")
    grpc_socket_path: str = option("", "Path of a Unix socket to listen on as well, without TLS.")
    grpc_channel_arguments: str = option("", "More arguments for the gRPC server, as name=value,name=value.")
    saved_model_tags: str = option("serve", "Tags of the graph to load from a SavedModel, separated by commas.")
    enable_model_warmup: bool = option(True, "Run the warm-up requests of a version before it is served.")
    num_request_iterations_for_warmup: int = option(
        1, "Times that each warm-up request is run; below 1, as in TensorFlow Serving: once."
    )
    tensorflow_session_config_file: str = option(
        "", "File with a ConfigProto for the sessions; what the flags on parallelism and memory say, wins."
    )
    per_process_gpu_memory_fraction: float = option(
        0.0, "Most of a GPU's memory that is used, as a fraction; 0: no bound.", minimum=0, maximum=1
    )
    tensorflow_session_parallelism: int = option(
        0, "Both of the following, where they are 0; 0 uses all processors.", minimum=0
    )
    tensorflow_intra_op_parallelism: int = option(0, "Threads per operation; 0 uses all processors.", minimum=0)
    tensorflow_inter_op_parallelism: int = option(
        0, "Operations that run at the same time; 0 uses all processors.", minimum=0
    )
    version: bool = option(False, "Print the versions of tfwarpgan and TensorFlow, and end.")
    profile_port: int = option(
        0,
        "Port for TensorBoard's profiler, open on all addresses of this machine, whatever --address says; 0: none.",
        minimum=0,
        maximum=65535,
    )
    rest_api_enable_cors_support: bool = option(False, "Let web pages of any origin call REST (CORS).")
    request_log: str = option(
        "", "File, such as /dev/stdout, for a line of JSON per request, with the caller's traceparent; default: none."
    )
    lame_duck_seconds: float = option(
        1.0,
        "Seconds that the server still takes requests when it is stopped, while it tells callers to go elsewhere.",
        minimum=0,
    )
    grace_seconds: float = option(
        30.0, "Seconds that running requests have to finish when the server takes no more.", minimum=0
    )

    def __post_init__(self) -> None:
        if self.version:
            return
        if not self.model_base_path and not self.model_config_file:
            raise InputError("Give --model_base_path for one model, or --model_config_file for several.")
        if self.batching_parameters_file and not self.enable_batching:
            raise InputError("--batching_parameters_file needs --enable_batching.")
        if self.rest_api_port > 0 and self.rest_api_port == self.port:
            raise InputError(f"--rest_api_port={self.rest_api_port} must differ from --port.")
        files = ("model_config_file", "batching_parameters_file", "monitoring_config_file", "ssl_config_file")
        for name in (*files, "tensorflow_session_config_file"):
            path = getattr(self, name)
            if path and not os.path.isfile(path) and (name != "monitoring_config_file" or self.rest_api_port):
                raise InputError(f"--{name}={path} is not a file.")

    def ignored(self) -> Iterator[str]:
        """Sentences about flags that were given but have no effect, as in TensorFlow Serving."""
        if self.model_config_file and self.model_base_path:
            yield "--model_base_path and --model_name are ignored: the models are those of --model_config_file."
        if self.monitoring_config_file and not self.rest_api_port:
            yield "--monitoring_config_file is ignored: metrics are read over REST, which --rest_api_port would open."


UnusedOptions: Any = dataclasses.make_dataclass(
    "UnusedOptions",
    [(name, kind, option(None, f"No effect: {reason}.")) for name, (kind, reason) in REASONS.items()],
    namespace={"__doc__": "Flags of TensorFlow Serving that have no effect here."},
    frozen=True,
)


def main(options: ServeOptions, unused: Any) -> None:
    """Serves until SIGTERM or Ctrl-C, and for --lame_duck_seconds more.

    Then it waits until running requests are answered, or --grace_seconds have passed.
    """
    from tfwarpgan.serving.service import allocator, configuration

    if options.version:
        return _print_versions()
    allocator.keep_freed_memory()
    given = [name for name, value in dataclasses.asdict(unused).items() if value is not None]
    for sentence in filter(None, [*options.ignored(), warning(given)]):
        print(sentence, file=sys.stderr, flush=True)
    configured = configuration.read(options)  # mistakes are reported before TensorFlow starts
    from tfwarpgan.serving.service.server import Server

    # Objects that exist by now stay: the garbage collection after a version's end is then short and delays no request.
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


def _print_versions() -> None:
    import tensorflow as tf

    print(f"tfwarpgan: {__version__}\nTensorFlow: {tf.__version__}")


def _stop_at_signals(server: "Server") -> None:
    """A thread waits for the byte that Python writes as soon as a signal comes, on whatever thread that is.

    A handler in Python runs on the main thread only, and not while that waits and the signal came to another one.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)

    def stop() -> None:
        os.read(reader, 1)
        if not server.port:  # a first load cannot be interrupted, and nobody waits for an answer yet
            _leave()
        server.request_stop()

    threading.Thread(target=stop, daemon=True).start()


def _leave() -> NoReturn:
    """Ends the process; Python's own end would wait for the threads of runs that go on."""
    print("Stopped.", flush=True)
    sys.stderr.flush()
    os._exit(0)


def cli() -> None:
    """The command."""
    run_command(main, ServeOptions, UnusedOptions)


if __name__ == "__main__":
    cli()
