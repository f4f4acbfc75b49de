"""The devices: digit-readers whose cameras the demo holds a picture in front of."""

import collections
import json
import pathlib
import subprocess
import threading
import time

from mnist import Digits
from processes import Processes

Reading = collections.namedtuple("Reading", "label digit release t_ms")


class Device:
    """One digit-reader: what goes into its camera, and the lines that it prints."""

    def __init__(self, name: str, process: subprocess.Popen, trace: pathlib.Path):
        self.name = name
        self.trace = trace
        self.readings = []  # one a new frame
        self.status = {}    # the newest status line
        self._camera = process.stdin
        threading.Thread(target=self._read_lines, args=(process.stdout,), daemon=True).start()

    def show(self, frames: list):
        """Returns at once; the camera takes the frames at its own rate."""
        threading.Thread(target=self._feed, args=(frames,), daemon=True).start()

    def _feed(self, frames):
        try:
            for frame in frames:
                self._camera.write(frame)
            self._camera.flush()
        except (BrokenPipeError, ValueError):
            pass  # the device ended: whoever waits for its readings says so

    def _read_lines(self, stdout):
        for line in stdout:
            value = json.loads(line)
            if "status" in value:
                self.status = value["status"]
            elif "frame" in value:
                self.readings.append(Reading(value["label"], value["digit"], value["release"], value["t_ms"]))


class Fleet:
    def __init__(self, processes: Processes, binary: pathlib.Path, folder: pathlib.Path, tickets: list, rate_hz: int):
        self.devices = []
        self.rate_hz = rate_hz
        self._processes = processes
        self._shown = 0
        for i, ticket in enumerate(tickets, 1):
            name = f"device-{i}"
            trace = folder / f"{name}.trace"
            process = processes.start(
                name,
                [binary, "--ticket", ticket, "--state", folder / name, "--camera", "-",
                 "--rate", str(rate_hz), "--trace", trace],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            self.devices.append(Device(name, process, trace))

    def names(self):
        return [d.name for d in self.devices]

    def show(self, digits: Digits, rows: range, labelled: bool):
        """Deals the rows out over the devices. `read()` tells how many were looked at since."""
        self._start = [len(d.readings) for d in self.devices]
        self._shown = len(rows)
        for i, device in enumerate(self.devices):
            device.show([digits.frame(row, labelled) for row in rows[i :: len(self.devices)]])
        self._truth = [[digits.labels[row] for row in rows[i :: len(self.devices)]] for i in range(len(self.devices))]

    def read(self) -> int:
        return sum(len(d.readings) - s for d, s in zip(self.devices, self._start))

    def all_read(self) -> bool:
        return self.read() >= self._shown

    def last_read_ms(self) -> int:
        return max(d.readings[-1].t_ms for d in self.devices if d.readings)

    def correct(self, release: int) -> tuple:
        """Of the digits shown last: how many `release` answered, and how many of them rightly."""
        answered = right = 0
        for device, start, truth in zip(self.devices, self._start, self._truth):
            for reading, label in zip(device.readings[start:], truth):
                if reading.release == release:
                    answered += 1
                    right += reading.digit == label
        return answered, right

    def unanswered(self) -> int:
        """Of the digits shown last: how many got no answer although there is a model."""
        return sum(r.digit is None for d, s in zip(self.devices, self._start) for r in d.readings[s:])

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
