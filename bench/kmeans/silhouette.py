#!/usr/bin/env python3
"""The exact Silhouette of 20,000 x 32 beside scikit-learn's, in one run, as a ratio.

  bench/kmeans/silhouette.py SILHOUETTE_BENCH OUT.json

Writes the key "silhouette" of OUT.json and leaves its other keys as they are.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import time

from peers import numpy, sklearn, write
from sklearn.metrics import silhouette_samples

ROWS, WIDTH, CLUSTERS, ROUNDS = 20_000, 32, 8, 3


def blobs():
    random = numpy.random.default_rng(1)
    labels = random.integers(0, CLUSTERS, ROWS).astype(numpy.int32)
    centres = random.normal(size=(CLUSTERS, WIDTH)) * 2
    return centres[labels] + random.normal(size=(ROWS, WIDTH)), labels


def main():
    binary, out = sys.argv[1], pathlib.Path(sys.argv[2])
    x, labels = blobs()
    theirs, ours = [], {"seconds": [], "seconds_float32": []}
    with tempfile.TemporaryDirectory() as folder:
        x.tofile(f"{folder}/x.bin")
        labels.tofile(f"{folder}/labels.bin")
        for _ in range(ROUNDS):  # in turns, so that a busy machine is busy for both
            start = time.perf_counter()
            peer = float(silhouette_samples(x, labels).mean())
            theirs.append(time.perf_counter() - start)
            run = subprocess.run([binary, f"{folder}/x.bin", f"{folder}/labels.bin", str(WIDTH), "0", "2"],
                                 check=True, capture_output=True, text=True)
            mine = json.loads(run.stdout)
            for key in ours:
                ours[key] += mine[key]
    if abs(mine["mean"] - peer) > 1e-9:
        sys.exit(f"bench-kmeans: Silhouette {mine['mean']} is not scikit-learn's {peer}")
    s = {
        "rows": ROWS, "width": WIDTH, "clusters": CLUSTERS, "value": mine["mean"], "value_float32": mine["mean_float32"],
        "seconds": min(ours["seconds"]), "seconds_float32": min(ours["seconds_float32"]),
        "sklearn": {"version": sklearn.__version__, "seconds": min(theirs)},
        "times_faster": min(theirs) / min(ours["seconds"]),
    }
    write(out, "silhouette", s)
    print(f"Silhouette of {ROWS} x {WIDTH}: {s['seconds']:.3f} s ({s['seconds_float32']:.3f} s in float32), "
          f"scikit-learn {sklearn.__version__} {s['sklearn']['seconds']:.3f} s: {s['times_faster']:.1f} times faster; "
          f"the values agree to {abs(mine['mean'] - peer):.1e}")


main()
