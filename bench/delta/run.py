#!/usr/bin/env python3
"""Compares hone's deltas with the peers that the distribution packages: run.py DELTA_BENCH OUT_JSON [PAIRS_FOLDER]

Peers: bsdiff, xdelta3 -9, zstd -19 --patch-from, zstd -19 and xz -9e without a base, and FM-Delta's
method (a coder of our own in bench.cpp). A peer that is not installed is left out, and said so.
"""
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PEERS = {
    "bsdiff": ["bsdiff", "{base}", "{target}", "{out}"],
    "xdelta3": ["xdelta3", "-f", "-9", "-e", "-s", "{base}", "{target}", "{out}"],
    "zstd_patch_from": ["zstd", "-q", "-f", "-19", "--long=27", "--patch-from={base}", "{target}", "-o", "{out}"],
    "zstd": ["zstd", "-q", "-f", "-19", "{target}", "-o", "{out}"],
    "xz": ["sh", "-c", "xz -9e -c {target} > {out}"],
}
TARGETS = {"ia": 52.7, "ib": 48.9, "ii": 4.43, "iii": 2.84, "iiib": 11.2, "iv": 83.8, "v": 4.8}


def only_file(folder):
    return next(p for p in sorted(folder.iterdir()) if p.is_file())


def main():
    bench, out_json = sys.argv[1], Path(sys.argv[2])
    missing = [name for name, command in PEERS.items() if command[0] != "sh" and not shutil.which(command[0])]
    if missing:
        print(f"not installed, left out: {', '.join(missing)}", file=sys.stderr)
    results = []
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        subprocess.run([bench, "generate", scratch / "synthetic"], check=True)
        cases = [(p.name, p / "base", p / "target") for p in sorted((scratch / "synthetic").iterdir())]
        pairs = Path(sys.argv[3]) if len(sys.argv) > 3 else None
        if pairs and pairs.is_dir():
            cases += [(p.name, only_file(p / "base"), only_file(p / "target")) for p in sorted(pairs.iterdir()) if (p / "base").is_dir()]
        else:
            print("no folder of real pairs: only the synthetic cases", file=sys.stderr)
        print(f"{'case':26}{'target':>10}{'hone':>10}{'%':>8}{'goal':>7}{'small':>10}  {'best peer':24}{'saved':>7}{'enc s':>8}{'dec MB/s':>9}")
        for name, base, target in cases:
            case = {"case": name, **json.loads(subprocess.run([bench, "measure", base, target], check=True, capture_output=True).stdout)}
            peers = {"fm_delta": case.pop("fm_delta_bytes")}
            for peer, command in PEERS.items():
                if peer in missing:
                    continue
                out = scratch / "peer"
                out.unlink(missing_ok=True)
                subprocess.run([part.format(base=base, target=target, out=out) for part in command], check=True, stderr=subprocess.DEVNULL)
                peers[peer] = out.stat().st_size
            case["peers"] = peers
            case["best_peer"] = min(peers, key=peers.get)
            case["best_peer_bytes"] = peers[case["best_peer"]]
            results.append(case)
            percent = 100 * case["hone_bytes"] / case["target_bytes"]
            saved = 100 - 100 * case["hone_bytes"] / case["best_peer_bytes"]
            print(f"{name:26}{case['target_bytes']:10}{case['hone_bytes']:10}{percent:8.2f}{TARGETS.get(name, ''):>7}{case['hone_small_bytes']:10}"
                  f"  {case['best_peer']:14}{case['best_peer_bytes']:10}{saved:6.1f}%{case['encode_s']:8.2f}{case['decode_mb_s']:9.1f}", flush=True)
    out_json.parent.mkdir(parents=True, exist_ok=True)
    out_json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
