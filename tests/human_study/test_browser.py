"""The study in a headless Chromium: whole simulated studies, a person who clicks, and both kinds of screens."""

import contextlib
import functools
import http.server
import json
import re
import signal
import subprocess
import sys
import threading
import urllib.parse

import pytest
from PIL import Image, ImageFilter

from tfwarpgan.data.layouts import people
from tfwarpgan.human_study import pages
from tfwarpgan.human_study.answers import of_study
from tfwarpgan.human_study.document import load

TRIALS = 1 + 4 + 1 + 1  # practice, pairs, checks, repeats


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """Folder of `sharp` and `blurred` rendered people."""
    folder = tmp_path_factory.mktemp("rendered")
    source = sorted((folder.__class__(people.unpack()) / "bounding_box_test").iterdir())[:6]
    for method, radius in (("sharp", 0.5), ("blurred", 3)):
        (folder / method).mkdir()
        for path in source:
            with Image.open(path) as image:
                image.filter(ImageFilter.GaussianBlur(radius)).save(folder / method / f"{path.stem}.png")
    return folder


@pytest.fixture
def study(command, rendered, tmp_path):
    """Folder of a study of rendered people, made by the command."""
    folder = tmp_path / "study"
    flags = ["--pairs=4", "--raters=4", "--practice=1", "--contact=study@example.org"]
    made = command("make", f"--study={folder}", f"--a={rendered}/sharp", f"--b={rendered}/blurred", *flags)
    assert made.returncode == 0, made.stderr
    return folder


