"""make demo-anomaly: anomaly detection without labels, from the first reading to machines that work alone."""

import argparse
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/demo"))

import heart  # noqa: E402
import shuttle  # noqa: E402
from perform import perform  # noqa: E402


def main():
    options = parse_options()
    return perform(options.out, "make demo-anomaly", lambda processes, screen: tell(options, processes, screen), limits_missed)


# One signal after another; each adds its figures to the report. Telemetry comes in file order, which carries no time;
# the electrocardiogram is in time order, and not every distribution has it.
def tell(options, processes, screen) -> dict:
    report = shuttle.Story(options, processes, screen).tell()
    if (options.ecg / "x.npy").exists():
        report["ecg"] = heart.Story(options, processes, screen).tell()
    else:
        report["ecg"] = None
        screen.say("\n   The second signal, an electrocardiogram, is not packaged by this distribution: left out.")
    return report


def limits_missed(report: dict) -> tuple:
    slow = []
    if report["infer_us"] > 1000:
        slow.append(f"one inference took {report['infer_us']} us, wanted 1000 at most")
    missed = shuttle.limits_missed(report)
    if report["ecg"]:
        missed += heart.limits_missed(report["ecg"])
    return missed, slow


def parse_options():
    parser = argparse.ArgumentParser(description="anomaly detection without labels")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release", help="where hone was built")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "out/demo-anomaly")
    parser.add_argument("--mlbench", type=pathlib.Path, default=ROOT / "out/data/mlbench",
                        help="what tools/data/mlbench.py wrote")
    parser.add_argument("--ecg", type=pathlib.Path, default=ROOT / "out/data/ecg", help="what tools/data/ecg.py wrote")
    parser.add_argument("--heart-pipeline", type=pathlib.Path, default=ROOT / "examples/machine-watch/heart.toml")
    parser.add_argument("--pipeline", type=pathlib.Path, default=ROOT / "examples/machine-watch/shuttle.toml")
    parser.add_argument("--devices", type=int, default=4)
    parser.add_argument("--rate", type=int, default=1000, help="readings a second that each machine takes")
    options = parser.parse_args()
    options.build = options.build.resolve()
    options.out = options.out.resolve()
    return options


if __name__ == "__main__":
    sys.exit(main())
