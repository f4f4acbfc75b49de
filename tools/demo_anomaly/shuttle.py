"""The story of the Shuttle telemetry: four machines, nobody who labels, and a model that finds what stands out.

The machines have no model and send every reading. At regular intervals the cloud trains one and measures its
Silhouette on readings that it never learns from, until the goal is met. From then on nothing leaves a machine, the
cloud is stopped, and each machine flags anomalies by itself. The labels of the last part serve the report only.
"""

import statistics
import time

import score
import telemetry
from cloud import Cloud
from machines import Machines
from show import bytes_text

PIPELINE = "shuttle"
INTERVAL = 2000         # readings from one model to the next: first_at_samples and new_samples of shuttle.toml
INTERVALS_MAX = 16      # a Silhouette that has not crossed the goal by then never will
AFTER_GOAL = 2000       # readings with the goal met and the cloud still there
DECLARED_HZ = 1         # signal.rate_hz of shuttle.toml: the file carries no time


class Story:
    def __init__(self, options, processes, screen):
        self.options = options
        self.processes = processes
        self.screen = screen
        self.learning, self.held_back = telemetry.load(options.mlbench / "shuttle")
        self.cloud = Cloud(processes, options.build / "bin", options.out, options.pipeline, PIPELINE)
        self.given = 0
        self.curve = []  # one a model: readings so far, its Silhouette

    def tell(self) -> dict:
        say, chapter = self.screen.say, self.screen.chapter
        say("hone: anomalies on Shuttle telemetry without a single label, with real processes on this machine.")

        chapter(1, f"A cloud, a trainer and {self.options.devices} machines start")
        self.cloud.start()
        self.cloud.start_trainer()
        tickets = self.cloud.enroll(self.options.devices)
        self.machines = Machines(self.processes, self.options.build / "bin/machine-watch", self.options.out, tickets,
                                 self.options.rate)
        say(f"   hone-cloud serves {self.cloud.ready['url']}; {len(tickets)} machines join, each with nine sensors.")

        chapter(2, f"No model yet: the machines send every reading; a model is trained every {INTERVAL:,} of them")
        self.learn()

        chapter(3, "The goal is met: the machines keep their readings to themselves")
        self.go_on_with_the_cloud()

        chapter(4, f"The cloud is stopped: {len(self.held_back):,} readings that nobody has seen yet")
        self.go_alone()
        return self.report()

    def learn(self):
        while not (status := self.cloud.status())["goal_met"]:
            if len(self.curve) == INTERVALS_MAX:
                raise SystemExit(f"demo: the Silhouette has not reached the goal after {self.given:,} readings")
            self.read(self.learning, INTERVAL, "readings sent")
            verdicts = self.wait_for_verdict(len(self.curve) + 1)
            value = verdicts[0]["numbers"].get("candidate", {}).get("metric", 0.0)
            self.curve.append({"samples": self.given, "value": value})
            self.screen.say(f"   {self.given:>5,} readings: {verdicts[0]['decision']}: {verdicts[0]['reason']}.")
        release = max(r["seq"] for r in self.cloud.releases())
        self.machines.wait(lambda: self.machines.running(release) == len(self.machines.devices), 120,
                           f"release {release} on every machine")
        self.release, self.samples_at_goal = release, self.given
        self.before_goal = self.machines.total("uploaded_bytes")
        self.screen.say(f"   release {release} runs on every machine; {bytes_text(self.before_goal)} of readings were sent for it.")

    def wait_for_verdict(self, count: int) -> list:
        asked = [0.0]
        found = []

        def judged():
            if time.monotonic() - asked[0] < 0.2:
                return False
            asked[0] = time.monotonic()
            found[:] = self.cloud.get(f"/v1/pipelines/{PIPELINE}/verdicts")["verdicts"]
            return len(found) >= count
        self.machines.wait(judged, 180, f"model {count} to be trained and judged")
        # What was promoted is on its way before the next reading comes.
        self.machines.wait(lambda: not self.waiting_release(), 60, "the release to be published")
        return found

    def waiting_release(self) -> bool:
        return any(r["state"] != "published" for r in self.cloud.get(f"/v1/pipelines/{PIPELINE}/releases")["releases"])

    def read(self, readings, count: int, what: str):
        start = self.given if readings is self.learning else 0
        self.machines.read_to(readings, range(start, start + count))
        before = self.machines.total("readings")
        self.machines.wait(self.machines.all_read, self.machines.patience_s(count), what,
                           lambda: self.screen.bar(what, (self.machines.total("readings") - before) / count))
        if readings is self.learning:
            self.given += count

    def go_on_with_the_cloud(self):
        self.read(self.learning, AFTER_GOAL, "readings")
        sent = self.machines.total("uploaded_bytes") - self.before_goal
        self.screen.say(f"   with the cloud still there: {AFTER_GOAL:,} more readings, {bytes_text(sent)} of them uploaded.")

    def go_alone(self):
        self.cloud.stop()
        self.alone_from = [machine.status["readings"] for machine in self.machines.devices]
        told_before = sum(len(m.anomalies) for m in self.machines.devices)
        self.read(self.held_back, len(self.held_back), "readings, alone")
        told = sum(len(m.anomalies) for m in self.machines.devices) - told_before
        example = next(m for m in self.machines.devices if m.anomalies)
        reading, distance, _ = example.anomalies[-1]
        self.screen.say(f"   {told:,} of them were flagged, by the machines themselves; the last one on {example.name}: "
                        f"reading {reading:,}, {distance:.1f} away from what is ordinary.")
        self.after_goal = self.machines.total("uploaded_bytes") - self.before_goal

    def report(self) -> dict:
        self.processes.stop(self.machines.names())  # flushes the traces
        scores, flagged, strange, durations, errors = [], [], [], [], 0
        count = len(self.machines.devices)
        for i, (machine, start) in enumerate(zip(self.machines.devices, self.alone_from)):
            truth = self.held_back.strange[i::count]
            alone = [r for r in machine.records() if r[0] >= start]
            errors += len(truth) - sum(r[1] == self.release for r in alone)
            for record, was_strange in zip(alone, truth):
                scores.append(record[3])
                flagged.append(record[4] == 1)
                strange.append(was_strange)
                durations.append(record[2])
        days = len(flagged) / DECLARED_HZ / 86400  # of one machine
        report = {
            "samples_total": self.given + len(self.held_back),
            "devices": count,
            "silhouette": self.curve,
            "samples_at_goal": self.samples_at_goal,
            "release": self.release,
            "auc": score.auc(scores, strange),
            "f1": score.f1(flagged, strange),
            "test_readings": len(scores),
            "test_anomalies": sum(strange),
            "flagged": sum(flagged),
            "flagged_rightly": sum(f and s for f, s in zip(flagged, strange)),
            "alarms_per_day": round(sum(flagged) / days, 1),
            "false_alarms_per_day": round(sum(f and not s for f, s in zip(flagged, strange)) / days, 1),
            "unanswered_alone": errors,
            "uploaded_bytes_before_goal": self.before_goal,
            "uploaded_bytes_after_goal": self.after_goal,
            "infer_us": round(statistics.median(durations), 1),
        }
        self.print_report(report)
        return report

    def print_report(self, report):
        curve = ", ".join(f"{point['value']:.3f} at {point['samples']:,}" for point in report["silhouette"])
        missed = report["test_anomalies"] - report["flagged_rightly"]
        self.screen.say("\n   The labels are looked at now, for this table only:\n")
        self.screen.table([
            ("Silhouette", curve),
            ("goal met", f"after {report['samples_at_goal']:,} readings, by release {report['release']}"),
            ("AUC", f"{report['auc']:.4f} on {report['test_readings']:,} readings, {report['test_anomalies']:,} of them anomalies"),
            ("F1", f"{report['f1']:.3f} ({report['flagged_rightly']:,} flagged rightly, "
                   f"{report['flagged'] - report['flagged_rightly']:,} wrongly, {missed:,} missed)"),
            ("alarms", f"{report['alarms_per_day']:,.0f} a day and machine at {DECLARED_HZ} reading a second, "
                       f"{report['false_alarms_per_day']:,.0f} of them false"),
            ("one inference", f"{report['infer_us']:.0f} us (median)"),
            ("uploaded before the goal", bytes_text(report["uploaded_bytes_before_goal"])),
            ("uploaded after the goal", bytes_text(report["uploaded_bytes_after_goal"])),
            ("without the cloud", f"{report['unanswered_alone']} readings without an answer"),
        ])


def limits_missed(report: dict) -> list:
    """What has to happen and did not."""
    missed = []

    def limit(holds, text):
        if not holds:
            missed.append(text)

    limit(report["auc"] >= 0.99, f"AUC {report['auc']:.4f} on the held-back readings, wanted 0.99")
    limit(len(report["silhouette"]) >= 2, "the first model met the goal: nothing was learned on the way")
    limit(report["uploaded_bytes_before_goal"] > 0, "nothing was uploaded before the goal")
    limit(report["uploaded_bytes_after_goal"] == 0, f"{report['uploaded_bytes_after_goal']} bytes uploaded after the goal")
    limit(report["unanswered_alone"] == 0, f"{report['unanswered_alone']} readings without an answer of the released model")
    return missed
