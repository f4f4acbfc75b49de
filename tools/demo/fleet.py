"""The devices: digit-readers whose cameras the demo holds a picture in front of."""

import collections
import pathlib
import subprocess

from devices import Device, Devices
from mnist import Digits
from processes import Processes

Reading = collections.namedtuple("Reading", "label digit release t_ms")


class Camera(Device):
    """One digit-reader."""

    def __init__(self, name: str, process: subprocess.Popen, trace: pathlib.Path):
        self.trace = trace
        self.readings = []  # one a new frame
        super().__init__(name, process)

    def take(self, line: dict):
        if "frame" in line:
            self.readings.append(Reading(line["label"], line["digit"], line["release"], line["t_ms"]))


class Fleet(Devices):
    def __init__(self, processes: Processes, binary: pathlib.Path, folder: pathlib.Path, tickets: list, rate_hz: int):
        super().__init__(processes)
        self.rate_hz = rate_hz
        self._shown = 0
        for i, ticket in enumerate(tickets, 1):
            name = f"device-{i}"
            trace = folder / f"{name}.trace"
            process = processes.start(
                name,
                [binary, "--ticket", ticket, "--state", folder / name, "--camera", "-",
                 "--rate", str(rate_hz), "--trace", trace],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            self.devices.append(Camera(name, process, trace))

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
