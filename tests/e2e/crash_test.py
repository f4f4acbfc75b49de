"""kill -9 at bad moments: every acknowledged sample is there once, and the loop goes on."""

import os
import pathlib
import signal
import unittest

from stage import BUILD, Stage, poll


class Crash(Stage):
    def test_cloud_killed_during_uploads_keeps_every_sample_once(self):
        self.start_cloud(first=100_000, more=100_000)
        self.start_fleet()
        self.show(4000)
        for killed_at in (600, 1500, 2600):
            self.wait(lambda: self.fleet.read() >= killed_at, f"{killed_at} frames")
            self.kill_cloud()
            self.restart_cloud()
        self.wait(self.fleet.all_read, "the frames")
        self.wait(lambda: self.fleet.total("uploaded") == 4000, "every sample to be acknowledged")
        self.assertEqual(self.rows_in_cloud(), 4000)

    def test_cloud_killed_between_gate_and_publish_goes_on(self):
        self.start_cloud(first=400, more=4000)
        self.cloud.start_trainer()
        self.start_fleet()
        self.show_and_wait(400)
        verdict = poll(lambda: self.cloud.get("/v1/pipelines/digits/verdicts")["verdicts"])
        self.kill_cloud()
        self.assertTrue(verdict, "the gate gave no verdict")
        self.restart_cloud()
        self.wait_release(1)
        self.assertEqual([r["seq"] for r in self.cloud.releases()], [1])
        self.assertEqual(len(self.cloud.verdicts()), 1)

    def test_a_killed_trainer_loses_its_lease_and_another_finishes(self):
        self.start_cloud(first=400, more=4000)
        self.cloud.start_trainer("trainer-a")
        self.start_fleet()
        self.show_and_wait(400)
        self.assertTrue(poll(lambda: any(j["state"] == "leased" for j in self.cloud.get("/v1/jobs?pipeline=digits")["jobs"])))
        trainer = self.processes._running.pop("trainer-a")
        trainer.kill()
        trainer.wait()
        self.cloud.start_trainer("trainer-b")
        self.wait_release(1)
        jobs = self.cloud.jobs()
        self.assertEqual([j["state"] for j in jobs], ["completed"])
        self.assertEqual(jobs[0]["trainer"], "trainer-b")
        self.assertEqual(jobs[0]["attempts"], 2)

    def test_a_killed_broker_is_started_again_and_the_loop_goes_on(self):
        self.start_cloud(first=400, more=4000, goal=0.99)
        self.cloud.start_trainer()
        self.start_fleet()
        self.show_and_wait(400)
        self.wait_release(1)
        cloud = self.processes._running["hone-cloud"].pid
        broker = child_named(cloud, "mosquitto")
        self.assertTrue(broker, "hone-cloud runs no mosquitto")
        os.kill(broker, signal.SIGKILL)
        self.assertTrue(poll(lambda: child_named(cloud, "mosquitto") not in (None, broker)))
        self.show_and_wait(4000)
        self.wait_release(2)

    def test_a_killed_device_goes_on_with_what_was_durable(self):
        self.start_cloud(first=100_000, more=100_000)
        self.start_fleet(devices=1)
        device = self.fleet.devices[0]
        self.show(3000)
        self.wait(lambda: self.fleet.read() >= 1000, "1000 frames")
        process = self.processes._running.pop(device.name)
        process.kill()
        process.wait()
        seen = self.fleet.read()
        durable = device.status["uploaded"] + device.status["durable"]
        self.restart_device(device)
        self.wait(lambda: device_idle(self.cloud), "the spool to be sent")
        rows = self.rows_in_cloud()
        self.assertGreaterEqual(rows, durable)
        self.assertLessEqual(rows, seen + 1)

    def restart_device(self, device):
        folder = self.folder
        ticket = next((folder / "tickets").iterdir())
        self.processes.start(device.name, [
            BUILD / "bin/digit-reader", "--ticket", ticket, "--state", folder / device.name, "--camera", "/dev/null",
            "--rate", "100", "--trace", folder / "second.trace"])


def device_idle(cloud) -> bool:
    """True when the restarted device has told of an empty spool."""
    return all(d["spooled"] == 0 and d["state"] for d in cloud.ask("device", "list")["devices"])


def child_named(parent: int, name: str):
    for task in pathlib.Path(f"/proc/{parent}/task").iterdir():
        for pid in (task / "children").read_text().split():
            try:
                if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == name:
                    return int(pid)
            except OSError:
                pass
    return None


if __name__ == "__main__":
    unittest.main()
