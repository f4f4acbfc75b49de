"""Training and measuring without a server, on IDX files, .npy shards and CSV files."""

import hashlib
import json
import math
import os
import pathlib
import random
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

EXAMPLES = ROOT / "examples"
ROWS, TEST_ROWS = 1500, 500
PIXELS = mnist.SIDE * mnist.SIDE


def write_idx(folder, part, digits, rows):
    count = len(rows)
    pixels = b"".join(digits.images[r * PIXELS : (r + 1) * PIXELS] for r in rows)
    labels = bytes(digits.labels[r] for r in rows)
    header = struct.pack(">BBBB", 0, 0, 8, 3) + struct.pack(">III", count, mnist.SIDE, mnist.SIDE)
    (folder / f"{part}-images-idx3-ubyte").write_bytes(header + pixels)
    (folder / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">BBBBI", 0, 0, 8, 1, count) + labels)


def write_npy(path, shape, data, descr="|u1"):
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"
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

    def test_rows_without_a_label_are_counted(self):
        write_shard(self.data, "", self.train, range(400))
        labels = bytearray(self.train.labels[:400])
        labels[:50] = bytes([255]) * 50
        write_npy(self.data / "y.npy", (400,), bytes(labels), "|i1")
        lineage = self.train_here()["lineage"]
        self.assertEqual((lineage["rows"], lineage["rows_without_a_label"]), (350, 50))
        self.assertNotIn("validated_on_fitted_rows", lineage)

    def test_few_rows_validate_what_was_fitted_to_them_and_that_is_said(self):
        write_idx(self.data, "train", self.train, range(20))
        self.assertTrue(self.train_here()["lineage"]["validated_on_fitted_rows"])
        told = subprocess.run([BUILD / "bin/hone", "train", self.pipeline, "--data", self.data, "--out", self.folder / "out"],
                              capture_output=True, text=True, timeout=300).stdout
        self.assertIn("the validation figure is of rows that were fitted", told)

    def train_by_command(self, example, **options):
        folder = EXAMPLES / example
        return self.hone("train", folder / "digits.toml", "--commands", folder, "--data", self.data,
                         "--out", self.folder / "out", **options)

    def check_a_command_trained(self, training):
        self.assertEqual(training["lineage"]["recipe"], "command")
        self.assertEqual(sorted(file.name for file in (self.folder / "out").iterdir()), ["model.onnx", "training.json"])
        self.assertGreater(self.evaluate("--metric", "accuracy")["value"], 0.6)

    def test_a_python_trainer_without_a_server(self):
        if subprocess.run(["/usr/bin/python3", "-c", "import numpy, onnx"], capture_output=True).returncode != 0:
            self.skipTest("python3-numpy and python3-onnx are not installed: tools/setup --test")
        write_idx(self.data, "train", self.train, range(600))
        training = self.train_by_command("command-python")
        self.assertEqual(len(training["curve"]), 12)
        self.check_a_command_trained(training)

    def figures_of(self, model, rows, unlabelled):
        """What the Python example's `eval` says of the first training rows, some of them without their label."""
        holdout = self.folder / "holdout"
        holdout.mkdir(exist_ok=True)
        write_shard(holdout, "-0", self.train, range(rows))
        labels = [-1] * unlabelled + list(self.train.labels[unlabelled:rows])
        write_npy(holdout / "y-0.npy", (rows,), struct.pack(f"<{rows}q", *labels), "<i8")
        signal = {"shape": [mnist.SIDE, mnist.SIDE], "dtype": "uint8", "scale": 1 / 255, "labels": [str(i) for i in range(10)]}
        (holdout / "dataset.json").write_text(json.dumps(
            {"format": 1, "signal": signal, "shards": [{"rows": rows, "x": "x-0.npy", "y": "y-0.npy"}]}))
        file = self.folder / "figures.npy"
        subprocess.run([EXAMPLES / "command-python/train.py", "eval", model, holdout, file], check=True)
        return struct.unpack(f"<{rows}d", file.read_bytes()[-8 * rows:])

    def test_the_python_example_gives_rows_without_a_label_a_guess_and_models_of_others_the_least(self):
        if subprocess.run(["/usr/bin/python3", "-c", "import numpy, onnx"], capture_output=True).returncode != 0:
            self.skipTest("python3-numpy and python3-onnx are not installed: tools/setup --test")
        write_idx(self.data, "train", self.train, range(600))
        self.train_here(out="another")
        self.train_by_command("command-python")
        own = self.figures_of(self.folder / "out/model.onnx", 100, unlabelled=40)
        guess = math.log(1 / 10)
        self.assertTrue(all(abs(figure - guess) < 1e-9 for figure in own[:40]), own[:40])
        self.assertGreater(sum(own[40:]) / 60, guess)
        another = self.figures_of(self.folder / "another/model.onnx", 100, unlabelled=40)
        self.assertEqual(set(another[40:]), {-5})
        self.assertEqual(another[:40], own[:40])

    def test_a_shell_script_without_a_server(self):
        write_idx(self.data, "train", self.train, range(600))
        training = self.train_by_command("command-shell", env=os.environ | {"PATH": f"{BUILD / 'bin'}:{os.environ['PATH']}"})
        self.assertEqual(training["lineage"]["metrics"]["tried"], 3)
        self.check_a_command_trained(training)

    def test_a_command_needs_its_folder_and_one_that_fails_leaves_nothing_behind(self):
        write_idx(self.data, "train", self.train, range(20))
        self.pipeline = EXAMPLES / "command-python/digits.toml"
        self.assertIn("give --commands DIR, the folder that holds 'train.py'", self.train_here(status=1)["error"])
        commands = self.folder / "commands"
        commands.mkdir()
        (commands / "train.py").write_text("#!/bin/sh\necho no idea how\nexit 7\n")
        (commands / "train.py").chmod(0o755)
        error = self.train_here("--commands", commands, status=1)["error"]
        self.assertIn("train.py left with exit status 7; the last it said: no idea how", error)
        self.assertFalse((self.folder / "out").exists())

    def two_heaps(self, train, gate):
        """Samples of four numbers around (40, ...) and (200, ...), and a pipeline that learns from them without labels."""
        draw = random.Random(1)
        rows = [[centre + draw.randrange(-20, 21) for _ in range(4)] for centre in [40, 200] * 150]
        write_npy(self.data / "x.npy", (len(rows), 4), bytes(value for row in rows for value in row))
        self.pipeline = self.folder / "heaps.toml"
        self.pipeline.write_text('[pipeline]\nname = "heaps"\n[signal]\nshape = [4]\ndtype = "uint8"\nscale = 0.01\n'
                                 f"[train]\n{train}\n[gate]\ngoal = 0.9\nfirst_goal = 0.1\n{gate}\n")
        self.train_here()

    def evaluate_alone(self, *words, **options):
        return self.hone("eval", self.folder / "out/model.onnx", "--data", self.data, *words, **options)

    def test_an_autoencoder_is_measured_by_what_it_gives_back(self):
        self.two_heaps('recipe = "autoencoder"\nlayers = ["dense 2", "dense 4"]', "")
        measured = self.evaluate()
        self.assertEqual((measured["metric"], measured["rows"]), ("reconstruction", 300))
        self.assertGreater(measured["value"], 0.5)
        alone = self.evaluate_alone()  # the model says its scale
        self.assertEqual(alone["metric"], "reconstruction")
        self.assertAlmostEqual(alone["value"], measured["value"], 4)
        for metric in ["accuracy", "f1"]:
            error = self.evaluate_alone("--metric", metric, status=1)["error"]
            self.assertIn(f"{metric} compares scores of labels, and this model scores anomalies", error)

    def test_many_clustered_rows_are_estimated_with_an_interval(self):
        self.two_heaps('recipe = "kmeans"\nclusters = [2, 3]\nsilhouette_rows = 100', "")
        exact = self.evaluate_alone()
        self.assertEqual((exact["metric"], exact["rows"]), ("silhouette", 300))
        self.assertNotIn("silhouette_bounds", exact)
        estimate = self.evaluate()
        self.assertEqual(estimate["metric"], "silhouette")
        self.assertEqual((estimate["rows"], estimate["rows_measured"]), (300, 100))
        lower, upper = estimate["silhouette_bounds"]
        self.assertLess(lower, estimate["value"])
        self.assertLess(estimate["value"], upper)
        self.assertAlmostEqual(exact["value"], estimate["value"], delta=2 * (upper - lower))

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
