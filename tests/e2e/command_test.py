"""Programs of the user's that train and measure: the two worked examples, and what goes wrong, with real processes."""

import os
import pathlib
import subprocess
import unittest

from stage import BUILD, PIPELINE, ROOT, Stage  # first: it says where the demo's modules are
from cloud import Cloud

EXAMPLES = ROOT / "examples"
BUILT_IN = 'recipe = "mlp"\nlayers = ["dense 64", "relu", "dense 10"]\n'
SCORE = 'metric = "score"\nno_slice_worse_than = 1\n'


def pipeline_with(train: str, gate: str, goal: float, first_goal: float, first: int = 400, more: int = 4000) -> str:
    text = PIPELINE.format(first=first, more=more, goal=goal)
    text = text.replace(BUILT_IN, train).replace('metric = "accuracy"\n', gate)
    return text.replace("first_goal = 0.5", f"first_goal = {first_goal}")


class Command(Stage):
    def start(self, pipeline: str, commands: pathlib.Path):
        file = self.folder / "digits.toml"
        file.write_text(pipeline)
        self.cloud = Cloud(self.processes, BUILD / "bin", self.folder, file, "digits")
        self.cloud.start()
        self.cloud.start_trainer(commands=commands)
        self.start_fleet()

    def newest_job(self, kind: str = "train") -> dict:
        return next(job for job in self.cloud.jobs() if job["kind"] == kind)

    def test_a_python_trainer_is_judged_by_its_own_metric(self):
        if subprocess.run(["/usr/bin/python3", "-c", "import numpy, onnx"], capture_output=True).returncode != 0:
            self.skipTest("python3-numpy and python3-onnx are not installed: tools/setup --test")
        self.start(pipeline_with('recipe = "command"\ncommand = ["train.py", "--hidden", "32"]\neval = ["train.py"]\n', SCORE,
                                 goal=-0.45, first_goal=-3), EXAMPLES / "command-python")
        self.show_and_wait(400)
        self.wait_release(1)
        first = self.newest_job()
        self.assertEqual(first["lineage"]["metrics"]["warm_start"], False)
        self.assertIn("starts from scratch", first["lineage"]["log"])
        self.assertEqual(first["lineage"]["curve"][-1]["epoch"], 12)
        evaluation = self.newest_job("evaluate")
        self.assertEqual((evaluation["candidate"], evaluation["base"]), (first["model"], None))

        self.show_and_wait(4000)
        self.wait_release(2)
        self.assertEqual(self.newest_job()["lineage"]["metrics"]["warm_start"], True)
        old, new = sorted(self.cloud.releases(), key=lambda r: r["seq"])
        self.assertEqual(new["metric"], "score")
        self.assertGreater(new["value"], old["value"])
        self.assertEqual([d["base"] for d in new["deltas"]], [old["model"]])
        verdict = self.cloud.verdicts()[0]["numbers"]["verdict"]
        self.assertGreater(verdict["gain_bounds"]["lower"], 0)
        # Devices run what a program of the user's has made.
        self.show_and_wait(400)
        answered, right = self.fleet.correct(2)
        self.assertEqual(answered, 400)
        self.assertGreater(right, 300)

    def test_a_shell_script_trains_and_the_gate_measures_accuracy(self):
        os.environ["PATH"], old = f"{BUILD / 'bin'}:{os.environ['PATH']}", os.environ["PATH"]
        try:
            self.start(pipeline_with('recipe = "command"\ncommand = ["search.sh", "0.003", "0.00001"]\n',
                                     'metric = "accuracy"\n', goal=0.999, first_goal=0.5), EXAMPLES / "command-shell")
        finally:
            os.environ["PATH"] = old
        self.show_and_wait(400)
        self.wait_release(1)
        job = self.newest_job()
        self.assertEqual(job["lineage"]["metrics"], {"learning_rate": 0.003, "tried": 2})
        self.assertEqual([point["epoch"] for point in job["lineage"]["curve"]], [1, 2])
        self.assertEqual(self.cloud.releases()[0]["metric"], "accuracy")
        self.show_and_wait(200)
        answered, _ = self.fleet.correct(1)
        self.assertEqual(answered, 200)

    def test_what_goes_wrong_stands_in_the_record_and_the_model_stays(self):
        commands = self.folder / "commands"
        commands.mkdir()
        model = self.folder / "model.onnx"
        self.start(pipeline_with(BUILT_IN, 'metric = "accuracy"\n', goal=0.999, first_goal=0.5), commands)
        self.show_and_wait(400)
        self.wait_release(1)
        model.write_bytes(self.model_of(1))

        # From now on a program trains. Asked for by hand, so that each failure has a job of its own.
        hand_in = f'cp "{model}" "$5/model.onnx"; echo \'{{"validation_metric": 0.9}}\' > "$5/metrics.json"; '
        self.restart_with(pipeline_with('recipe = "command"\ncommand = ["train.sh"]\ntimeout = "2s"\n', 'metric = "accuracy"\n',
                                        goal=0.999, first_goal=0.5))
        for script, reason in [
                ("echo 'no idea how' >&2; exit 7", "train.sh left with exit status 7; the last it said: no idea how"),
                ("kill -KILL $$", "train.sh was ended by signal 9 (Killed)"),
                ("sleep 61234 & wait", "train.sh did not end within 2 s (train.timeout) and was stopped"),
                (hand_in + 'echo \'{"validation_metric": NaN}\' > "$5/metrics.json"', "metrics.json holds NaN or Infinity"),
                (hand_in + 'rm "$5/metrics.json"', "out/metrics.json was not written"),
                (hand_in + 'echo rubbish > "$5/model.onnx"', "out/model.onnx cannot be used: "),
                (None, "the command 'train.sh' is not in " + str(commands))]:
            job = self.train_with(commands, script)
            self.assertEqual(job["state"], "failed", script)
            self.assertIn(reason, job["failure"])
            self.assertEqual(job["attempts"], 3)
        job = self.train_with(commands, hand_in)
        self.assertEqual(job["state"], "completed", job["failure"])
        self.assertEqual([r["seq"] for r in self.cloud.releases()], [1])
        self.show_and_wait(200)
        answered, _ = self.fleet.correct(1)
        self.assertEqual(answered, 200)
        # Nothing of the program that did not end is left.
        running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout
        self.assertNotIn(str(commands), running.replace(f"--commands {commands}", ""))
        self.assertNotIn("sleep 61234", running)

    def model_of(self, release: int) -> bytes:
        """The file that devices run."""
        found = [r["model"] for r in self.cloud.releases() if r["seq"] == release]
        return next((self.folder / "cloud").rglob(found[0])).read_bytes()

    def restart_with(self, pipeline: str):
        self.cloud.stop()
        (self.folder / "digits.toml").write_text(
            pipeline.replace("when = { new_samples = 4000 }", "when = { recipe_changed = false }"))
        self.restart_cloud()
        self.cloud.start_trainer(commands=self.folder / "commands")

    def train_with(self, commands: pathlib.Path, script: str) -> dict:
        """The newest training, once it has ended, after `script` was put in as the program."""
        file = commands / "train.sh"
        file.unlink(missing_ok=True)
        if script is not None:
            file.write_text("#!/bin/sh\n" + script + "\n")
            file.chmod(0o755)
        asked = self.cloud.ask("train", "digits")["job"]
        ended = ("failed", "completed", "cancelled")
        self.wait(lambda: self.newest_job()["id"] == asked and self.newest_job()["state"] in ended, f"{asked} to end")
        return self.newest_job()


if __name__ == "__main__":
    unittest.main()
