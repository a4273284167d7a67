"""The server, over HTTP: what it answers, to whom, how much at a time, and that it keeps nothing."""

import concurrent.futures
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

import pytest
from http_calls import asking

from tfwarpgan.data.joints.stature import Stature, write_stature
from tfwarpgan.errors import InputError
from tfwarpgan.photo_studio.server import ADDRESS, LARGEST_BODY, MOST_CALLS, StudioServer, web_files
from tfwarpgan.serving.service.rest.listener import check_port


@pytest.fixture
def server(studio):
    server = StudioServer(studio)
    server.port = int(server.start(0).rstrip("/").rpartition(":")[2])
    yield server
    server.stop()


@pytest.fixture
def ask(server):
    return asking(server)


@pytest.fixture
def post(ask):
    """Function of a call and its values -> (status, headers, what it answers)."""

    def post(name, **values):
        status, headers, content = ask("POST", f"/{name}", json.dumps(values), Content_Type="application/json")
        return status, headers, json.loads(content)

    return post


def test_the_page_and_its_files(ask, studio):
    status, headers, content = ask("GET", "/")
    assert status == 200 and content == web_files()["index.html"]
    assert headers["Cache-Control"] == "no-store" and headers["X-Content-Type-Options"] == "nosniff"
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ") and "http" not in policy and "unsafe" not in policy
    for name, content in web_files().items():
        assert ask("GET", f"/{name}")[::2] == (200, content)
    assert ask("GET", "/studio.js")[1]["Content-Type"].startswith("text/javascript")
    assert json.loads(ask("GET", "/facts.json")[2]) == json.loads(json.dumps(studio.facts()))
    assert ask("HEAD", "/")[::2] == (200, b"")
    for path in ("/../server.py", "/%2e%2e/server.py", "/server.py", "//etc/passwd", "/web/index.html"):
        assert ask("GET", path)[0] == 404


def test_nothing_is_asked_of_other_machines():
    for name, content in web_files().items():
        assert b"http://" not in content.replace(b"http://www.w3.org/2000/svg", b"") and b"https://" not in content, (
            name
        )


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "localhost:1", "", "[::1]:{port}"]
)
def test_other_names_are_not_answered(server, ask, host):
    named = host.format(port=server.port)
    for method in ("GET", "POST"):
        status, _, content = ask(method, "/", b"{}", Host=named, Content_Type="application/json")
        assert status == 421 and "127.0.0.1 and localhost only" in json.loads(content)["error"]
    assert ask("GET", "/", Host=f"LocalHost:{server.port}")[0] == 200


@pytest.mark.parametrize("method, path, headers, status", [
    ("POST", "/draw", {"Content_Type": "text/plain"}, 415),
    ("POST", "/draw", {"Content_Type": "application/x-www-form-urlencoded"}, 415),
    ("POST", "/draw", {"Content_Type": "application/json", "Content_Encoding": "gzip"}, 415),
    ("POST", "/draw", {}, 415),
    ("POST", "/draw", {"Content_Type": "application/json", "Content_Length": str(LARGEST_BODY + 1)}, 413),
    ("POST", "/nothing", {"Content_Type": "application/json"}, 404),
    ("POST", "/", {"Content_Type": "application/json"}, 404),
    ("PUT", "/draw", {"Content_Type": "application/json"}, 405),
    ("OPTIONS", "/draw", {"Origin": "http://evil.example"}, 405),
    ("POST", "/draw", {"Content_Type": "application/json"}, 400),
])  # fmt: skip
def test_what_is_not_a_call(ask, method, path, headers, status):
    answered, told, content = ask(method, path, b"{nothing", **headers)
    assert answered == status and json.loads(content)["error"]
    assert "Access-Control-Allow-Origin" not in told and told["Cache-Control"] == "no-store"


def test_a_body_in_chunks_has_the_same_limit(ask):
    chunks = (b" " * 2**20 for _ in range(LARGEST_BODY // 2**20 + 2))
    try:
        assert ask("POST", "/draw", chunks, Content_Type="application/json")[0] == 413
    except (BrokenPipeError, ConnectionResetError):
        pass  # it was refused while it was still being sent


def test_what_the_user_did_wrong_is_told(post, caplog):
    status, _, answer = post("crop", image="no")
    assert status == 422 and answer == {"error": "The photograph is not in base64."}
    assert post("crop", image=["no"])[0] == 422 and caplog.text == ""


def test_what_goes_wrong_here_is_logged_and_not_told(post, someone, studio, server, caplog):
    server._calls = {"draw": lambda values: 1 / 0}
    status, _, answer = post("draw", image=someone.image)
    assert status == 500 and "ZeroDivisionError" not in answer["error"] and someone.image[:40] not in caplog.text


def test_one_is_drawn_at_a_time_a_few_wait_and_more_are_sent_away(post, studio, gate, someone):
    values = {"image": someone.image, "joints": someone.joints, "pose": studio.facts()["poses"][0]["joints"]}
    gate.open.clear()
    with concurrent.futures.ThreadPoolExecutor(MOST_CALLS + 1) as pool:
        jobs = [pool.submit(post, "draw", **values) for _ in range(MOST_CALLS + 1)]
        sent_away, waiting = concurrent.futures.wait(jobs, 20, concurrent.futures.FIRST_COMPLETED)
        ((status, headers, answer),) = [job.result() for job in sent_away]  # whoever came last
        assert status == 503 and int(headers["Retry-After"]) > 0 and "try again" in answer["error"]
        gate.open.set()
        assert [job.result()[0] for job in waiting] == [200] * MOST_CALLS
    assert gate.most == 1 and post("draw", **values)[0] == 200


def test_nothing_is_left_behind(post, studio, someone, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    given = {"image": someone.image, "joints": someone.joints}
    pose = studio.facts()["poses"][3]["joints"]
    assert post("find", image=someone.image)[0] == 200
    assert post("draw", **given, pose=pose, steps=True, paste=True)[0] == 200
    assert post("animate", **given, poses=[pose, someone.joints])[0] == 200
    assert os.listdir(tmp_path) == [] and capfd.readouterr() == ("", "")


def test_a_port_that_is_taken(server, studio):
    with pytest.raises(InputError, match=rf"Cannot listen on 127.0.0.1:{server.port} .* choose another port"):
        StudioServer(studio).start(server.port)


def test_a_taken_port_is_said_before_networks_are_loaded(server):
    with pytest.raises(InputError, match=rf"Cannot listen on 127.0.0.1:{server.port} .* choose another port"):
        check_port(ADDRESS, server.port)
    check_port(ADDRESS, 0)


def test_the_command_prints_its_address_and_ends(root, run_dir, tmp_path):
    folder = shutil.copytree(run_dir, tmp_path / "run")
    write_stature(str(folder), Stature(0.25, 0.5, 0.24, 0.14, 0.87))
    command = [sys.executable, "-m", "tfwarpgan.studio", f"--run_dir={folder}", "--port=0"]
    process = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        port = int(process.stdout.readline().removeprefix("Studio at http://127.0.0.1:").rstrip("/\n"))
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/facts.json")
        assert json.loads(connection.getresponse().read())["size"] == [64, 32]
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0 and process.stdout.read() == "Stopped.\n"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
