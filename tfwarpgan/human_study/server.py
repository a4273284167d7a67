"""The study's own server: the page and its pictures by GET, raters' calls by POST, from the standard library alone.

It keeps no address and no browser's name, and writes no log. Put a proxy with TLS in front of it for raters elsewhere.
"""

import http.server
import json
import os
import socket
import socketserver
import sqlite3
import sys
import threading
from collections.abc import Callable
from typing import Any

from tfwarpgan.errors import InputError
from tfwarpgan.human_study import pages
from tfwarpgan.human_study.answers import Answer, Answers, FullError, Rater
from tfwarpgan.human_study.document import Study
from tfwarpgan.human_study.rate import Rates

LARGEST_BODY = 1024  # bytes
MOST_CONNECTIONS = 500
SECONDS = 15  # that a connection may be silent
KINDS = {
    ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
    ".png": "image/png", ".txt": "text/plain; charset=utf-8",
}  # fmt: skip
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")


class CallError(Exception):
    """A call that is refused: an HTTP status and a sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


class Calls:
    """What raters can do; each call takes a rater's token and the call's values, and gives what the page needs."""

    def __init__(self, study: Study, answers: Answers) -> None:
        self._study, self._answers, self._rates = study, answers, Rates()
        self.named: dict[str, Callable[[str, dict[str, Any]], dict[str, Any]]] = {
            "join": self.join, "state": self.state, "answer": self.answer, "withdraw": self.withdraw,
        }  # fmt: skip

    def join(self, token: str, values: dict[str, Any]) -> dict[str, Any]:
        """A new rater."""
        del token
        self._bound("join")
        try:
            new, rater = self._answers.join(values.get("simulated") is True)
        except FullError:
            raise CallError(410, "This study has all the answers that it needs. Thank you.") from None
        return {"token": new, "rater": rater.rater, "slot": rater.slot, "answered": []}

    def state(self, token: str, values: dict[str, Any]) -> dict[str, Any]:
        """Where a rater was."""
        del values
        rater = self._rater(token)
        return {"rater": rater.rater, "slot": rater.slot, "answered": sorted(rater.answers)}

    def answer(self, token: str, values: dict[str, Any]) -> dict[str, Any]:
        """Keeps an answer; again the same: the same."""
        rater = self._rater(token)
        try:
            given = [values.get(key) for key in ("trial", "side", "milliseconds")]
            answer = Answer.checked(given, len(self._study.slots[rater.slot]))
        except InputError as error:
            raise CallError(400, str(error)) from None
        if self._answers.record(rater.rater, answer).side != answer.side:
            raise CallError(409, "This trial has another answer already; the first one counts.")
        return {"saved": answer.trial}

    def withdraw(self, token: str, values: dict[str, Any]) -> dict[str, Any]:
        """Deletes a rater."""
        del values
        return {"deleted": self._answers.delete(self._rater(token).rater)}

    def _rater(self, token: str) -> Rater:
        rater = self._answers.find(token) if token else None
        if rater is None:
            raise CallError(401, "The token is not known; begin at the first page.")
        self._bound(rater.rater)
        return rater

    def _bound(self, who: str) -> None:
        if not self._rates.take(who):
            raise CallError(429, "Too many calls at a time; try again in a moment.")


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection."""

    server: "StudyServer"
    timeout = SECONDS
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "tfwarpgan", ""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0].lstrip("/") or pages.INDEX
        if not self._is_for_us():
            return
        if path == pages.INDEX:
            self._send(200, self.server.index, ".html", "no-store")
        elif path in self.server.files:
            with open(self.server.files[path], "rb") as file:
                self._send(200, file.read(), os.path.splitext(path)[1], "private, max-age=3600")
        else:
            self._refuse(404, "There is no such page.")

    do_HEAD = do_GET

    def do_POST(self) -> None:
        if not self._is_for_us():
            return
        try:
            values = self._body()
            call = self.server.calls.named.get(self.path.lstrip("/"))
            if call is None:
                raise CallError(404, "There is no such call.")
            scheme, _, token = self.headers.get("Authorization", "").partition(" ")
            result = call(token.strip() if scheme == "Bearer" else "", values)
        except CallError as error:
            self._refuse(error.status, error.sentence)
        except sqlite3.Error as error:
            print(f"error: an answer could not be stored ({error}).", file=sys.stderr, flush=True)
            self._refuse(503, "The answer could not be stored; it is sent again.")
        else:
            self._send(200, json.dumps(result).encode(), ".json", "no-store")

    def _is_for_us(self) -> bool:
        """Refuses other names than the server's own: pages of others cannot reach it by a name of theirs."""
        if self.headers.get("Host", "").lower() in self.server.hosts:
            return True
        self._refuse(421, "This server does not answer for that host; see --allowed_hosts.")
        return False

    def _body(self) -> dict[str, Any]:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or "Transfer-Encoding" in self.headers:
            raise CallError(411, "Content-Length is missing.")
        if int(length) > LARGEST_BODY:
            raise CallError(413, f"A call has at most {LARGEST_BODY} bytes.")
        content = self.rfile.read(int(length))
        if self.headers.get_content_type() != "application/json":
            raise CallError(415, "A call is JSON (Content-Type: application/json).")
        try:
            values = json.loads(content)
        except (ValueError, RecursionError):
            values = None
        if not isinstance(values, dict):
            raise CallError(400, "The call is not a JSON object.")
        return values

    def _refuse(self, status: int, sentence: str) -> None:
        self.close_connection = True  # what was not read of a body is no next request
        self._send(status, json.dumps({"error": sentence}).encode(), ".json", "no-store")

    def _send(self, status: int, content: bytes, suffix: str, cache: str) -> None:
        self.send_response(status)
        kind = KINDS.get(suffix, "application/json")
        headers = {"Content-Type": kind, "Content-Length": str(len(content)), "Cache-Control": cache, **HEADERS}
        if self.close_connection:
            headers["Connection"] = "close"
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is logged: a log would hold addresses."""


class StudyServer(http.server.ThreadingHTTPServer):
    """The server; `port` is the one that it listens on."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self, study: Study, public: str, answers: Answers, address: str, port: int, allowed_hosts: str
    ) -> None:
        """Listens.

        Args:
            study: The `Study`.
            public: Its public folder.
            answers: Where answers go.
            address: To listen on.
            port: To listen on; 0: any that is free.
            allowed_hosts: More names by which it is reached, through a proxy, separated by commas.

        Raises:
            InputError: If the port cannot be used.
        """
        self.calls = Calls(study, answers)
        self.index = pages.index(study, pages.SERVER).encode()
        self.files = _files(public)
        self._connections = threading.BoundedSemaphore(MOST_CONNECTIONS)
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        try:
            super().__init__((address, port), Handler)
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error
            raise InputError(f"Cannot listen on {address}:{port} ({reason}); choose another --port.") from None
        self.port = self.server_address[1]
        names = [name.strip().lower() for name in allowed_hosts.split(",") if name.strip()]
        self.hosts = {*names, *(f"{name}:{self.port}" for name in (*LOCAL_NAMES, *names))}

    def server_bind(self) -> None:
        """Without HTTPServer's question for this machine's name, which no answer needs."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._connections.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._connections.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that broke off is nobody's mistake, and its address is not written down."""


def _files(public: str) -> dict[str, str]:
    """Address -> path of what may be fetched: what is there when the server starts, and nothing else."""
    found = {}
    for folder, _, names in os.walk(public):
        for name in names:
            path = os.path.join(folder, name)
            found[os.path.relpath(path, public).replace(os.sep, "/")] = path
    return found
