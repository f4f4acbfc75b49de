#!/usr/bin/env python3
"""Compares hone's deltas with the peers that the distribution packages.

    run.py BUILD_FOLDER OUT_JSON [--pairs FOLDER] [--mnist FOLDER --pipeline TOML]

Cases: the synthetic ones (synthetic.hpp), the pairs of a folder (each with base/ and target/), and
MNIST retrained from 10% to 70% (mnist_pairs.cpp). Peers: bsdiff, xdelta3 -9, zstd -19 --patch-from,
zstd -19 and xz -9e without a base, and FM-Delta's method (a coder of our own in bench.cpp). A peer
that is not installed is left out, and said so. All times are of one core, the best of some runs.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNS = 3
ENCODERS = {
    "bsdiff": ["bsdiff", "{base}", "{target}", "{patch}"],
    "xdelta3": ["xdelta3", "-f", "-9", "-e", "-s", "{base}", "{target}", "{patch}"],
    "zstd_patch_from": ["zstd", "-q", "-f", "-19", "--long=27", "--patch-from={base}", "{target}", "-o", "{patch}"],
    "zstd": ["zstd", "-q", "-f", "-19", "{target}", "-o", "{patch}"],
    "xz": ["sh", "-c", "xz -9e -c {target} > {patch}"],
}
# As whole processes that read and write files, hone too, so that they compare.
DECODERS = {
    "hone": ["{bin}/delta_bench", "apply", "{base}", "{patch}", "{out}"],
    "bsdiff": ["bspatch", "{base}", "{out}", "{patch}"],
    "zstd": ["zstd", "-q", "-f", "-d", "{patch}", "-o", "{out}"],
}
GOAL_PERCENT = {"ia": 52.7, "ib": 48.9, "ii": 4.43, "iii": 2.84, "iiib": 11.2, "iv": 83.8, "v": 4.8}


def on_one_core():
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def seconds_of(command):
    best = float("inf")
    for _ in range(RUNS):
        start = time.perf_counter()
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL, preexec_fn=on_one_core)
        best = min(best, time.perf_counter() - start)
    return best


def decoder_text_bytes(build):
    """Of the decoder for a Cortex-M4 at -Os, as its test says; None without the cross compiler."""
    said = subprocess.run(["ctest", "--test-dir", build, "-V", "-R", "^delta_decoder_size_cortex_m4$"], capture_output=True, text=True).stdout
    found = re.search(r"decoder_text_bytes_cortex_m4 (\d+)", said)
    return int(found[1]) if found else None


def only_file(folder):
    return next(p for p in sorted(folder.iterdir()) if p.is_file())


def find_cases(options, scratch):
    subprocess.run([options.bin / "delta_bench", "generate", scratch / "synthetic"], check=True)
    cases = [(p.name, p / "base", p / "target") for p in sorted((scratch / "synthetic").iterdir())]
    if options.pairs and options.pairs.is_dir():
        cases += [(p.name, only_file(p / "base"), only_file(p / "target")) for p in sorted(options.pairs.iterdir()) if (p / "base").is_dir()]
    else:
        print("no folder of real pairs: left out", file=sys.stderr)
    if options.mnist and (options.bin / "mnist_pairs").exists():
        subprocess.run([options.bin / "mnist_pairs", options.mnist, options.pipeline, scratch / "mnist"], check=True)
        cases += [(p.name, p / "base", p / "target") for p in sorted((scratch / "mnist").iterdir())]
    else:
        print("no MNIST or no trainer: the retrained pair is left out", file=sys.stderr)
    return cases


def measure(options, scratch, name, base, target, missing):
    paths = {"bin": options.bin, "base": base, "target": target, "out": scratch / "out"}
    fill = lambda command, patch: [str(part).format(**paths, patch=patch) for part in command]
    measured = subprocess.run([options.bin / "delta_bench", "measure", base, target, scratch / "hone"], check=True, capture_output=True, preexec_fn=on_one_core)
    case = {"case": name, **json.loads(measured.stdout)}
    peers = {"fm_delta": case.pop("fm_delta_bytes")}
    for peer, command in ENCODERS.items():
        if peer not in missing:
            (scratch / peer).unlink(missing_ok=True)
            subprocess.run(fill(command, scratch / peer), check=True, stderr=subprocess.DEVNULL)
            peers[peer] = (scratch / peer).stat().st_size
    case["peers"] = peers
    case["best_peer"] = min(peers, key=peers.get)
    case["best_peer_bytes"] = peers[case["best_peer"]]
    process_s = {who: seconds_of(fill(command, scratch / who)) for who, command in DECODERS.items() if who not in missing}
    case["decode_process_s"] = process_s
    for peer in ("zstd", "bsdiff"):
        if peer in process_s:
            case[f"decode_times_of_{peer}"] = round(process_s["hone"] / process_s[peer], 3)
    return case


def show(case):
    percent = 100 * case["hone_bytes"] / case["target_bytes"]
    saved = 100 - 100 * case["hone_bytes"] / case["best_peer_bytes"]
    small = 100 * case["hone_small_bytes"] / case["hone_bytes"] - 100
    times = [case.get(f"decode_times_of_{peer}", float("nan")) for peer in ("zstd", "bsdiff")]
    print(f"{case['case']:22}{case['target_bytes']:10}{case['hone_bytes']:10}{percent:7.2f}{GOAL_PERCENT.get(case['case'], ''):>7}{small:+7.1f}%"
          f"  {case['best_peer']:15}{case['best_peer_bytes']:10}{saved:7.1f}%{case['encode_mb_s']:9.1f}{case['decode_mb_s']:9.1f}{times[0]:8.2f}{times[1]:8.2f}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=Path)
    parser.add_argument("out_json", type=Path)
    parser.add_argument("--pairs", type=Path)
    parser.add_argument("--mnist", type=Path)
    parser.add_argument("--pipeline", type=Path)
    options = parser.parse_args()
    options.bin = options.build / "bin"
    missing = [name for name, command in ENCODERS.items() if command[0] != "sh" and not shutil.which(command[0])]
    if missing:
        print(f"not installed, left out: {', '.join(missing)}", file=sys.stderr)
    text_bytes = decoder_text_bytes(options.build)
    results = []
    with tempfile.TemporaryDirectory() as scratch:
        cases = find_cases(options, Path(scratch))
        print("                                                            small/                                  saved    encode   decode  decode time / that of")
        print("case                      target      hone      %   goal   stand.  best peer           bytes  by hone      MB/s     MB/s  zstd -d bspatch")
        for name, base, target in cases:
            case = measure(options, Path(scratch), name, base, target, missing)
            case["decoder_text_bytes_cortex_m4"] = text_bytes
            results.append(case)
            show(case)
    options.out_json.parent.mkdir(parents=True, exist_ok=True)
    options.out_json.write_text(json.dumps(results, indent=1) + "\n")
    first = results[0]
    print(f"workspace: {first['workspace_bytes']} bytes, small profile {first['workspace_small_bytes']}; decoder's text on a Cortex-M4: {text_bytes or 'not measured'}")
    print(f"written: {options.out_json}")


if __name__ == "__main__":
    main()
