"""The second showcase with real processes: machines that nobody labels, until they watch over themselves."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHUTTLE = ROOT / "out/data/mlbench/shuttle"


@unittest.skipUnless((SHUTTLE / "x.npy").exists(), "the Shuttle data is not there: tools/data/mlbench.py fetches it")
class Anomaly(unittest.TestCase):
    def test_machines_learn_without_labels_and_then_watch_alone(self):
        with tempfile.TemporaryDirectory() as out:
            run = subprocess.run(
                [sys.executable, "-B", ROOT / "tools/demo_anomaly", "--build", os.environ["HONE_BUILD"], "--out", out],
                capture_output=True, text=True, timeout=500)
            self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
            report = json.loads((pathlib.Path(out) / "report.json").read_text())
        values = [point["value"] for point in report["silhouette"]]
        self.assertGreaterEqual(len(values), 2)
        self.assertLess(max(values[:-1]), values[-1], "the last model is the first that reached the goal")
        self.assertGreaterEqual(report["auc"], 0.99)
        self.assertGreater(report["flagged_rightly"], 20 * (report["flagged"] - report["flagged_rightly"]))
        self.assertGreater(report["uploaded_bytes_before_goal"], 0)
        self.assertEqual(report["uploaded_bytes_after_goal"], 0)
        self.assertEqual(report["unanswered_alone"], 0)
        if not (ROOT / "out/data/ecg/x.npy").exists():
            return  # not packaged here
        ecg = report["ecg"]
        self.assertGreater(ecg["auc"], 0.95)
        self.assertGreater(ecg["flagged"], 0)
        self.assertLess(ecg["false_alarms"], ecg["flagged"] / 4)
        self.assertLessEqual(ecg["alarms_per_day"], ecg["alarms_per_day_budget"])
        self.assertEqual(ecg["uploaded_bytes_after_goal"], 0)


if __name__ == "__main__":
    unittest.main()
