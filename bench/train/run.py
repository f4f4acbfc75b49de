"""Training throughput of the recipe `cnn` on MNIST beside the same network in Python's torch, in turn, in one run.

    run.py BUILD MNIST_FOLDER PIPELINE_TOML OUT.json [RUNS]

Both go from raw samples in memory to a trained model, on all cores, and measure a tenth of the rows after each epoch.
"""

import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

# What hone-trainer sets for itself before libtorch is loaded. The peer runs as it comes and so; the faster one counts.
TUNED = {"OPENBLAS_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"}
HERE = pathlib.Path(__file__).resolve().parent
EPOCHS, BATCH, RATE = 2, 128, 0.003


def hone(build: pathlib.Path, mnist: str, pipeline: pathlib.Path, folder: pathlib.Path) -> dict:
    text = re.sub(r"(?m)^epochs = .*$", f"epochs = {EPOCHS}", pipeline.read_text())
    file = folder / "digits.toml"
    file.write_text(re.sub(r"(?m)^learning_rate = .*$", f"learning_rate = {RATE}", text))
    subprocess.run([build / "bin/hone", "--json", "train", file, "--data", mnist, "--out", folder / "out"],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    told = json.loads((folder / "out/training.json").read_text())
    lineage = told.get("lineage", told)
    steps = lineage["steps"]
    return {"seconds": told["seconds_train"], "rows": steps * BATCH, "accuracy": told["validation_metric"]}


def peer(mnist: str, environment: dict) -> dict:
    done = subprocess.run(["/usr/bin/python3", HERE / "torch_peer.py", mnist, str(EPOCHS), str(BATCH), str(RATE), str(os.cpu_count())],
                          check=True, capture_output=True, text=True, env=os.environ | environment)
    return json.loads(done.stdout)


def main():
    build, mnist, pipeline, out = pathlib.Path(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3]), pathlib.Path(sys.argv[4])
    runs = int(sys.argv[5]) if len(sys.argv) > 5 else 3
    rates = {"hone": [], "python_torch": [], "python_torch_tuned": []}
    accuracy, version = {}, ""
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(runs):
            for name, measured in (("hone", hone(build, mnist, pipeline, pathlib.Path(folder))), ("python_torch", peer(mnist, {})),
                                   ("python_torch_tuned", peer(mnist, TUNED))):
                rates[name].append(measured["rows"] / measured["seconds"])
                accuracy[name] = measured["accuracy"]
                version = measured.get("torch", version)
                print(f"{name:>18}: {rates[name][-1]:8.0f} samples/s, {measured['accuracy']:.4f} on validation rows", file=sys.stderr)
    report = {"task": "mnist", "batch": BATCH, "epochs": EPOCHS, "threads": os.cpu_count(), "torch": version,
              "samples_per_s": {name: statistics.median(values) for name, values in rates.items()},
              "runs": rates, "accuracy": accuracy,
              "ratio": min(statistics.median(h / p for h, p in zip(rates["hone"], rates[peer])) for peer in rates if peer != "hone")}
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(report, indent=2) + "\n")
    print(f"hone trains {report['ratio']:.2f} times as many samples a second; {out}")


if __name__ == "__main__":
    main()
