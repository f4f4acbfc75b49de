"""Finds the peers: the distribution's packages, installed or unpacked into out/peers by tools/setup --bench."""

import ctypes
import json
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
UNPACKED = ROOT / "out/peers"
THREADS = os.cpu_count() or 1
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # before anything reads them: all run on as many
    os.environ[name] = str(THREADS)
if UNPACKED.is_dir():
    sys.path.append(str(UNPACKED / "usr/lib/python3/dist-packages"))
    for library in UNPACKED.glob("usr/lib/*/*.so.*"):  # the loader does not look there by itself
        ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)

try:
    import faiss
    import numpy
    import sklearn
except ImportError as error:
    sys.exit(f"bench-kmeans: {error}; run tools/setup --bench, and use the distribution's /usr/bin/python3")
faiss.omp_set_num_threads(THREADS)


def write(out, key, value):
    """Sets one key of the report and leaves the others as they are."""
    report = json.loads(out.read_text()) if out.exists() else {}
    report[key] = value
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(report, indent=1) + "\n")
