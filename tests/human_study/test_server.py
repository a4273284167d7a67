"""The server, over HTTP: what it answers, to whom, how much, and what it keeps."""

import json
import socket
import threading

import pytest
from http_calls import asking

from tfwarpgan.errors import InputError
from tfwarpgan.human_study.answers import of_study
from tfwarpgan.human_study.rate import BURST, PER_SECOND, Rates
from tfwarpgan.human_study.server import LARGEST_BODY, StudyServer


@pytest.fixture
def server(made):
    study, folder = made()
    answers = of_study(str(folder), study)
    with StudyServer(study, str(folder / "public"), answers, "127.0.0.1", 0, "study.example.org") as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        server.study, server.answers, server.folder = study, answers, folder
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def ask(server):
    return asking(server)


@pytest.fixture
def post(ask):
    """Function of a call, a token and values -> (status, what it answers)."""

    def post(call, token="", **values):
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        status, _, content = ask("POST", f"/{call}", json.dumps(values), **headers)
        return status, json.loads(content)

    return post


def test_a_rater_joins_answers_and_resumes(server, post):
    status, joined = post("join")
    assert status == 200 and joined["answered"] == [] and 0 <= joined["slot"] < 4
    token = joined["token"]
    answer = {"trial": 3, "side": "right", "milliseconds": 1500}
    assert post("answer", token, **answer) == post("answer", token, **answer) == (200, {"saved": 3})
    assert post("answer", token, **(answer | {"side": "left"}))[0] == 409
    assert post("answer", token, trial=0, side="left", milliseconds=1)[0] == 200
    known = {"rater": joined["rater"], "slot": joined["slot"], "answered": [0, 3]}
    assert post("state", token) == (200, known)
    (rater,) = server.answers.read()
    assert rater.answers[3].side == "right" and not rater.is_simulated


def test_a_rater_withdraws(server, post):
    _, joined = post("join", simulated=True)
    assert server.answers.read()[0].is_simulated
    assert post("withdraw", joined["token"]) == (200, {"deleted": True})
    assert server.answers.read() == [] and post("state", joined["token"])[0] == 401


def test_a_full_study_takes_nobody(server, post):
    for _ in server.study.slots:
        _, joined = post("join")
        for trial in range(12):
            assert post("answer", joined["token"], trial=trial, side="left", milliseconds=1)[0] == 200
    status, told = post("join")
    assert status == 410 and "has all the answers" in told["error"]


@pytest.mark.parametrize("call", ["state", "answer", "withdraw"])
@pytest.mark.parametrize("token", ["", "x", "é".encode().decode("latin-1")])
def test_without_a_token_nothing_is_done(post, call, token):
    assert post(call, token, trial=0, side="left", milliseconds=1)[0] == 401


def test_the_page_and_its_files_are_there_and_nothing_else(server, ask):
    status, headers, page = ask("GET", "/?simulate=visual")
    assert status == 200 and b'"mode": "server"' in page and headers["Cache-Control"] == "no-store"
    picture = next(iter(server.study.pictures["ours"].values()))
    status, headers, content = ask("GET", f"/{picture}")
    assert (status, headers["Content-Type"]) == (200, "image/png")
    assert content == (server.folder / "public" / picture).read_bytes()
    assert ask("HEAD", f"/{picture}")[2] == b""
    for name in ("study.js", "study.css", "jspsych/jspsych.js", "jspsych/license.txt", "slots/0.js"):
        assert ask("GET", f"/{name}")[0] == 200
    for name in (
        "trials.json",
        "../trials.json",
        "..%2ftrials.json",
        "/etc/passwd",
        "answers.sqlite",
        "pictures/",
        "slots",
    ):
        assert ask("GET", f"/{name}")[0] == 404


