"""Where the workers of a training find each other, before TensorFlow connects them; nothing here imports TensorFlow.

TensorFlow's chief waits an hour for a worker that never comes, and hears no signal while it waits. So the others call
at the chief's address first, and all go on when the chief has heard of each.
"""

import contextlib
import hashlib
import os
import socket
import time

from tfwarpgan.errors import InputError
from tfwarpgan.training.workers import Workers

PATIENCE = 300.0  # seconds in which all workers have to come
_GO = b"g"


def meet(workers: Workers) -> None:
    """Returns when all workers have called this.

    Args:
        workers: `Workers`, more than one.

    Raises:
        InputError: If the port of this worker cannot be opened, or not all workers come within `PATIENCE`.
    """
    port = int(workers.addresses[workers.index].rpartition(":")[2])
    try:
        listening = _listen(port)
    except OSError as error:
        raise InputError(
            f"Port {port} of worker {workers.index} cannot be opened ({os.strerror(error.errno or 0)}): name another "
            "one in --workers, or in TF_CONFIG."
        ) from None
    with listening:
        if workers.is_chief:
            _expect_others(listening, workers)
            return
    _call_chief(workers)


def _listen(port: int) -> socket.socket:
    if socket.has_dualstack_ipv6():
        with contextlib.suppress(OSError):
            return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
    return socket.create_server(("", port))


def _expect_others(listening: socket.socket, workers: Workers) -> None:
    """Waits until each of the others has called, and is still there."""
    hellos = {_hello(workers, index): index for index in range(1, workers.count)}
    end = time.monotonic() + PATIENCE
    with contextlib.ExitStack() as stack:
        there: dict[int, socket.socket] = {}
        while len(there) < len(hellos):
            listening.settimeout(max(0.01, end - time.monotonic()))
            try:
                caller = stack.enter_context(listening.accept()[0])
            except TimeoutError:
                missing = [index for index in hellos.values() if index not in there]
                raise InputError(
                    f"Worker {', '.join(map(str, missing))} did not come within {PATIENCE:.0f} s: start all workers "
                    "together, and see what the missing ones say."
                ) from None
            index = hellos.get(_read(caller, len(next(iter(hellos)))))
            if index is not None:
                there[index] = caller
            there = {index: caller for index, caller in there.items() if not _has_gone(caller)}
        for caller in there.values():
            caller.sendall(_GO)


def _call_chief(workers: Workers) -> None:
    """Calls until the chief answers that all are there."""
    host, _, port = workers.addresses[0].rpartition(":")
    end = time.monotonic() + PATIENCE
    while (left := end - time.monotonic()) > 0:
        with (
            contextlib.suppress(OSError, UnicodeError),  # the latter where a name cannot be one
            socket.create_connection((host.strip("[]"), int(port)), timeout=min(left, 5.0)) as chief,
        ):
            chief.sendall(_hello(workers, workers.index))
            chief.settimeout(left)
            if chief.recv(1) == _GO:
                return
        time.sleep(min(left, 0.5))
    raise InputError(
        f"Worker 0 ({workers.addresses[0]}) did not say within {PATIENCE:.0f} s that all {workers.count} workers are "
        "there: start all workers together, and see what the others say."
    )


def _hello(workers: Workers, index: int) -> bytes:
    """What a worker sends: nobody else would."""
    return hashlib.sha256(f"tfwarpgan: worker {index} of {workers.count}".encode()).digest()


def _read(caller: socket.socket, size: int) -> bytes:
    """What a caller sends first, if it sends it at once."""
    caller.settimeout(1.0)
    try:
        return caller.recv(size)
    except OSError:
        return b""


def _has_gone(caller: socket.socket) -> bool:
    """Whether a caller, which has nothing more to say, has closed its connection."""
    caller.setblocking(False)
    try:
        caller.recv(1)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
