"""Runs one demo from its first process to its report, and ends every process whatever happens."""

import json
import pathlib
import shutil
import signal
import sys

from processes import Processes
from show import Screen


def perform(out: pathlib.Path, command: str, tell, limits_missed) -> int:
    """`tell(processes, screen)` gives the report; `limits_missed(report)` gives two lists of sentences: what had to
    happen and did not, and what merely took longer than it should. The exit status says whether the first is empty."""
    killed = Processes.end_leftovers(out)
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    processes = Processes(out)
    screen = Screen()
    if killed:
        screen.say(f"(ended {killed} processes that an interrupted run had left)")
    try:
        report = tell(processes, screen)
    except KeyboardInterrupt:
        screen.say(f"\ninterrupted; every process that the demo started is being ended. '{command}' starts it again.")
        return 130
    finally:
        processes.stop_all()
    (out / "report.json").write_text(json.dumps(report, indent=2) + "\n")
    missed, slow = limits_missed(report)
    screen.say(f"\nThe same figures: {out / 'report.json'}; the logs of every process are beside it.")
    for line in missed + slow:
        screen.say(f"LIMIT MISSED: {line}")
    if slow:
        screen.say("Times depend on what else this machine does: a limit of time that is missed is said, and is no failure.")
    return 1 if missed else 0