def test_scripts_of_others_are_kept_out(ask):
    _, headers, _ = ask("GET", "/")
    assert "default-src 'none'; script-src 'self';" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["Referrer-Policy"] == "no-referrer"
    assert "Set-Cookie" not in headers and "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize("host, status", [
    ("localhost:{}", 200), ("study.example.org", 200), ("STUDY.example.org", 200), ("study.example.org:{}", 200),
    ("evil.example.org", 421), ("127.0.0.1.evil.example.org:{}", 421), ("127.0.0.1:1", 421), ("", 421),
])  # fmt: skip
def test_only_its_own_names_are_answered(server, ask, host, status):
    host = host.format(server.port)
    assert ask("GET", "/", Host=host)[0] == status
    assert (ask("POST", "/join", "{}", Host=host, Content_Type="application/json")[0] == 421) == (status == 421)


@pytest.mark.parametrize("body, headers, status", [
    ("{}", {"Content_Type": "text/plain"}, 415),
    ("{}", {}, 415),
    ("{", {"Content_Type": "application/json"}, 400),
    ("[]", {"Content_Type": "application/json"}, 400),
    ("[" * LARGEST_BODY, {"Content_Type": "application/json"}, 400),
    ("x" * (LARGEST_BODY + 1), {"Content_Type": "application/json"}, 413),
    ("", {"Content_Type": "application/json", "Content_Length": "-1"}, 411),
    ("0\r\n\r\n", {"Content_Type": "application/json", "Transfer_Encoding": "chunked"}, 411),
])  # fmt: skip
def test_other_bodies_are_refused(server, ask, body, headers, status):
    found, _, content = ask("POST", "/join", body, **headers)
    assert found == status and json.loads(content)["error"].endswith(".")
    assert server.answers.read() == []


def test_other_calls_and_values_are_refused(post, ask):
    token = post("join")[1]["token"]
    assert post("delete", token)[0] == 404 and ask("PUT", "/join")[0] == 501
    status, told = post("answer", token, trial=12, side="left", milliseconds=1)
    assert status == 400 and told["error"] == "trial must be a whole number from 0 to 11."
    assert post("answer", token)[0] == 400


def test_who_calls_too_often_waits(server, post, monkeypatch):
    monkeypatch.setattr(server.calls, "_rates", Rates(lambda: 0.0))
    token, other = post("join")[1]["token"], post("join")[1]["token"]
    statuses = [post("state", token)[0] for _ in range(int(BURST) + 2)]
    assert statuses == [200] * int(BURST) + [429] * 2
    assert post("state", other)[0] == 200
    assert [post("join")[0] for _ in range(int(BURST))].count(429) == 2


def test_a_bucket_fills_again():
    now = [0.0]
    rates = Rates(lambda: now[0])
    assert all(rates.take("a") for _ in range(int(BURST))) and not rates.take("a")
    now[0] += 1
    assert [rates.take("a") for _ in range(int(PER_SECOND) + 1)] == [True] * int(PER_SECOND) + [False]


def test_an_answer_that_cannot_be_stored_is_asked_for_again(server, post, capsys, monkeypatch):
    import sqlite3

    def broken(*_):
        raise sqlite3.OperationalError("disk I/O error")

    token = post("join")[1]["token"]
    monkeypatch.setattr(server.answers, "record", broken)
    assert post("answer", token, trial=0, side="left", milliseconds=1)[0] == 503
    told = capsys.readouterr().err
    assert told == "error: an answer could not be stored (disk I/O error).\n"


def test_nothing_is_written_down_of_who_calls(server, ask, post, capfd):
    ask("GET", "/", User_Agent="Unmistakable/1.0")
    post("join")
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(b"POST /join HTTP/1.1\r\nHost: x")
    assert capfd.readouterr() == ("", "")
    contents = b"".join(path.read_bytes() for path in server.folder.glob("answers*"))
    assert b"Unmistakable" not in contents and b"127.0.0.1" not in contents


def test_a_port_in_use_is_told(server):
    arguments = (server.study, str(server.folder / "public"), server.answers, "127.0.0.1", server.port, "")
    with pytest.raises(InputError, match=r"Cannot listen on 127\.0\.0\.1:\d+ \(Address already in use\)"):
        StudyServer(*arguments)
