"""Training and measuring without a server, on IDX files, .npy shards and CSV files."""

import hashlib
import json
import os
import pathlib
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

from stage import BUILD, MNIST, PIPELINE, ROOT

sys.path.insert(0, str(ROOT / "tools/demo"))
import mnist  # noqa: E402

ROWS, TEST_ROWS = 1500, 500
PIXELS = mnist.SIDE * mnist.SIDE


def write_idx(folder, part, digits, rows):
    count = len(rows)
    pixels = b"".join(digits.images[r * PIXELS : (r + 1) * PIXELS] for r in rows)
    labels = bytes(digits.labels[r] for r in rows)
    header = struct.pack(">BBBB", 0, 0, 8, 3) + struct.pack(">III", count, mnist.SIDE, mnist.SIDE)
    (folder / f"{part}-images-idx3-ubyte").write_bytes(header + pixels)
    (folder / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">BBBBI", 0, 0, 8, 1, count) + labels)


def write_npy(path, shape, data):
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data)


def write_shard(folder, name, digits, rows):
    pixels = b"".join(digits.images[r * PIXELS : (r + 1) * PIXELS] for r in rows)
    write_npy(folder / f"x{name}.npy", (len(rows), mnist.SIDE, mnist.SIDE), pixels)
    write_npy(folder / f"y{name}.npy", (len(rows),), bytes(digits.labels[r] for r in rows))


def write_csv(path, digits, rows):
    lines = ["label," + ",".join(f"pixel{i}" for i in range(PIXELS))]
    for r in rows:
        pixels = digits.images[r * PIXELS : (r + 1) * PIXELS]
        lines.append(f"{digits.labels[r]}," + ",".join(map(str, pixels)))
    path.write_text("\n".join(lines) + "\n")


class Local(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.train = mnist.load(MNIST, "train")
        cls.test = mnist.load(MNIST, "t10k")

    def setUp(self):
        self._folder = tempfile.TemporaryDirectory(prefix="hone-local-")
        self.addCleanup(self._folder.cleanup)
        self.folder = pathlib.Path(self._folder.name)
        self.pipeline = self.folder / "digits.toml"
        self.pipeline.write_text(PIPELINE.format(first=10, more=10, goal=0.9))
        self.data = self.folder / "data"
        self.data.mkdir()

    def hone(self, *words, status=0, **options):
        done = subprocess.run([str(w) for w in (BUILD / "bin/hone", "--json", *words)], capture_output=True, text=True,
                              timeout=300, **options)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def train_here(self, *words, out="out", **options):
        return self.hone("train", self.pipeline, "--data", self.data, "--out", self.folder / out, *words, **options)

    def evaluate(self, *words, **options):
        return self.hone("eval", self.folder / "out/model.onnx", "--data", self.data, "--pipeline", self.pipeline, *words, **options)

    def test_an_idx_pair(self):
        write_idx(self.data, "train", self.train, range(ROWS))
        write_idx(self.data, "t10k", self.test, range(TEST_ROWS))
        training = self.train_here("--seed", "5")
        model = (self.folder / "out/model.onnx").read_bytes()
        self.assertEqual(training, json.loads((self.folder / "out/training.json").read_text()))
        self.assertEqual(training["model"]["sha256"], hashlib.sha256(model).hexdigest())
        self.assertEqual((training["seed"], training["lineage"]["rows"]), (5, ROWS))
        self.assertIn("train-images-idx3-ubyte", training["data"])
        self.assertGreater(training["validation_metric"], 0.8)
        self.assertGreaterEqual(len(training["curve"]), 2)
        measured = self.evaluate()
        self.assertEqual(measured["rows"], TEST_ROWS)
        self.assertIn("t10k-images-idx3-ubyte", measured["data"])
        self.assertGreater(measured["value"], 0.8)
        self.assertGreater(self.evaluate("--metric", "f1")["value"], 0.8)
        self.evaluate("--at-least", "0.999", status=3)

    def test_npy_shards_and_csv_give_the_model_that_idx_gives(self):
        """The same rows, seed and pipeline: the same bytes, whatever files the rows came in."""
        write_shard(self.data, "-0", self.train, range(0, 400))
        write_shard(self.data, "-1", self.train, range(400, 600))
        shards = self.train_here(out="shards")
        for file in self.data.iterdir():
            file.unlink()
        write_csv(self.data / "train-0.csv", self.train, range(0, 250))
        write_csv(self.data / "train-1.csv", self.train, range(250, 600))
        write_csv(self.data / "test.csv", self.test, range(100))
        table = self.train_here(out="out")
        for file in self.data.glob("train-*"):
            file.unlink()
        self.assertEqual(self.evaluate()["rows"], 100)
        write_idx(self.data, "train", self.train, range(600))
        idx = self.train_here(out="idx")
        self.assertEqual(shards["dataset"], table["dataset"])
        self.assertEqual(shards["model"]["sha256"], table["model"]["sha256"])
        self.assertEqual(shards["model"]["sha256"], idx["model"]["sha256"])

    def test_a_warm_start(self):
        write_idx(self.data, "train", self.train, range(600))
        first = self.train_here()
        warm = self.train_here("--base", self.folder / "out/model.onnx", out="warm")
        self.assertEqual(warm["base"], first["model"]["sha256"])
        self.assertTrue(warm["lineage"]["warm_start"])
        self.assertNotEqual(warm["model"]["sha256"], first["model"]["sha256"])

    def test_people_are_told_in_a_few_lines(self):
        write_idx(self.data, "train", self.train, range(400))
        done = subprocess.run([BUILD / "bin/hone", "train", self.pipeline, "--data", self.data, "--out", self.folder / "out"],
                              capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("validation", done.stdout)
        self.assertEqual(done.stderr, "")  # progress is for terminals

    def test_stopped_it_leaves_nothing_behind(self):
        write_idx(self.data, "train", self.train, range(60000))
        hone = subprocess.Popen([BUILD / "bin/hone", "train", self.pipeline, "--data", self.data, "--out", self.folder / "out"],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        children = pathlib.Path(f"/proc/{hone.pid}/task/{hone.pid}/children")
        deadline = time.monotonic() + 60
        while not children.read_text().strip() and time.monotonic() < deadline:
            time.sleep(0.01)
        child = int(children.read_text().split()[0])
        hone.send_signal(signal.SIGINT)
        self.assertEqual(hone.wait(30), -signal.SIGINT)
        while pathlib.Path(f"/proc/{child}").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        self.assertFalse(pathlib.Path(f"/proc/{child}").exists(), "the trainer outlived hone")
        self.assertFalse((self.folder / "out").exists())


if __name__ == "__main__":
    unittest.main()
