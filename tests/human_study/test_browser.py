"""The study in a headless Chromium: whole simulated studies, a person who clicks, and both kinds of screens."""

import contextlib
import functools
import http.server
import json
import shutil
import threading
import urllib.parse

import pytest
from PIL import Image, ImageFilter

from tfwarpgan.data.layouts import people
from tfwarpgan.errors import InputError
from tfwarpgan.human_study import pages
from tfwarpgan.human_study.answers import of_study
from tfwarpgan.human_study.document import load
from tfwarpgan.human_study.making import MakeOptions, make
from tfwarpgan.human_study.server import StudyServer
from tfwarpgan.study import AnalyzeOptions, ImportOptions, StudyOptions, analyze, import_results

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


@pytest.fixture(scope="module")
def original(rendered, tmp_path_factory):
    """Folder of a study of rendered people."""
    folder = tmp_path_factory.mktemp("studies") / "study"
    methods = {"a": f"{rendered}/sharp", "b": f"{rendered}/blurred"}
    make(MakeOptions(**methods, pairs=4, raters=4, practice=1, contact="study@example.org"), str(folder), "1.0")
    return folder


@pytest.fixture
def study(original, tmp_path):
    """A copy of it, which nobody has answered."""
    return shutil.copytree(original, tmp_path / "study")


@pytest.fixture
def address(study):
    """Where it is served."""
    design = load(str(study))
    with StudyServer(design, str(study / "public"), of_study(str(study), design), "127.0.0.1", 0, "") as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.port}/"
        server.shutdown()
        thread.join()


def raters(study):
    return of_study(str(study), load(str(study))).read()


def simulate(browser, address, mode):
    browser.open(f"{address}{'&' if '?' in address else '?'}simulate={mode}")
    browser.wait("document.getElementById('study')?.dataset.ended", 60)
    assert "Thank you" in browser.text()


def test_a_whole_simulated_study(browser, study, address, capsys):
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
    analyze(StudyOptions(str(study)), AnalyzeOptions(most_failed_checks=9, simulated=True))
    assert "simulated raters: no result" in capsys.readouterr().out
    results = json.loads((study / "results.json").read_text())
    design, sharp = load(str(study)), 0
    for rater in found:
        for place, trial in enumerate(design.slots[rater.slot]):
            sharp += trial.kind == "comparison" and trial.chosen(rater.answers[place].side) == "sharp"
    (compared,) = results["comparisons"]
    assert (compared["count"], compared["total"], results["raters"]["counted"]) == (sharp, 16, 4)
    with pytest.raises(InputError, match="has no rater to count: 0 began"):
        analyze(StudyOptions(str(study)), AnalyzeOptions())


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
    browser.wait("document.body.innerText.includes('Correct.')")
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
    browser.wait("/Correct|more natural one/.test(document.body.innerText)")  # comes once the answer is stored
    assert [set(rater.answers.values()).pop().side for rater in raters(study)] == ["right"]
    browser.click("#notice button")
    browser.wait("document.body.innerText.includes('Your answers are deleted')")
    assert raters(study) == [] and browser.value("localStorage.length") == 0


def test_both_pictures_are_in_sight_side_by_side_on_any_screen(browser, study, address):
    for width, height in ((1280, 800), (390, 844), (320, 568)):
        browser.size(width, height)
        browser.open(address)
        browser.wait("document.querySelector('.jspsych-btn')")
        assert browser.value("document.documentElement.scrollWidth") <= width
        browser.value("document.querySelector('.jspsych-btn').click()")
        browser.wait("[...document.querySelectorAll('.picture img')].filter((image) => image.naturalWidth).length == 2")
        assert browser.value("document.documentElement.scrollWidth") <= width
        left, right = browser.value(
            "[...document.querySelectorAll('.picture img')].map((image) => image.getBoundingClientRect().toJSON())"
        )
        assert 0 <= left["left"] < left["right"] <= right["left"] < right["right"] <= width
        assert left["top"] == right["top"] >= 0 and left["bottom"] == right["bottom"] <= height
        assert left["width"] == right["width"] > width / 8
        assert abs((left["left"] + right["right"]) / 2 - browser.value("document.body.clientWidth") / 2) < 2
        browser.value("localStorage.clear()")


def test_a_folder_on_the_disk_is_enough(browser, study, tmp_path, capsys):
    simulate(browser, f"file://{study}/public/index.html?slot=2", "data-only")
    text = browser.value("fetch(document.querySelector('a[download]').href).then((response) => response.text())")
    name = browser.value("document.querySelector('a[download]').download")
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / name).write_text(text)
    import_results(StudyOptions(str(study)), ImportOptions(f"{tmp_path}/saved"))
    assert capsys.readouterr().out == "1 raters added, 0 left out: they had taken part already.\n"
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
def test_mechanical_turk_gets_the_answers_in_its_form(browser, study, tmp_path, capsys, wrapped):
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
    import_results(StudyOptions(str(study)), ImportOptions(f"{tmp_path}/batch.csv"))
    assert capsys.readouterr().out.startswith("1 raters added")
    assert "W1" not in raters(study)[0].rater and len(raters(study)[0].answers) == TRIALS
