"""Jobs with real trainers: shared, taken over, cancelled, logged, and watched from a terminal."""

import json
import os
import pty
import select
import signal
import subprocess
import time
import unittest

from stage import BUILD, PIPELINE, Stage, poll  # first: it says where the demo's modules are
from cloud import Cloud
from fleet import Fleet

# Slow enough to be looked at, killed and cancelled while it trains.
SLOW = PIPELINE.replace("first_at_samples", "epochs = {epochs}\nfirst_at_samples")


class Jobs(Stage):
    def start(self, pipelines: list, epochs: int, devices: int = 1):
        files = []
        for name in pipelines:
            file = self.folder / f"{name}.toml"
            file.write_text(SLOW.format(first=300, more=100_000, goal=0.99, epochs=epochs).replace('"digits"', f'"{name}"'))
            files.append(file)
        self.cloud = Cloud(self.processes, BUILD / "bin", self.folder, files[0], pipelines[0], tuple(files[1:]))
        self.cloud.start()
        tickets = [t for name in pipelines for t in self.cloud.enroll_in(name, devices)]
        self.fleet = Fleet(self.processes, BUILD / "bin/digit-reader", self.folder, tickets, 400)

    def jobs(self) -> list:
        return self.cloud.get("/v1/jobs")["jobs"]

    def job(self, pipeline: str) -> dict:
        return next((j for j in self.jobs() if j["pipeline"] == pipeline), {})

    def hone(self, *words, **options):
        command = [str(w) for w in (BUILD / "bin/hone", "--access", self.folder / "cloud/admin.json", *words)]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)

    def wait_training(self, pipeline: str):
        self.assertTrue(poll(lambda: self.job(pipeline).get("state") == "leased" and self.job(pipeline)["latest"]),
                        f"no trainer took {pipeline}")

    def test_two_trainers_share_the_work_and_one_takes_over_when_the_other_dies(self):
        self.start(["digits", "numerals"], epochs=400)
        for name in ("trainer-a", "trainer-b"):
            self.cloud.start_trainer(name)
        same = subprocess.run([BUILD / "bin/hone-trainer", "--access", self.folder / "cloud/trainer.json", "--work",
                               self.folder / "trainer-a"], capture_output=True, text=True, timeout=60)
        self.assertEqual(same.returncode, 1)
        self.assertIn("another hone-trainer", same.stderr)
        self.assertIn("choose another folder with --work", same.stderr)
        self.show_and_wait(600)
        for pipeline in ("digits", "numerals"):
            self.wait_training(pipeline)
        trainers = {p: self.job(p)["trainer"] for p in ("digits", "numerals")}
        self.assertEqual(set(trainers.values()), {"trainer-a", "trainer-b"}, "one trainer took both")
        killed, survivor = trainers["digits"], trainers["numerals"]
        process = self.processes._running.pop(killed)
        process.kill()
        process.wait()
        self.assertTrue(poll(lambda: all(j["state"] == "completed" for j in self.jobs()), 240), self.jobs())
        digits, numerals = self.job("digits"), self.job("numerals")
        self.assertEqual((digits["trainer"], digits["attempts"]), (survivor, 2))
        self.assertEqual((numerals["trainer"], numerals["attempts"]), (survivor, 1))
        log = self.cloud.ask("job", "log", digits["id"])["lines"]
        self.assertEqual({line["attempt"] for line in log}, {1, 2})
        self.assertIn("trained in", log[-1]["text"])
        self.assertIn("+", digits["lineage"]["hone"], "the lineage names the code")

    def test_a_cancelled_job_stops_and_the_trainer_goes_on(self):
        self.start(["digits"], epochs=4000)
        self.cloud.start_trainer("trainer-a")
        self.show_and_wait(300)
        self.wait_training("digits")
        done = self.hone("job", "cancel", "1", "--reason", "wrong layers")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(poll(lambda: "stopped" in (self.folder / "trainer-a.log").read_text()), "the trainer did not hear of it")
        shown = self.hone("job", "show", "1")
        self.assertIn("cancelled", shown.stdout)
        self.assertIn("wrong layers", shown.stdout)
        self.assertIn("digits", self.hone("job", "log", "1").stdout)
        self.assertIn("only a queued or running job", self.hone("job", "cancel", "1").stderr)
        self.assertEqual([j["state"] for j in self.jobs()], ["cancelled"], "it was tried again")
        # By hand it goes at once, on the trainer that was stopped; Ctrl-C leaves the job running and says so.
        watching = Terminal([BUILD / "bin/hone", "--access", self.folder / "cloud/admin.json", "train", "digits", "--watch"])
        self.addCleanup(watching.end)
        self.assertTrue(watching.until("training on trainer-a"), watching.text)
        self.assertTrue(watching.until("metric"), watching.text)
        watching.process.send_signal(signal.SIGINT)
        self.assertTrue(watching.until("goes on without you"), watching.text)
        self.assertEqual(watching.process.wait(30), 1)
        self.assertEqual(self.job("digits")["state"], "leased")

    def test_watch_tells_the_loop_as_it_moves(self):
        self.start(["digits"], epochs=4)
        with open(self.folder / "watch.jsonl", "w") as out:
            watching = self.processes.start("watch", [BUILD / "bin/hone", "--access", self.folder / "cloud/admin.json", "watch", "--json"],
                                            stdout=out)
        picture = Terminal([BUILD / "bin/hone", "--access", self.folder / "cloud/admin.json", "watch"])
        self.addCleanup(picture.end)
        self.assertTrue(picture.until("waits for 300 more samples"), picture.text)
        self.cloud.start_trainer()
        self.show_and_wait(300)
        self.wait_release(1)
        events = lambda: [json.loads(line)["event"] for line in (self.folder / "watch.jsonl").read_text().splitlines()]
        self.assertTrue(poll(lambda: {"samples", "dataset", "job", "verdict", "release", "live"} <= set(events())), events())
        self.assertTrue(picture.until("live on 1 of 1 devices"), picture.text)
        for process in (watching, picture.process):
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(30), 0)
        self.processes._running.pop("watch")
        once = self.hone("watch", "--once")
        self.assertIn("release   1: accuracy", once.stdout)
        self.assertIn("verdict   job-1 promote", once.stdout)


class Terminal:
    """A command on a terminal of its own, 100 columns wide, and all that it wrote there."""

    def __init__(self, command: list):
        self.text = ""
        self._fd, other = pty.openpty()
        environment = dict(os.environ, COLUMNS="100", LINES="40", LC_ALL="C.UTF-8", TERM="xterm")
        self.process = subprocess.Popen([str(c) for c in command], stdin=other, stdout=other, stderr=other, env=environment)
        os.close(other)

    def until(self, part: str, timeout_s: float = 60) -> bool:
        deadline = time.monotonic() + timeout_s
        while part not in self.text and time.monotonic() < deadline:
            if select.select([self._fd], [], [], 0.1)[0]:
                try:
                    self.text += os.read(self._fd, 65536).decode(errors="replace")
                except OSError:  # the other end is closed
                    break
        return part in self.text

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._fd)


if __name__ == "__main__":
    unittest.main()
