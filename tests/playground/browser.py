"""Chromium without a window, driven over a pipe by its DevTools protocol: no package is needed for that."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
OPTIONS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
           "--remote-debugging-pipe", "--hide-scrollbars"]  # fmt: skip


class Browser:
    """A tab; use it in a `with` block."""

    def __init__(self, width=1280, height=900, dark=False):
        self.size, self.dark = (width, height), dark
        self.errors, self._number = [], 0

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        (read, their_write), (their_read, write) = os.pipe(), os.pipe()

        # Chromium reads commands from its file 3 and writes answers to 4.
        command = f'exec "$0" "$@" 3<&{their_read} 4>&{their_write}'
        arguments = [CHROMIUM, *OPTIONS, f"--user-data-dir={self._folder.name}", "about:blank"]
        self._process = subprocess.Popen(
            ["bash", "-c", command, *arguments], pass_fds=(their_read, their_write), stderr=subprocess.DEVNULL
        )
        os.close(their_read)
        os.close(their_write)
        self._reader, self._writer = os.fdopen(read, "rb"), os.fdopen(write, "wb")
        self._rest = b""
        self._session = None
        targets = self.send("Target.getTargets")["targetInfos"]
        target = next(each["targetId"] for each in targets if each["type"] == "page")
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.send(f"{domain}.enable")
        self.resize(*self.size)
        if self.dark:
            features = [{"name": "prefers-color-scheme", "value": "dark"}]
            self.send("Emulation.setEmulatedMedia", features=features)
        return self

    def __exit__(self, *error):
        self._process.kill()
        self._process.wait()
        self._reader.close()
        self._writer.close()
        self._folder.cleanup()

    def send(self, method, **parameters):
        """Send a command and return its result; note errors of the page that come in the meantime."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._writer.write(json.dumps(message).encode() + b"\0")
        self._writer.flush()
        while True:
            answer = self._receive()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    def _receive(self):
        while b"\0" not in self._rest:
            part = os.read(self._reader.fileno(), 1 << 20)
            assert part, "the browser is gone"
            self._rest += part
        text, _, self._rest = self._rest.partition(b"\0")
        event = json.loads(text)
        method, parameters = event.get("method"), event.get("params", {})
        is_error = method == "Runtime.exceptionThrown"
        is_error |= method == "Log.entryAdded" and parameters["entry"]["level"] == "error"
        is_error |= method == "Runtime.consoleAPICalled" and parameters["type"] in {"error", "warning"}
        if is_error:
            self.errors.append(parameters)
        return event

    def resize(self, width, height):
        """Make the window as large as that, a telephone's if it is narrow."""
        mobile = width < 500
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile)

    def open(self, path):
        """Open a file, and wait until the page stands."""
        self.send("Page.navigate", url=Path(path).resolve().as_uri())
        self.wait("document.readyState === 'complete'")
        self.wait("window.playground?.pictures > 0 || document.querySelector('iframe')")

    def run(self, expression):
        """Return what an expression is on the page."""
        result = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def wait(self, condition, milliseconds=5000):
        """Wait until an expression is true."""
        script = f"""new Promise((done, fail) => {{
          const end = performance.now() + {milliseconds};
          const look = () => {{
            if ({condition}) done(true);
            else if (performance.now() > end) fail(new Error("never true"));
            else setTimeout(look, 10);
          }};
          look();
        }})"""
        return self.run(script)

    def settle(self):
        """Wait until what was asked for is drawn."""
        self.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 0))))")

    def click(self, selector, x=0.5, y=0.5):
        """Click with the mouse on an element, at a share of its width and height."""
        self._point(selector, x, y, "mousePressed", "mouseReleased")
        self.settle()

    def _point(self, selector, x, y, *kinds):
        self.run(f"document.querySelector({selector!r}).scrollIntoView({{block: 'center'}})")
        where = f"(() => {{ const box = document.querySelector({selector!r}).getBoundingClientRect();"
        left, top = self.run(f"{where} return [box.left + {x} * box.width, box.top + {y} * box.height]; }})()")
        for kind in ("mouseMoved", *kinds):
            self.send("Input.dispatchMouseEvent", type=kind, x=left, y=top, button="left", clickCount=len(kinds) // 2)

    def point(self, selector, x=0.5, y=0.5):
        """Move the mouse over an element, to a share of its width and height."""
        self._point(selector, x, y)
        self.settle()

    def press(self, key, code, times=1):
        """Press a key, which goes to the element in focus."""
        for _ in range(times):
            for kind in ("rawKeyDown", "keyUp"):
                self.send("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)
        self.settle()

    def screenshot(self, path):
        """Save a picture of the whole page."""
        picture = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        Path(path).write_bytes(base64.b64decode(picture["data"]))
