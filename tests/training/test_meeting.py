"""Workers find each other before anything else, or end with one sentence that says who is missing."""

import concurrent.futures
import contextlib
import socket
import time

import pytest

from tfwarpgan.errors import InputError
from tfwarpgan.training import meeting
from tfwarpgan.training.workers import Workers


@pytest.fixture
def addresses(processes):
    return processes.addresses(3)


def call(address, said):
    """A connection to an address, as soon as somebody listens there, over which this was sent."""
    host, port = address.split(":")
    while True:
        with contextlib.suppress(OSError):
            connection = socket.create_connection((host, int(port)))
            connection.sendall(said)
            return connection
        time.sleep(0.01)


def test_all_go_on_when_all_are_there(addresses):
    """Neither a stranger nor a worker that has gone again counts as one of them."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        chief = pool.submit(meeting.meet, Workers(addresses))
        first = pool.submit(meeting.meet, Workers(addresses, 1))
        with call(addresses[0], b"GET / HTTP/1.1\r\nHost: localhost:2222\r\n\r\n"):
            call(addresses[0], meeting._hello(Workers(addresses), 2)).close()
            time.sleep(0.2)
            assert not chief.done() and not first.done()
            for done in (pool.submit(meeting.meet, Workers(addresses, 2)), chief, first):
                done.result(10)
    meeting._listen(int(addresses[0].split(":")[1])).close()  # TensorFlow finds the port free


def test_who_does_not_come_is_named(addresses, monkeypatch):
    monkeypatch.setattr(meeting, "PATIENCE", 3.0)
    with call_later(addresses, 1), pytest.raises(InputError, match="^Worker 2 did not come within 3 s: start all"):
        meeting.meet(Workers(addresses))
    monkeypatch.setattr(meeting, "PATIENCE", 0.3)
    with pytest.raises(InputError, match=rf"^Worker 0 \({addresses[0]}\) did not say within 0 s that all 3 workers"):
        meeting.meet(Workers(addresses, 1))


@contextlib.contextmanager
def call_later(addresses, index):
    """Within it, that worker calls the chief."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        calling = pool.submit(call, addresses[0], meeting._hello(Workers(addresses), index))
        yield
        calling.result().close()


@pytest.mark.parametrize("index", [0, 1])
def test_a_port_that_is_taken_is_told(addresses, index):
    port = int(addresses[index].split(":")[1])
    told = rf"^Port {port} of worker {index} cannot be opened \(Address already in use\): name another one in --workers"
    with socket.create_server(("", port)), pytest.raises(InputError, match=told):
        meeting.meet(Workers(addresses, index))
