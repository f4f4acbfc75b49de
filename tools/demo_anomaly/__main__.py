"""make demo-anomaly: anomaly detection without labels, from the first reading to machines that work alone."""

import argparse
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/demo"))

import shuttle  # noqa: E402
from perform import perform  # noqa: E402


def main():
    options = parse_options()
    return perform(options.out, "make demo-anomaly", lambda processes, screen: tell(options, processes, screen), limits_missed)


# One signal after another; each adds its figures to the report. Telemetry comes in file order, which carries no time:
# a signal in time order has its place behind it, under a key of its own.
def tell(options, processes, screen) -> dict:
    return shuttle.Story(options, processes, screen).tell()


def limits_missed(report: dict) -> tuple:
    slow = []
    if report["infer_us"] > 1000:
        slow.append(f"one inference took {report['infer_us']} us, wanted 1000 at most")
    return shuttle.limits_missed(report), slow


def parse_options():
    parser = argparse.ArgumentParser(description="anomaly detection without labels")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release", help="where hone was built")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "out/demo-anomaly")
    parser.add_argument("--mlbench", type=pathlib.Path, default=ROOT / "out/data/mlbench",
                        help="what tools/data/mlbench.py wrote")
    parser.add_argument("--pipeline", type=pathlib.Path, default=ROOT / "examples/machine-watch/shuttle.toml")
    parser.add_argument("--devices", type=int, default=4)
    parser.add_argument("--rate", type=int, default=1000, help="readings a second that each machine takes")
    options = parser.parse_args()
    options.build = options.build.resolve()
    options.out = options.out.resolve()
    return options


if __name__ == "__main__":
    sys.exit(main())
