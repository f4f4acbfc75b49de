"""Starts the demo's processes and, whatever happens, ends every one of them.

The ids of what runs stand in a file, each with its start time, so that a run that was killed
outright is cleaned up by the next one without ever touching a process that merely got its id.
"""

import json
import os
import pathlib
import signal
import subprocess
import time


class Processes:
    def __init__(self, folder: pathlib.Path):
        self._folder = folder
        self._file = folder / "processes.json"
        self._running = {}  # name -> Popen

    @staticmethod
    def end_leftovers(folder: pathlib.Path) -> int:
        """Ends what an interrupted run left behind; returns how many that were."""
        try:
            entries = json.loads((folder / "processes.json").read_text())
        except (OSError, ValueError):
            return 0
        alive = [e["pid"] for e in entries if _start_time(e["pid"]) == e["started"]]
        for pid in alive:
            _signal(pid, signal.SIGTERM)
        deadline = time.monotonic() + 5
        while any(_start_time(pid) for pid in alive) and time.monotonic() < deadline:
            time.sleep(0.05)
        for pid in alive:
            _signal(pid, signal.SIGKILL)
        return len(alive)

    def start(self, name: str, command: list, **popen) -> subprocess.Popen:
        log = open(self._folder / f"{name}.log", "ab")
        popen.setdefault("stdout", log)
        # A process group of its own: Ctrl-C reaches the demo alone, which then ends them in order. Not a session
        # of its own: Linux shares the CPU out by sessions first, and the devices' niceness would mean nothing.
        process = subprocess.Popen([str(c) for c in command], stderr=log, process_group=0, **popen)
        log.close()
        self._running[name] = process
        self._remember()
        return process

    def log_tail(self, name: str, lines: int = 12) -> str:
        text = (self._folder / f"{name}.log").read_text(errors="replace")
        return "\n".join("    " + line for line in text.splitlines()[-lines:])

    def check(self):
        """Raises when a process has ended that should be running."""
        for name, process in self._running.items():
            if process.poll() is not None:
                raise SystemExit(f"demo: {name} ended with status {process.returncode}; its last lines:\n{self.log_tail(name)}")

    def stop(self, names: list, grace_s: float = 10):
        chosen = [(n, self._running.pop(n)) for n in names if n in self._running]
        for _, process in chosen:
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + grace_s
        for _, process in chosen:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._remember()

    def stop_all(self):
        self.stop(list(self._running))
        self._file.unlink(missing_ok=True)

    def _remember(self):
        entries = [{"pid": p.pid, "started": _start_time(p.pid)} for p in self._running.values()]
        self._file.write_text(json.dumps(entries))


def _start_time(pid: int):
    """Clock ticks since boot at which the process started, None when there is none."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] == "Z" else fields[19]


def _signal(pid: int, number: int):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass
