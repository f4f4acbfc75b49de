"""The story of an electrocardiogram: a signal in time order, one device, and beats that nobody labelled.

The device cuts windows of about one beat from the readings and sends them, until a model of them is released: how soon
depends on which blocks of its time are held out. Then the cloud is stopped and the device goes on alone: abnormal beats
stand out, and alarms keep their budget. Which beats are abnormal was told from the width of their peaks
(tools/data/ecg.py) and serves the report only.
"""

import csv
import pathlib
import statistics
import time

import score
import telemetry
from cloud import Cloud
from machines import Machines
from show import bytes_text

PIPELINE = "heart"
HZ = 360                      # of the signal: signal.rate_hz of heart.toml
WINDOW, STRIDE = 128, 32      # signal.stream of heart.toml
FIRST, MORE = 120 * HZ, 20 * HZ  # readings that the device learns from, at first and again until a model is good enough
LEARNING_MAX = 200 * HZ
BUDGET = 100000               # train.alarms_per_day of heart.toml
BEATS = pathlib.Path(__file__).resolve().parents[1] / "data/ecg_beats.csv"
ORDINARY_MS, ABNORMAL_MS = 35, 60  # widths below and above are clear


class Story:
    def __init__(self, options, processes, screen):
        self.screen = screen
        _, values = telemetry.read_npy(options.ecg / "x.npy", "h")
        lines = [b"%.3f\n" % (value / 200) for value in values]
        self.readings = telemetry.Readings(lines, [])
        out = options.out / "heart"
        out.mkdir()
        self.cloud = Cloud(processes, options.build / "bin", out, options.heart_pipeline, PIPELINE)
        self.processes = processes
        self.options = options
        self.out = out
        self.waits_at = None  # so many samples, as it was last seen

    def tell(self) -> dict:
        self.screen.chapter(5, "A signal in time order: five minutes of an electrocardiogram, one device")
        self.cloud.start()
        self.cloud.start_trainer()
        self.heart = Machines(self.processes, self.options.build / "bin/machine-watch", self.out, self.cloud.enroll(1),
                              40 * HZ, "heart", ("--stream", str(HZ)))
        self.learn()
        uploaded = self.heart.total("uploaded_bytes")
        self.screen.say(f"   {self.learned // HZ} seconds of beats made a model; {bytes_text(uploaded)} of windows were sent for it. "
                        "The cloud is stopped.")
        self.cloud.stop()
        self.read(range(self.learned, len(self.readings)), "readings, alone")
        self.processes.stop(self.heart.names())
        return self.report(self.heart.total("uploaded_bytes") - uploaded)

    def learn(self):
        self.learned = 0
        while self.heart.running(1) == 0:
            more = MORE if self.learned else FIRST
            if self.learned + more > LEARNING_MAX:
                verdicts = self.cloud.verdicts()
                raise SystemExit("demo: no model of the heart was good enough: "
                                 + (verdicts[0]["reason"] if verdicts else "none was trained"))
            self.read(range(self.learned, self.learned + more), "readings sent")
            self.learned += more
            self.heart.wait(self.answered, 60, "the cloud to make a model of the heart, or to ask for more readings")

    def answered(self) -> bool:
        """A model runs on the device; or the cloud has all windows, nothing to do, and waits for more."""
        if self.heart.running(1) == 1:
            return True
        pipeline = next(p for p in self.cloud.get("/v1/status")["pipelines"] if p["name"] == PIPELINE)
        too_few = pipeline["next_trigger"]["samples_missing"] > 0 or pipeline["parts"]["holdout"] == 0
        waits = (self.heart.total("spooled") == 0 and pipeline["received"]["rows"] == self.heart.total("uploaded")
                 and pipeline["job"] is None and too_few)
        seen, self.waits_at = self.waits_at, (pipeline["samples"] if waits else None)
        time.sleep(0.2)
        return waits and seen == pipeline["samples"]  # twice: what has just come in is looked at with the next step

    def read(self, rows: range, what: str):
        before = self.heart.total("readings")
        self.heart.read_to(self.readings, rows)
        self.heart.wait(self.heart.all_read, 240, what,
                        lambda: self.screen.bar(what, (self.heart.total("readings") - before) / len(rows)))

    def report(self, uploaded_after: int) -> dict:
        alone = [record for record in self.heart.devices[0].records() if record[0] >= self.learned + WINDOW and record[1] == 1]
        scores, abnormal, flagged = [], [], []
        for peak, width_ms in clear_beats():
            windows = [r for r in alone if peak <= r[0] < peak + WINDOW]  # those that hold the peak
            if peak < self.learned + WINDOW or not windows:
                continue
            scores.append(max(r[3] for r in windows))
            flagged.append(any(r[4] for r in windows))
            abnormal.append(width_ms > ABNORMAL_MS)
        seconds = len(alone) * STRIDE / HZ
        report = {
            "seconds": round(seconds, 1),
            "windows": len(alone),
            "abnormal_beats": sum(abnormal),
            "flagged": sum(f and a for f, a in zip(flagged, abnormal)),
            "ordinary_beats": len(abnormal) - sum(abnormal),
            "false_alarms": sum(f and not a for f, a in zip(flagged, abnormal)),
            "auc": score.auc(scores, abnormal),
            "alarms_per_day": round(sum(r[4] for r in alone) / seconds * 86400, 1),
            "alarms_per_day_budget": BUDGET,
            "uploaded_bytes_after_goal": uploaded_after,
            "infer_us": round(statistics.median(r[2] for r in alone), 1),
        }
        self.screen.say("")
        self.screen.table([
            ("beats alone", f"{report['abnormal_beats']} abnormal ones, {report['flagged']} of them flagged; "
                            f"{report['ordinary_beats']} ordinary ones, {report['false_alarms']} of them flagged"),
            ("AUC of beats", f"{report['auc']:.4f}"),
            ("alarms", f"{report['alarms_per_day']:,.0f} a day (windows) of a budget of {BUDGET:,}, measured over {seconds:.0f} seconds"),
            ("one inference", f"{report['infer_us']:.0f} us (median)"),
        ])
        return report


def clear_beats() -> list:
    with BEATS.open() as file:
        beats = [(int(row["sample"]), float(row["width_ms"])) for row in csv.DictReader(file)]
    return [(peak, width) for peak, width in beats if not ORDINARY_MS <= width <= ABNORMAL_MS]


def limits_missed(report: dict) -> list:
    missed = []
    if report["auc"] < 0.95:
        missed.append(f"abnormal beats do not stand out: AUC {report['auc']:.4f}, wanted 0.95")
    if report["alarms_per_day"] > report["alarms_per_day_budget"]:
        missed.append(f"{report['alarms_per_day']} alarms a day, the budget is {report['alarms_per_day_budget']}")
    if report["uploaded_bytes_after_goal"] != 0:
        missed.append(f"{report['uploaded_bytes_after_goal']} bytes of the heart uploaded after the goal")
    return missed
