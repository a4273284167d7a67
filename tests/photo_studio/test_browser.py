"""The page in a headless Chromium, drawn by the released weights: mouse, keys, names, both kinds of screens."""

import dataclasses
import urllib.parse

import pytest
from PIL import Image

from tfwarpgan.body.joints import NAMES
from tfwarpgan.photo_studio.server import StudioServer

WRIST, EAR = NAMES.index("right wrist"), NAMES.index("left ear")
DRAWN = "/^Drawn in/.test(document.getElementById('status').textContent)"


def joint(index, of="pose"):
    return f"document.querySelector('#{of}-editor [data-joint=\"{index}\"]')"


def place(browser, index, of="pose"):
    """Where a joint lies, as a screen reader tells it: (x, y)."""
    told = browser.value(f"{joint(index, of)}.getAttribute('aria-valuetext')")
    return tuple(int(part.split()[0]) for part in told.split(", "))


def middle(browser, index, of="pose"):
    """The same in pixels of the screen."""
    browser.value(f"document.getElementById('{of}-editor').scrollIntoView({{ block: 'center' }})")
    return browser.value(
        f"(() => {{ const box = {joint(index, of)}.querySelector('.dot').getBoundingClientRect();"
        " return [box.x + box.width / 2, box.y + box.height / 2]; })()"
    )


def show(browser, address, path=None):
    browser.console[:], browser.requests[:] = [], []
    browser.open(address)
    browser.wait("document.body.dataset.ready")
    if path:
        browser.choose_file("#file", path)
        browser.wait("!document.getElementById('draw').disabled")


def check_quiet(browser, address):
    """Nothing was asked of another machine, and nothing was complained about."""
    hosts = {urllib.parse.urlsplit(each).netloc for each in browser.requests if not each.startswith("data:")}
    assert hosts == {urllib.parse.urlsplit(address).netloc} and browser.console == []


def test_from_a_photograph_to_a_picture(browser, released_address, someone):
    browser.size(1280, 800)
    show(browser, released_address)
    assert "rendered people" in browser.text() and browser.value("document.getElementById('draw').disabled")
    show(browser, released_address, someone.path)
    shown = sum(joint is not None for joint in someone.joints)
    assert browser.value("document.querySelectorAll('#person-editor g:not([hidden])').length") == shown
    x, y = place(browser, WRIST, "person")
    assert abs(x - someone.joints[WRIST][1]) <= 1 and abs(y - someone.joints[WRIST][0]) <= 1

    browser.click(".thumb:nth-child(7)")
    browser.wait("document.querySelector('.thumb:nth-child(7)').getAttribute('aria-pressed') == 'true'")
    first = place(browser, WRIST)
    x, y = middle(browser, WRIST)
    browser.drag((x, y), (x - 20, y + 40))
    dragged = place(browser, WRIST)
    assert dragged[0] < first[0] and dragged[1] > first[1] + 5
    assert browser.value(f"document.activeElement === {joint(WRIST)}")
    browser.press("ArrowLeft")
    assert place(browser, WRIST) == (dragged[0] - 1, dragged[1])
    browser.press("ArrowDown", shift=True)
    assert place(browser, WRIST) == (dragged[0] - 1, dragged[1] + 4)
    for _ in range(3):
        browser.click("#undo-pose")
    assert place(browser, WRIST) == first
    browser.click('[data-do="mirror"]')
    left = place(browser, NAMES.index("left wrist"))
    assert abs(left[0] - (63 - first[0])) <= 1 and left[1] == first[1]

    browser.click("#draw")
    browser.wait(DRAWN)
    sizes = "[...document.querySelectorAll('.cell img')].map((image) => [image.naturalWidth, image.naturalHeight])"
    assert browser.value(sizes) == [[64, 128], [64, 128]]
    assert browser.value("document.getElementById('save').href").startswith("data:image/png;base64,")
    browser.click("#steps summary")
    browser.wait("document.querySelectorAll('#step-list img').length == 7")
    browser.click("#animate")
    browser.wait("/^24 frames in/.test(document.getElementById('status').textContent)")
    assert browser.value("document.getElementById('save').href").startswith("data:image/webp;base64,")
    assert browser.value("document.getElementById('save').download") == "animation.webp"
    check_quiet(browser, released_address)


def test_the_pose_that_was_chosen_last_is_drawn(browser, released_address, someone):
    """Also where the pose is still on its way when *Draw* is pressed, or an earlier one comes later."""
    browser.size(1280, 800)
    show(browser, released_address, someone.path)
    browser.value("""
        window.slow = 0;
        window.fetched = window.fetch;
        window.fetch = async (name, ...rest) => {
          const late = name == "fit" ? window.slow : 0;
          const answer = await window.fetched(name, ...rest);
          await new Promise((done) => setTimeout(done, late));
          return answer;
        };
    """)
    pressed = (
        "[...document.querySelectorAll('.thumb')].findIndex((each) => each.getAttribute('aria-pressed') == 'true')"
    )
    draw = "document.getElementById('draw').disabled"
    click = "document.querySelector('.thumb:nth-child({})').click()"
    browser.value(click.format(3))
    browser.wait(f"{pressed} == 2 && !{draw}")
    third = place(browser, WRIST)
    browser.value(f"window.slow = 1500; {click.format(7)}; window.slow = 0; null")
    assert browser.value(f"{click.format(3)}; {draw}")  # nothing is drawn before the pose has come
    browser.wait(f"!{draw}")
    assert browser.value(pressed) == 2 and place(browser, WRIST) == third
    check_quiet(browser, released_address)


