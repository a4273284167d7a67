"""Opens a page on this machine where a person on a photograph is drawn in poses that are dragged by hand.

    python -m tfwarpgan.studio --weights=people

It prints the page's address, which only this machine reaches, once the networks are ready. Nothing is stored, and the
page asks nothing of any other machine. Without MoveNet, which --pose_estimator names or tfwarpgan[photo] fetches once,
joints are placed on the photograph by hand. With --server=host:port a server draws, which serves an export of the same
weights or run.
"""

import dataclasses
import signal
import threading

from tfwarpgan.command_line import run_command
from tfwarpgan.options import FINISHING, Options, option
from tfwarpgan.photographs.options import DrawingOptions, check_networks
from tfwarpgan.serving.remote import ServerOptions


@dataclasses.dataclass(frozen=True)
class StudioOptions(DrawingOptions):
    """Whose networks draw, and where the page is."""

    port: int = option(8600, "Port of the page; 0: any that is free.", minimum=0, maximum=65535)


def main(options: Options, studio: StudioOptions, server: ServerOptions) -> None:
    """Shows the page until SIGTERM or Ctrl-C."""
    check_networks(options, studio, server.server)
    from tfwarpgan.photo_studio.server import ADDRESS, StudioServer
    from tfwarpgan.serving.service.rest.listener import check_port

    check_port(ADDRESS, studio.port)
    remote = server.connect() if server.server else None
    from tfwarpgan.photo_studio.loading import open_studio

    page = StudioServer(open_studio(options, studio, remote))
    address = page.start(studio.port)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    print(f"Studio at {address}", flush=True)
    ended.wait()
    page.stop()
    print("Stopped.", flush=True)


def cli() -> None:
    """The command."""
    takes = ("run_dir", "checkpoint", *FINISHING)
    run_command(main, Options, StudioOptions, ServerOptions, takes=takes, reads_run=True)


if __name__ == "__main__":
    cli()
