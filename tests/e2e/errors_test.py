"""Bad input gets one clear sentence that says what to do."""

import json
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import unittest

from stage import BUILD, MNIST, PIPELINE, ROOT, Stage


def run(*command, **options):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=60, **options)


class Errors(Stage):
    def hone(self, *words):
        return run(BUILD / "bin/hone", "--access", self.folder / "cloud/admin.json", *words)

    def assert_refused(self, done, *parts, status=1):
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        for part in parts:
            self.assertIn(part, done.stderr)
        self.assertLessEqual(len(done.stderr.strip().splitlines()), 2, done.stderr)

    def test_an_unknown_key_is_named_with_line_and_column(self):
        bad = self.folder / "bad.toml"
        bad.write_text(PIPELINE.format(first=10, more=10, goal=0.9).replace("layers =", "layer ="))
        done = run(BUILD / "bin/hone-cloud", "--data", self.folder / "cloud", "--listen", "127.0.0.1:0", bad)
        line = next(n for n, text in enumerate(bad.read_text().splitlines(), 1) if text.startswith("layer ="))
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(f"bad.toml:{line}:1", done.stderr)
        self.assertIn("layers", done.stderr)

    def test_a_taken_port_is_said(self):
        pipeline = self.folder / "digits.toml"
        pipeline.write_text(PIPELINE.format(first=10, more=10, goal=0.9))
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            done = run(BUILD / "bin/hone-cloud", "--data", self.folder / "cloud", "--listen", f"127.0.0.1:{port}",
                       "--mqtt-port", "0", pipeline)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(str(port), done.stderr)
        self.assertIn("--listen", done.stderr)

    def test_a_server_that_does_not_run_is_said(self):
        access = self.folder / "admin.json"
        access.write_text(json.dumps({"url": "https://127.0.0.1:1", "ca_pem": "", "token": "x"}))
        self.assert_refused(run(BUILD / "bin/hone", "--access", access, "status"), "hone")
        self.assert_refused(run(BUILD / "bin/hone", "--access", self.folder / "none.json", "status"), "none.json")

    def test_an_unknown_pipeline_is_said(self):
        self.start_cloud(first=10, more=10)
        self.assert_refused(self.hone("device", "enroll", "--pipeline", "digit", "--out", self.folder / "t.json"), "digit")
        self.assert_refused(self.hone("release", "list", "digit"), "digit")
        self.assert_refused(self.hone("train", "digit"), "digit")

    def test_a_used_ticket_is_refused(self):
        self.start_cloud(first=100_000, more=10)
        ticket = self.cloud.enroll(1)[0]
        self.start_fleet_with([ticket], "first")
        self.wait(lambda: self.fleet.total("uploaded") >= 0 and self.cloud.ask("device", "list")["devices"], "the device to join")
        done = run(BUILD / "bin/digit-reader", "--ticket", ticket, "--state", self.folder / "second", "--camera",
                   "/dev/null", "--rate", "50", "--trace", self.folder / "second.trace", "--once")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("ticket", done.stderr)

    def start_fleet_with(self, tickets, name):
        from fleet import Fleet
        folder = self.folder / name
        folder.mkdir()
        self.fleet = Fleet(self.processes, BUILD / "bin/digit-reader", folder, tickets, 100)

    def test_a_missing_mnist_file_is_said(self):
        done = run("python3", ROOT / "tools/demo", "--build", BUILD, "--out", self.folder / "demo", "--mnist", self.folder)
        self.assert_refused(done, "train-images-idx3-ubyte", "make setup")

    def train_here(self, *words, hone=BUILD / "bin/hone", **options):
        pipeline = self.folder / "digits.toml"
        pipeline.write_text(PIPELINE.format(first=10, more=10, goal=0.9))
        return run(hone, "train", pipeline, "--data", self.folder / "data", "--out", self.folder / "out", *words, **options)

    def write_data(self, name, shape, data):
        (self.folder / "data").mkdir(exist_ok=True)
        header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}"
        header += " " * (-(len(header) + 11) % 64) + "\n"
        (self.folder / "data" / name).write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data)

    def test_training_here_says_what_is_wrong_with_the_data(self):
        self.assert_refused(self.train_here(), str(self.folder / "data"), "cannot be read")
        (self.folder / "data").mkdir()
        self.assert_refused(self.train_here(), "x.npy", "train-images-idx3-ubyte", ".csv", "--data")
        self.write_data("x.npy", (2, 27, 27), bytes(2 * 27 * 27))
        self.write_data("y.npy", (2,), b"\0\1")
        self.assert_refused(self.train_here(), "x.npy has shape [2, 27, 27]", "[1, 28, 28]")
        self.write_data("x.npy", (2, 28, 28), bytes(2 * 28 * 28))
        self.write_data("y.npy", (2,), b"\0\x0a")
        self.assert_refused(self.train_here(), "y.npy has label 10 in row 1", "0 to 9")
        self.assertFalse((self.folder / "out").exists())

    def test_training_here_says_line_and_column_of_a_csv_file(self):
        (self.folder / "data").mkdir()
        table = self.folder / "data/digits.csv"
        pixels = ",".join(["0"] * 783)
        table.write_text(f"3,{pixels},7\n3,{pixels},seven\n")
        self.assert_refused(self.train_here(), "digits.csv: line 2, column 785 holds the label 'seven'")
        table.write_text(f"3,{pixels},7\nthree,{pixels},7\n")
        self.assert_refused(self.train_here(), "digits.csv: line 2, column 1 holds 'three' where a number is needed")
        table.write_text(f"3,{pixels}\n")
        self.assert_refused(self.train_here(), "line 1", "--label-column")
        self.assert_refused(self.train_here("--label-column", "digit"), "no column 'digit'")

    def test_training_here_without_a_trainer_is_said(self):
        alone = self.folder / "bin/hone"
        alone.parent.mkdir()
        shutil.copy(BUILD / "bin/hone", alone)
        (self.folder / "data").mkdir()
        done = self.train_here(hone=alone, env=dict(os.environ, PATH="/nonexistent"))
        self.assert_refused(done, "hone-trainer", "make build")

    def test_training_here_needs_a_folder_for_the_model(self):
        self.assert_refused(run(BUILD / "bin/hone", "train", "digits.toml"), "--data", "--out", status=2)
        self.assert_refused(self.train_here("--base", self.folder / "none.onnx"), "none.onnx")

    def test_an_unknown_job_is_said(self):
        self.start_cloud(first=10, more=10)
        for verb in ("show", "log", "cancel"):
            self.assert_refused(self.hone("job", verb, "7"), "job-7", "hone job list")
        self.assert_refused(self.hone("job", "show", "seven"), "seven")

    def test_wrong_usage_is_status_2(self):
        self.assertEqual(run(BUILD / "bin/hone", "relase").returncode, 2)
        self.assertEqual(run(BUILD / "bin/hone-cloud").returncode, 2)

    def test_no_broker_is_no_end(self):
        """Without mosquitto the server says so, and the loop goes on by polling."""
        pipeline = self.folder / "digits.toml"
        pipeline.write_text(PIPELINE.format(first=10, more=10, goal=0.9))
        from cloud import Cloud
        self.cloud = Cloud(self.processes, BUILD / "bin", self.folder, pipeline, "digits")
        old = os.environ["PATH"]
        try:
            os.environ["HONE_MOSQUITTO"] = str(pathlib.Path("/nonexistent/mosquitto"))
            self.cloud.start()
        finally:
            os.environ["PATH"] = old
            del os.environ["HONE_MOSQUITTO"]
        self.assertEqual(self.cloud.status()["received"]["rows"], 0)
        self.assertIn("mosquitto", (self.folder / "hone-cloud.log").read_text())


if __name__ == "__main__":
    unittest.main()
