"""What tests of the study share: tiny pictures of three methods, a study of them, and a browser."""

import asyncio
import base64
import json
import pathlib
import shutil
import subprocess
import time

import aiohttp
import numpy as np
import pytest
from PIL import Image

from tfwarpgan.human_study.making import MakeOptions, make

NAMES = [f"{person:04d}" for person in range(20)]


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """Folder of the folders `ours`, `other`, `third`, `real`, `condition`: pictures of 16 x 8."""
    folder, random = tmp_path_factory.mktemp("folders"), np.random.default_rng(0)
    for method in ("ours", "other", "third", "real", "condition"):
        (folder / method).mkdir()
        for name in NAMES:
            picture = Image.fromarray(random.integers(0, 256, (16, 8, 3), np.uint8))
            picture.save(folder / method / f"{name}.png", pnginfo=None)
    return folder


@pytest.fixture
def settings(folders):
    """Function of changes -> `MakeOptions` of a small study of two methods."""

    def settings(**changes):
        values = {
            "a": f"{folders}/ours", "b": f"{folders}/other", "real": f"{folders}/real", "pairs": 8, "raters": 4,
            "practice": 2, "contact": "study@example.org",
        }  # fmt: skip
        return MakeOptions(**(values | changes))

    return settings


@pytest.fixture
def made(settings, tmp_path):
    """Function of changes -> (study, its folder)."""

    def made(**changes):
        folder = tmp_path / "study"
        return make(settings(**changes), str(folder), "1.0"), folder

    return made


CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


def program():
    """Path of a Chromium, or None."""
    return next(filter(None, map(shutil.which, CHROMIUM)), None)


class ProtocolError(Exception):
    """What the browser says against a command, as where the page is changing."""


class Browser:
    """A headless Chromium, steered by its remote debugging protocol: one tab; use it as a context."""

    def __init__(self, folder):
        self._folder = pathlib.Path(folder)
        self._loop = asyncio.new_event_loop()
        self._number = 0
        self.console = []

    def __enter__(self):
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
        flags += ["--disable-background-networking", "--disable-component-update", "--remote-debugging-port=0"]
        self._process = subprocess.Popen(
            [program(), *flags, f"--user-data-dir={self._folder}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._loop.run_until_complete(self._connect())
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        return self

    def __exit__(self, *_):
        self._loop.run_until_complete(self._session.close())
        self._process.terminate()
        self._process.wait(20)
        self._loop.close()

    async def _connect(self):
        port = self._folder / "DevToolsActivePort"
        for _ in range(1200):
            if port.exists() and port.read_text().count("\n"):
                break
            await asyncio.sleep(0.1)
        self._session = aiohttp.ClientSession()
        async with self._session.get(f"http://127.0.0.1:{port.read_text().split()[0]}/json") as response:
            pages = [page for page in await response.json() if page["type"] == "page"]
        self._socket = await self._session.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0)

    def call(self, method, **parameters):
        """A command of the protocol; gives its result."""
        return self._loop.run_until_complete(asyncio.wait_for(self._call(method, parameters), 60))

    async def _call(self, method, parameters):
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": parameters})
        while True:
            message = json.loads((await self._socket.receive()).data)
            if message.get("id") == self._number:
                if "error" in message:
                    raise ProtocolError(message["error"])
                return message["result"]
            if message.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown"):
                self.console.append(message["params"])
            if message.get("method") == "Page.javascriptDialogOpening":
                self._number += 1
                accept = {"id": self._number, "method": "Page.handleJavaScriptDialog", "params": {"accept": True}}
                await self._socket.send_json(accept)
                self._number -= 1

    def size(self, width, height):
        """Sets the size of the screen, in pixels of a style sheet."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.call("Emulation.setDeviceMetricsOverride", **metrics)

    def open(self, address):
        """Loads a page, with its scripts."""
        self.call("Page.navigate", url=address)
        self.wait("document.readyState == 'complete'")

    def value(self, script):
        """The value of a piece of JavaScript."""
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def wait(self, script, seconds=60):
        """Waits until a piece of JavaScript is true; on a page that is just leaving or coming it is not."""
        end = time.monotonic() + seconds
        while not self._is_true(script):
            assert time.monotonic() < end, f"{script}: {self.text()}"
            time.sleep(0.05)

    def _is_true(self, script):
        try:
            return self.value(f"(() => {{ try {{ return Boolean({script}); }} catch {{ return false; }} }})()")
        except ProtocolError:
            return False

    def text(self):
        """What can be read on the page."""
        return self.value("document.body?.innerText ?? ''")

    def click(self, selector):
        """Clicks the middle of an element by the mouse, once it is there and enabled."""
        self.wait(f"document.querySelector({selector!r}) && !document.querySelector({selector!r}).disabled")
        box = f"(() => {{ const b = document.querySelector({selector!r}).getBoundingClientRect();"
        x, y = self.value(f"{box} return [b.x + b.width / 2, b.y + b.height / 2]; }})()")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def press(self, key):
        """Presses a key."""
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key)

    def screenshot(self, path):
        """Writes what can be seen as PNG."""
        pathlib.Path(path).write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """A `Browser`."""
    if program() is None:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    with Browser(tmp_path_factory.mktemp("browser")) as browser:
        yield browser
