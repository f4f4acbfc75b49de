"""hone delta with real files and real processes: killed with SIGKILL at random moments, and used wrongly."""

import json
import os
import pathlib
import random
import shutil
import signal
import struct
import subprocess
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("HONE_BUILD", ROOT / "build/release"))
RUNS = 10  # to the end, each killed several times on the way


def floats(count, seed, change=0.0):
    lot = random.Random(seed)
    values = [lot.gauss(0, 0.05) for _ in range(count)]
    other = random.Random(seed + 1)
    return struct.pack(f"<{count}f", *[v + change * other.gauss(0, 0.05) for v in values])


class Delta(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hone-delta-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def hone(self, *words):
        return subprocess.run([BUILD / "bin/hone", "delta", *map(str, words)], capture_output=True, text=True, timeout=120)

    # A base, a target that has bytes inserted at its head, and a patch between them.
    def pair(self, *options, count=200_000):
        self.old, self.new = floats(count, 1), b"a longer head" * 500 + floats(count, 1, 1e-3)
        (self.folder / "old").write_bytes(self.old)
        (self.folder / "new").write_bytes(self.new)
        made = self.hone("encode", "--base", self.folder / "old", "--target", self.folder / "new",
                         "--out", self.folder / "patch", "--effort", "2", "--json", *options)
        self.assertEqual(made.returncode, 0, made.stderr)
        return json.loads(made.stdout)

    def killed_until_done(self, where, start, look):
        """Starts `where` again and again, kills it at random, and looks at the files after each time."""
        command = [BUILD / "bin/hone", "delta", "apply", *map(str, where), "--patch", str(self.folder / "patch"), "--json"]
        lot = random.Random(7)
        start()
        began = time.monotonic()
        self.assertEqual(subprocess.run(command, capture_output=True).returncode, 0)
        whole = time.monotonic() - began
        killed = resumed = completed = 0
        for _ in range(RUNS):
            start()
            while True:
                process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                try:
                    out, err = process.communicate(timeout=lot.uniform(0, whole))
                except subprocess.TimeoutExpired:
                    process.send_signal(signal.SIGKILL)
                    out, err = process.communicate()
                if process.returncode == -signal.SIGKILL:
                    killed += 1
                    look()
                    if lot.random() < 0.7:
                        continue
                    process = subprocess.run(command, capture_output=True, text=True, timeout=120)
                    out, err = process.stdout, process.stderr
                self.assertEqual(process.returncode, 0, err)
                completed += 1
                resumed += json.loads(out)["resumed"]
                break
        self.assertEqual(completed, RUNS)
        self.assertGreater(killed, 3)
        self.assertGreater(resumed, 1)

    def test_in_place_killed_at_random_moments(self):
        made = self.pair("--in-place", "--profile", "small")
        self.assertLess(made["patch_bytes"], made["target_bytes"])
        model, journal = self.folder / "model", self.folder / "model.journal"

        def start():
            if model.exists():
                self.assertEqual(model.read_bytes(), self.new)
            self.assertFalse(journal.exists())
            model.write_bytes(self.old)

        def look():
            self.assertTrue(journal.exists() or model.read_bytes() in (self.old, self.new))

        self.killed_until_done(["--in-place", "--base", model], start, look)
        self.assertEqual(model.read_bytes(), self.new)

    def test_beside_killed_at_random_moments(self):
        self.pair("--profile", "small", count=600_000)
        out = self.folder / "out"

        def start():
            out.unlink(missing_ok=True)
            self.assertEqual(sorted(p.name for p in self.folder.iterdir()), ["new", "old", "patch"])

        def look():
            self.assertTrue(not out.exists() or out.read_bytes() == self.new)
            self.assertEqual((self.folder / "old").read_bytes(), self.old)

        self.killed_until_done(["--base", self.folder / "old", "--out", out], start, look)
        self.assertEqual(out.read_bytes(), self.new)

    def test_what_cannot_be_is_said_in_a_sentence(self):
        self.pair(count=1000)
        base, patch = self.folder / "old", self.folder / "patch"

        def refused(*words, status=1):
            done = self.hone(*words)
            self.assertEqual(done.returncode, status, done.stdout + done.stderr)
            return done.stderr

        self.assertIn("made for a new file", refused("apply", "--in-place", "--base", base, "--patch", patch))
        self.assertIn("fetch the full file",
                      refused("apply", "--base", self.folder / "new", "--patch", patch, "--out", self.folder / "out"))
        refused("apply", "--base", base, "--patch", patch, status=2)
        refused("apply", "--base", base, "--patch", patch, "--in-place", "--out", self.folder / "out", status=2)
        self.assertIn("none", refused("apply", "--base", base, "--patch", self.folder / "none", "--out", self.folder / "out"))
        self.pair("--in-place", "--block-bytes", "4096", count=1000)
        refused("encode", "--base", base, "--target", base, "--out", patch, "--in-place", "--block-bytes", "5000", status=2)
        whole = patch.read_bytes()
        for damaged in (whole[:-1], whole[:90], whole[:70] + b"!" + whole[71:], whole + b"!"):
            patch.write_bytes(damaged)
            self.assertIn("fetch", refused("apply", "--in-place", "--base", base, "--patch", patch))
            self.assertEqual(base.read_bytes(), self.old, "a damaged patch is found before anything is written")
            self.assertFalse((self.folder / "old.journal").exists())

    def test_another_patch_waits_until_the_first_is_done(self):
        self.pair("--in-place", "--block-bytes", "4096")
        model = self.folder / "old"
        (self.folder / "first").write_bytes((self.folder / "patch").read_bytes())
        command = [BUILD / "bin/hone", "delta", "apply", "--in-place", "--base", model, "--patch", self.folder / "first"]
        for _ in range(200):  # until a kill meets it in the middle
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            while process.poll() is None and model.read_bytes()[:1000] != self.new[:1000]:
                pass
            process.kill()
            process.wait()
            if (self.folder / "old.journal").exists() and model.read_bytes() not in (self.old, self.new):
                break
            model.write_bytes(self.old)
            (self.folder / "old.journal").unlink(missing_ok=True)
        self.new += b"more"
        (self.folder / "base").write_bytes(self.old)
        (self.folder / "new").write_bytes(self.new)
        made = self.hone("encode", "--base", self.folder / "base", "--target", self.folder / "new", "--out", self.folder / "patch",
                         "--in-place", "--effort", "1")
        self.assertEqual(made.returncode, 0, made.stderr)
        done = self.hone("apply", "--in-place", "--base", model, "--patch", self.folder / "patch")
        self.assertEqual(done.returncode, 1)
        self.assertIn("another delta", done.stderr)
        self.assertEqual(subprocess.run(command, capture_output=True).returncode, 0, "the first one goes on")
        self.assertEqual(model.read_bytes(), self.new[:-4])


if __name__ == "__main__":
    unittest.main()
