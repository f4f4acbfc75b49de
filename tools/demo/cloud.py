"""The cloud's processes, and what `hone --json` says of them."""

import http.client
import json
import pathlib
import ssl
import subprocess
import urllib.parse
import time

from processes import Processes


class Cloud:
    def __init__(self, processes: Processes, bin_folder: pathlib.Path, folder: pathlib.Path, pipeline_file: pathlib.Path,
                 pipeline: str, more_pipeline_files: tuple = ()):
        self._processes = processes
        self._bin = bin_folder
        self._data = folder / "cloud"
        self._folder = folder
        self._pipeline_files = [pipeline_file, *more_pipeline_files]
        self._pipeline = pipeline
        self._connection = None

    def start(self, listen: str = "127.0.0.1:0", mqtt_port: int = 0):
        """Returns when it serves. 0 takes any free port."""
        self.ready = self._start("hone-cloud", self._data, [
            self._bin / "hone-cloud", "--data", self._data, "--listen", listen, "--mqtt-port", str(mqtt_port), *self._pipeline_files])
        self._connection = None

    def start_trainer(self, name: str = "hone-trainer", commands: pathlib.Path = None):
        work = self._folder / name
        more = ["--commands", commands] if commands else []
        self._start(name, work, [self._bin / "hone-trainer", "--access", self._data / "trainer.json", "--work", work,
                                 "--name", name, *more])

    def _start(self, name: str, folder: pathlib.Path, command: list) -> dict:
        """Returns what the process wrote into `folder`/ready.json once it works."""
        ready = folder / "ready.json"
        ready.unlink(missing_ok=True)
        # In the field no device shares its CPU with the cloud: here the cloud takes what they leave.
        self._processes.start(name, ["nice", "-n", "10", *command])
        deadline = time.monotonic() + 60
        while not ready.exists():
            self._processes.check()
            if time.monotonic() > deadline:
                raise SystemExit(f"demo: {name} did not get ready; its last lines:\n{self._processes.log_tail(name)}")
            time.sleep(0.05)
        return json.loads(ready.read_text())

    def stop(self):
        self._processes.stop(["hone-trainer", "hone-cloud"])

    def enroll(self, count: int) -> list:
        return self.enroll_in(self._pipeline, count)

    def enroll_in(self, pipeline: str, count: int) -> list:
        done = self.ask("device", "enroll", "--pipeline", pipeline, "--count", str(count), "--out", self._folder / "tickets")
        return sorted(pathlib.Path(path) for path in done["tickets"])

    def status(self) -> dict:
        return next(p for p in self.ask("status")["pipelines"] if p["name"] == self._pipeline)

    def releases(self) -> list:
        return self.ask("release", "list", self._pipeline)["releases"]

    def verdicts(self) -> list:
        return self.ask("gate", "show", self._pipeline)["verdicts"]

    def jobs(self) -> list:
        return self.ask("job", "list")["jobs"]

    def get(self, path: str) -> dict:
        """The same answers over a connection that stays open: for looking often, without starting a process."""
        if self._connection is None:
            access = json.loads((self._data / "admin.json").read_text())
            self._headers = {"Authorization": f"Bearer {access['token']}"}
            self._connection = http.client.HTTPSConnection(
                urllib.parse.urlsplit(access["url"]).netloc, timeout=10,
                context=ssl.create_default_context(cadata=access["ca_pem"]))
        try:
            self._connection.request("GET", path, headers=self._headers)
            return json.load(self._connection.getresponse())
        except (OSError, http.client.HTTPException):
            self._connection = None
            raise

    def ask(self, *words) -> dict:
        command = [str(w) for w in (self._bin / "hone", "--access", self._data / "admin.json", "--json", *words)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"demo: '{' '.join(str(w) for w in words)}' failed: {done.stderr.strip() or done.stdout.strip()}")
        return json.loads(done.stdout)
