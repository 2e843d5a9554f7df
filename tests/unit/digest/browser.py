"""Chromium without a window, spoken to over a pipe in its own protocol."""

import itertools
import json
import os
import select
import subprocess
import tempfile
import time
from typing import Any

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-pipe",
]  # fmt: skip


class Browser:
    """One tab. `problems` are what the console and the network complained about."""

    def __init__(self, program: str):
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        commands, self._commands = os.pipe()
        self._answers, answers = os.pipe()
        command = ["bash", "-c", f'exec "$@" 3<&{commands} 4>&{answers}', "bash", program]
        self._process = subprocess.Popen(
            [*command, *FLAGS, f"--user-data-dir={self._profile.name}"],
            pass_fds=(commands, answers), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(commands)
        os.close(answers)
        self._numbers = itertools.count(1)
        self._read = b""
        self._session: str | None = None
        self.problems: list[str] = []
        tab = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=tab, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict:
        """The answer to one command. Raises AssertionError where the browser refuses it."""
        number = next(self._numbers)
        command = {"id": number, "method": method, "params": parameters}
        if self._session:
            command["sessionId"] = self._session
        os.write(self._commands, json.dumps(command).encode() + b"\0")
        while True:
            message = self._message()
            if message.get("id") == number:
                assert "error" not in message, message["error"]
                return message["result"]

    def look(self, width: int, height: int = 900, dark: bool = False) -> None:
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def open(self, address: str) -> None:
        self.call("Page.navigate", url=address)
        self.settle()

    def click(self, selector: str) -> None:
        """Clicks what the selector finds and waits for the page that follows."""
        self.run(f"document.querySelector({json.dumps(selector)}).click()")
        time.sleep(0.2)
        self.settle()

    def settle(self) -> None:
        """Waits until the page is loaded, half a minute at most."""
        deadline = time.monotonic() + 30
        while self.run("document.readyState") != "complete":
            assert time.monotonic() < deadline, "the page did not load within half a minute"
            time.sleep(0.05)

    def run(self, script: str) -> Any:
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=30)
        os.close(self._commands)
        os.close(self._answers)
        self._profile.cleanup()

    def _message(self) -> dict:
        while b"\0" not in self._read:
            assert select.select([self._answers], [], [], 60)[0], "Chromium has not answered for a minute"
            piece = os.read(self._answers, 1 << 16)
            assert piece, "Chromium has gone"
            self._read += piece
        raw, _, self._read = self._read.partition(b"\0")
        message = json.loads(raw)
        details = message.get("params", {})
        if message.get("method") == "Log.entryAdded":
            self.problems.append(details["entry"]["text"])
        if message.get("method") == "Network.requestWillBeSent":
            address = details["request"]["url"]
            if not address.startswith(("file:", "data:", "about:")):
                self.problems.append(f"requested {address}")
        return message
