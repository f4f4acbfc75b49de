"""Applications on devices: what goes into each, the lines of JSON that it prints, and waiting for all of them."""

import json
import subprocess
import threading
import time

from processes import Processes


class Device:
    """One application: what goes into its standard input, and the lines that it prints."""

    def __init__(self, name: str, process: subprocess.Popen):
        self.name = name
        self.status = {}  # the newest status line
        self._input = process.stdin
        threading.Thread(target=self._read_lines, args=(process.stdout,), daemon=True).start()

    def show(self, pieces: list):
        """Returns at once; the application takes the pieces at its own rate."""
        threading.Thread(target=self._feed, args=(pieces,), daemon=True).start()

    def take(self, line: dict):
        """For what a kind of application tells beside its status."""

    def _feed(self, pieces):
        try:
            for piece in pieces:
                self._input.write(piece)
            self._input.flush()
        except (BrokenPipeError, ValueError):
            pass  # the device ended: whoever waits for it says so

    def _read_lines(self, stdout):
        for line in stdout:
            value = json.loads(line)
            if "status" in value:
                self.status = value["status"]
            else:
                self.take(value)


class Devices:
    def __init__(self, processes: Processes):
        self.devices = []
        self._processes = processes

    def names(self):
        return [d.name for d in self.devices]

    def running(self, release: int) -> int:
        return sum(d.status.get("release") == release for d in self.devices)

    def total(self, key: str) -> int:
        return sum(d.status.get(key, 0) for d in self.devices)

    def wait(self, condition, timeout_s: float, what: str, tick=lambda: None):
        deadline = time.monotonic() + timeout_s
        while not condition():
            self._processes.check()
            tick()
            if time.monotonic() > deadline:
                raise SystemExit(f"demo: gave up after {timeout_s:.0f} s of waiting for {what}; the logs are beside the report")
            time.sleep(0.05)
        tick()