def test_a_joint_is_hidden_and_comes_back(browser, released_address, someone):
    browser.size(1280, 800)
    show(browser, released_address, someone.path)
    before = place(browser, EAR)
    browser.value(f"{joint(EAR)}.focus()")
    browser.press("Delete")
    ring = '#pose-tray [aria-label="Show the left ear"]'
    assert browser.value(f"{joint(EAR)}.hasAttribute('hidden') && document.activeElement.title") == "Show the left ear"
    browser.click(ring)
    assert place(browser, EAR) == before and browser.value(f"document.querySelector({ring!r}) === null")
    check_quiet(browser, released_address)


def test_every_control_has_a_name(browser, released_address, someone):
    browser.size(1280, 800)
    show(browser, released_address, someone.path)
    browser.click("#draw")
    browser.wait(DRAWN)
    controls = browser.controls()
    assert [role for role, name in controls if not name.strip() and role != "RootWebArea"] == []
    names = [name for role, name in controls if role == "slider"]
    assert set(NAMES) == set(names) and len([1 for role, _ in controls if role == "button"]) > 20
    assert browser.value("document.querySelectorAll('img:not([alt])').length") == 0


@pytest.mark.parametrize("width, height", [(390, 844), (320, 568), (820, 1180), (1280, 800)])
def test_no_screen_is_scrolled_sideways(browser, released_address, someone, width, height):
    browser.size(width, height)
    show(browser, released_address)
    assert browser.value("document.documentElement.scrollWidth") <= width
    show(browser, released_address, someone.path)
    browser.click("#paste")
    browser.click("#draw")
    browser.wait(DRAWN)
    assert browser.value("document.documentElement.scrollWidth") <= width
    wide = "[...document.querySelectorAll('button, select, .stage, img')].filter((each) => each.offsetParent &&"
    over = f"!each.closest('.gallery') && each.getBoundingClientRect().right > {width}).map((each) => each.outerHTML)"
    assert browser.value(f"{wide} {over}") == []


def test_joints_are_placed_by_hand_without_an_estimator(browser, released, someone):
    server = StudioServer(released)
    address = server.start(0)
    browser.size(1280, 800)
    show(browser, address, someone.path)
    assert "Started without a pose estimator: drag the joints" in browser.text()
    assert browser.value("document.getElementById('find').hidden && document.getElementById('pose-from').hidden")
    before = place(browser, WRIST, "person")
    x, y = middle(browser, WRIST, "person")
    browser.drag((x, y), (x - 15, y))
    after = place(browser, WRIST, "person")
    assert after[0] < before[0] and abs(after[1] - before[1]) <= 1
    browser.click('[data-do="larger"]')
    browser.click("#draw")
    browser.wait(DRAWN)
    check_quiet(browser, address)
    server.stop()


def test_what_is_wrong_is_told_on_the_page(browser, released_address, someone, tmp_path):
    browser.size(1280, 800)
    show(browser, released_address)
    (tmp_path / "notes.txt").write_text("no picture")
    browser.choose_file("#file", tmp_path / "notes.txt")
    browser.wait("document.body.innerText.includes('This browser cannot read that file as a picture')")
    Image.new("RGB", (90, 200), (90, 90, 90)).save(tmp_path / "wall.png")
    browser.choose_file("#file", tmp_path / "wall.png")
    browser.wait("document.body.innerText.includes('No person was found, 2 of 18 joints')")
    assert browser.value("document.getElementById('status').className") == "wrong"
    browser.choose_file("#file", someone.path)
    browser.wait("document.querySelector('#person-editor image').getAttribute('width') == 64")
    browser.wait("document.getElementById('status').className == '' && !document.getElementById('draw').disabled")
    for index in [NAMES.index(name) for name in ("right hip", "left hip")]:
        browser.value(f"{joint(index, 'person')}.focus()")
        browser.press("Delete")
    browser.wait("document.body.innerText.includes('neck and hips must be seen')")
    assert browser.value("document.getElementById('draw').disabled")


def test_the_camera_takes_a_photograph(browser, released_address):
    browser.size(1280, 800)
    show(browser, released_address)
    browser.click('[data-do="camera"]')
    browser.wait("document.getElementById('camera').open && document.getElementById('video').videoWidth > 0")
    browser.click('[data-do="shoot"]')
    browser.wait("!document.getElementById('person').hidden && !document.getElementById('draw').disabled")
    tracks = "document.getElementById('video').srcObject.getTracks()"
    assert browser.value(f"{tracks}.every((track) => track.readyState == 'ended')")


def test_a_file_that_is_dropped_beside_the_photograph_is_opened(browser, released_address):
    """And the browser does not leave the page for it."""
    browser.size(1280, 800)
    show(browser, released_address)
    drop = (
        "(() => { const data = new DataTransfer(); data.items.add(new File(['none'], 'a.png', { type: 'image/png' }));"
        " const event = new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true });"
        " return !document.querySelector('header').dispatchEvent(event); })()"
    )
    assert browser.value(drop)
    browser.wait("document.body.innerText.includes('This browser cannot read that file as a picture')")


def test_a_server_that_is_gone_is_told(browser, studio, someone):
    server = StudioServer(dataclasses.replace(studio))
    address = server.start(0)
    browser.size(1280, 800)
    show(browser, address, someone.path)
    server.stop()
    browser.click("#draw")
    browser.wait("document.body.innerText.includes('The studio does not answer')")
