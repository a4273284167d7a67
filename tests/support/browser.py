"""A browser for tests of pages: a headless Chromium, steered by its remote debugging protocol."""

import asyncio
import base64
import json
import pathlib
import shutil
import subprocess
import time

import aiohttp
import pytest

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
        self.requests = []

    def __enter__(self):
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
        flags += ["--disable-background-networking", "--disable-component-update", "--remote-debugging-port=0"]
        flags += ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]  # a camera
        self._process = subprocess.Popen(
            [program(), *flags, f"--user-data-dir={self._folder}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._loop.run_until_complete(self._connect())
        for domain in ("Page", "Runtime", "Log", "Network"):
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
            if message.get("method") == "Network.requestWillBeSent":
                self.requests.append(message["params"]["request"]["url"])
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
        self.value(f"document.querySelector({selector!r}).scrollIntoViewIfNeeded()")
        box = f"(() => {{ const b = document.querySelector({selector!r}).getBoundingClientRect();"
        x, y = self.value(f"{box} return [b.x + b.width / 2, b.y + b.height / 2]; }})()")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def drag(self, first, last):
        """Drags by the mouse from a place to another one, (x, y) in pixels of the page's view."""
        for kind, (x, y) in (("mousePressed", first), ("mouseMoved", last), ("mouseReleased", last)):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)

    def press(self, key, shift=False):
        """Presses a key."""
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, modifiers=8 * shift)

    def choose_file(self, selector, path):
        """Gives a file to an input."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        found = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=found, files=[str(path)])

    def controls(self):
        """(role, name) of everything that can be focused, as a screen reader has it."""
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]
        focusable = [
            node
            for node in nodes
            if any(each["name"] == "focusable" and each["value"]["value"] for each in node.get("properties", []))
        ]
        return [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in focusable]

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
