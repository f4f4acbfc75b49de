"""The devices: machine-watches whose sensors the demo reads the telemetry to."""

import pathlib
import struct
import subprocess

from devices import Device, Devices
from processes import Processes
from telemetry import Readings

RECORD = struct.Struct("<Qiifi")  # reading, release (0: no model, -1: error), us, score, anomalous


class Machine(Device):
    def __init__(self, name: str, process: subprocess.Popen, trace: pathlib.Path):
        self.trace = trace
        self.anomalies = []  # (reading, score, release) as it told them
        super().__init__(name, process)

    def take(self, line: dict):
        if "anomaly" in line:
            a = line["anomaly"]
            self.anomalies.append((a["reading"], a["score"], a["release"]))

    def records(self) -> list:
        """What its model said, one a reading; whole once it has ended."""
        data = self.trace.read_bytes()
        return list(RECORD.iter_unpack(data[: len(data) // RECORD.size * RECORD.size]))


class Machines(Devices):
    def __init__(self, processes: Processes, binary: pathlib.Path, folder: pathlib.Path, tickets: list, rate_hz: int,
                 name: str = "machine", more: tuple = ()):
        super().__init__(processes)
        self.rate_hz = rate_hz
        self._given = 0
        for i, ticket in enumerate(tickets, 1):
            own = f"{name}-{i}"
            trace = folder / f"{own}.trace"
            process = processes.start(
                own, [binary, "--ticket", ticket, "--state", folder / own, "--rate", str(rate_hz), "--trace", trace, *more],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            self.devices.append(Machine(own, process, trace))

    def read_to(self, readings: Readings, rows: range):
        """Deals the rows out over the machines, in order."""
        self._given += len(rows)
        for i, machine in enumerate(self.devices):
            machine.show([readings.lines[row] for row in rows[i :: len(self.devices)]])

    def all_read(self) -> bool:
        return self.total("readings") >= self._given

    def patience_s(self, rows: int) -> float:
        return 60 + 4 * rows / len(self.devices) / self.rate_hz