@pytest.fixture
def address(study, root):
    """Where the command serves the study."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tfwarpgan.study", "serve", f"--study={study}", "--port=0"],
        cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield re.search(r"http://\S+", process.stdout.readline()).group()
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=20) == ("Stopped.\n", "") and process.returncode == 0
    finally:
        process.kill()
        process.wait()


def raters(study):
    return of_study(str(study), load(str(study))).read()


def simulate(browser, address, mode):
    browser.open(f"{address}{'&' if '?' in address else '?'}simulate={mode}")
    browser.wait("document.getElementById('study')?.dataset.ended", 60)
    assert "Thank you" in browser.text()


def test_a_whole_simulated_study(browser, study, address, command):
    """Simulated raters fill every slot; the table then says what the file of answers holds."""
    browser.console.clear()
    for mode in ("visual", "data-only", "data-only", "data-only"):
        simulate(browser, address, mode)
    browser.open(f"{address}?simulate=data-only")
    browser.wait("document.getElementById('study')?.dataset.ended")
    assert "This study has all the answers that it needs." in browser.text()
    errors = [entry for entry in browser.console if "410" not in str(entry)]
    assert errors == []
    found = raters(study)
    assert sorted(rater.slot for rater in found) == [0, 1, 2, 3] and {len(rater.answers) for rater in found} == {TRIALS}
    assert all(rater.is_simulated for rater in found)
    told = command("analyze", f"--study={study}", "--simulated", "--most_failed_checks=9")
    assert told.returncode == 0 and "simulated raters: no result" in told.stdout, told.stderr
    results = json.loads((study / "results.json").read_text())
    design, sharp = load(str(study)), 0
    for rater in found:
        for place, trial in enumerate(design.slots[rater.slot]):
            sharp += trial.kind == "comparison" and trial.chosen(rater.answers[place].side) == "sharp"
    (compared,) = results["comparisons"]
    assert (compared["count"], compared["total"], results["raters"]["counted"]) == (sharp, 16, 4)
    refused = command("analyze", f"--study={study}")
    assert refused.returncode == 2 and "has no rater to count: 0 began" in refused.stderr


def choose(browser, better):
    """Chooses the picture of the given addresses by the mouse."""
    browser.wait("document.querySelectorAll('.picture img').length == 2")
    shown = browser.value("[...document.querySelectorAll('.picture img')].map((image) => image.getAttribute('src'))")
    (place,) = [place for place, source in enumerate(shown) if source in better]
    browser.click(f'.picture[data-choice="{place}"]')


def test_a_person_answers_leaves_comes_back_and_finishes(browser, study, address):
    design, browser.console[:] = load(str(study)), []
    better = {*design.pictures["sharp"].values(), *design.pictures["(real)"].values()}
    browser.size(1280, 800)
    browser.open(address)
    browser.wait("document.querySelector('.jspsych-btn')")
    assert all(word in browser.text() for word in ("study@example.org", "voluntary", "rendered people", "7 pairs"))
    browser.click(".jspsych-btn")
    choose(browser, better)
    browser.wait("document.body.innerText.includes('Right.')")
    browser.click(".jspsych-btn")
    browser.wait("document.body.innerText.includes('practice ends')")
    browser.click(".jspsych-btn")
    choose(browser, better)
    browser.wait("document.body.innerText.includes('2 of 6')")
    browser.open(address)  # as a reload, or a return after a day
    browser.wait("document.body.innerText.includes('2 of 6')")
    for number in range(3, 7):
        choose(browser, better)
        browser.wait(f"document.body.innerText.includes('{number} of 6')")
    choose(browser, better)
    browser.wait("document.getElementById('study').dataset.ended")
    (rater,) = raters(study)
    assert rater.rater in browser.text() and browser.console == []
    trials = design.slots[rater.slot]
    assert all(trial.chosen(rater.answers[place].side) in ("sharp", "(real)") for place, trial in enumerate(trials))
    assert all(answer.milliseconds >= 400 for answer in rater.answers.values()) and not rater.is_simulated


def test_a_person_withdraws_and_nothing_is_left(browser, study, address):
    browser.size(1280, 800)
    browser.open(address)
    browser.wait("document.querySelector('.jspsych-btn')")
    browser.press("Enter")
    browser.value("document.querySelector('.jspsych-btn').click()")
    browser.wait("document.querySelector('.picture:not(:disabled)')")
    browser.press("ArrowRight")
    browser.wait("!document.querySelector('.picture')")
    assert [set(rater.answers.values()).pop().side for rater in raters(study)] == ["right"]
    browser.click("#notice button")
    browser.wait("document.body.innerText.includes('Your answers are deleted')")
    assert raters(study) == [] and browser.value("localStorage.length") == 0


@pytest.mark.parametrize("width, height", [(1280, 800), (390, 844), (320, 568)])
def test_both_pictures_are_in_sight_side_by_side(browser, study, address, width, height):
    browser.size(width, height)
    browser.open(address)
    browser.wait("document.querySelector('.jspsych-btn')")
    assert browser.value("document.documentElement.scrollWidth") <= width
    browser.value("document.querySelector('.jspsych-btn').click()")
    browser.wait("[...document.querySelectorAll('.picture img')].filter((image) => image.naturalWidth).length == 2")
    assert browser.value("document.documentElement.scrollWidth") <= width
    boxes = browser.value(
        "[...document.querySelectorAll('.picture img')].map((image) => image.getBoundingClientRect().toJSON())"
    )
    left, right = boxes
    assert left["right"] <= right["left"] and left["top"] == right["top"] and left["height"] == right["height"]
    assert (
        left["left"] >= 0 and right["right"] <= width and right["bottom"] <= height and left["width"] > 0.25 * width / 2
    )
    browser.value("localStorage.clear()")


def test_a_folder_on_the_disk_is_enough(browser, study, command, tmp_path):
    simulate(browser, f"file://{study}/public/index.html?slot=2", "data-only")
    text = browser.value("fetch(document.querySelector('a[download]').href).then((response) => response.text())")
    name = browser.value("document.querySelector('a[download]').download")
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / name).write_text(text)
    told = command("import", f"--study={study}", f"--results={tmp_path}/saved")
    assert told.stdout == "1 raters added, 0 left out: they had taken part already.\n", told.stderr
    (rater,) = raters(study)
    assert (rater.slot, len(rater.answers), rater.is_simulated) == (2, TRIALS, True)
    assert rater.rater in name


@contextlib.contextmanager
def turk_site(public):
    """A web server of the public folder, and of what Mechanical Turk does with a form: (address, forms sent)."""
    sent = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            sent.append((self.path, dict(urllib.parse.parse_qsl(body))))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html><body>submitted</body></html>")

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=public)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", sent
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("wrapped", [False, True], ids=["own form", "the site's form"])
def test_mechanical_turk_gets_the_answers_in_its_form(browser, study, command, tmp_path, wrapped):
    with turk_site(str(study / "public")) as (address, sent):
        page = pages.index(load(str(study)), pages.TURK, f"{address}/", "${slot}").replace("${slot}", "3")
        asked = f"?assignmentId=A1&turkSubmitTo={address}"
        if wrapped:  # as the requester's site puts the page into its own form, where forms cannot lie in forms
            form = f'<form id="mturk_form" method="post" action="{address}/mturk/externalSubmit">'
            page = page.replace("<body>", f'<body>{form}<input type="hidden" name="assignmentId" value="A1">')
        (tmp_path / "hit.html").write_text(page)
        if not wrapped:
            browser.open(f"file://{tmp_path}/hit.html?assignmentId=ASSIGNMENT_ID_NOT_AVAILABLE&simulate=data-only")
            browser.wait("document.body?.innerText.includes('Accept the HIT to begin.')")
        browser.open(f"file://{tmp_path}/hit.html{asked}&simulate=data-only")
        browser.wait("document.body?.innerText == 'submitted'")
    ((path, values),) = sent
    assert path == "/mturk/externalSubmit" and values["assignmentId"] == "A1"
    answers = json.loads(values["answers"])
    assert answers["slot"] == 3 and len(answers["answers"]) == TRIALS and answers["study"] == load(str(study)).id
    cell = values["answers"].replace('"', '""')
    (tmp_path / "batch.csv").write_text(f'"WorkerId","Input.slot","Answer.answers"\n"W1","3","{cell}"\n')
    told = command("import", f"--study={study}", f"--results={tmp_path}/batch.csv")
    assert told.returncode == 0 and told.stdout.startswith("1 raters added"), told.stderr
    assert "W1" not in raters(study)[0].rater and len(raters(study)[0].answers) == TRIALS
