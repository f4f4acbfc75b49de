#!/usr/bin/env python3
"""k-means beside scikit-learn's and faiss's: wall time and inertia on the same rows, with the same number of clusters,
restarts and threads, in one run, as ratios. Nothing is trimmed and clusters may be as small as they like, as with the
peers.

  bench/kmeans/kmeans.py KMEANS_BENCH OUT.json [SHUTTLE/x.npy]

Writes the key "kmeans" of OUT.json and leaves its other keys as they are. Inertia is computed here, for all alike,
from the centroids, in float64.
"""

import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from peers import THREADS, faiss, numpy, sklearn, write
from sklearn.cluster import KMeans

RESTARTS, SEEDS = 8, (1, 2, 3)
INERTIA_RATIO_MAX = 1.001  # of ours to a peer's, or their times cannot be compared
FAISS_ITERATIONS = 50  # it has no criterion of its own; 25, its default, ends with a higher inertia


def blobs(rows, width, centres):
    """Normal blobs, and one row in ten anywhere."""
    random = numpy.random.default_rng(1)
    x = random.normal(size=(centres, width))[random.integers(0, centres, rows)] * 2 + random.normal(size=(rows, width))
    noise = random.random(rows) < 0.1
    x[noise] = random.uniform(-8, 8, size=(noise.sum(), width))
    return x.astype(numpy.float32)


def scaled(x):
    """As the recipe does it: the 10-90% range becomes 2 wide, clipped at 5."""
    low, middle, high = numpy.quantile(x, [0.1, 0.5, 0.9], axis=0)
    half = numpy.where(high > low, (high - low) / 2, x.std(axis=0))
    return numpy.ascontiguousarray(numpy.clip((x - middle) / half, -5, 5), dtype=numpy.float32)


def inertia(x, centroids):
    x, centroids = x.astype(numpy.float64), centroids.astype(numpy.float64)
    return float(numpy.minimum.reduce([((x - c) ** 2).sum(axis=1) for c in centroids]).sum())


def with_sklearn(x, k, seed):
    start = time.perf_counter()
    model = KMeans(k, n_init=RESTARTS, random_state=seed, algorithm="lloyd").fit(x)
    return time.perf_counter() - start, inertia(x, model.cluster_centers_)


def with_faiss(x, k, seed):
    start = time.perf_counter()
    model = faiss.Kmeans(x.shape[1], k, niter=FAISS_ITERATIONS, nredo=RESTARTS, seed=seed,
                         max_points_per_centroid=len(x))  # all rows, not a sample
    model.train(x)
    return time.perf_counter() - start, inertia(x, model.centroids)


def with_hone(binary, folder, x, k, seed):
    x.tofile(f"{folder}/x.bin")
    run = subprocess.run([binary, f"{folder}/x.bin", str(x.shape[1]), str(k), str(RESTARTS), str(THREADS), str(seed),
                          f"{folder}/centroids.bin"], check=True, capture_output=True, text=True)
    centroids = numpy.fromfile(f"{folder}/centroids.bin", numpy.float32).reshape(k, -1)
    return json.loads(run.stdout)["seconds"], inertia(x, centroids)


def measure(binary, folder, name, x, k):
    runs = {"hone": [], "sklearn": [], "faiss": []}
    for seed in SEEDS:  # in turns, so that a busy machine is busy for all
        runs["hone"].append(with_hone(binary, folder, x, k, seed))
        runs["sklearn"].append(with_sklearn(x, k, seed))
        runs["faiss"].append(with_faiss(x, k, seed))
    row = {"data": name, "rows": len(x), "width": x.shape[1], "clusters": k}
    for who, found in runs.items():
        row[who] = {"seconds": statistics.median(s for s, _ in found), "inertia": [i for _, i in found]}
    text = f"{name}, {len(x)} x {x.shape[1]}, k = {k}: {row['hone']['seconds']:.3f} s"
    for peer in ("sklearn", "faiss"):
        row[peer]["times_faster"] = row[peer]["seconds"] / row["hone"]["seconds"]
        # Of the same seed, the worst for us.
        row[peer]["inertia_ratio_max"] = max(a / b for a, b in zip(row["hone"]["inertia"], row[peer]["inertia"]))
        text += (f"; {peer} {row[peer]['seconds']:.3f} s: {row[peer]['times_faster']:.1f} times faster at "
                 f"{row[peer]['inertia_ratio_max']:.4f} of its inertia or less")
    print(text, flush=True)
    return row


def main():
    binary, out = sys.argv[1], pathlib.Path(sys.argv[2])
    x = blobs(50_000, 32, 20)
    sets = [("blobs", x, 8), ("blobs", x, 20)]
    shuttle = pathlib.Path(sys.argv[3]) if len(sys.argv) > 3 else None
    if shuttle and shuttle.exists():
        rows = scaled(numpy.load(shuttle))
        sets += [("shuttle", rows, 4), ("shuttle", rows, 8)]
    else:
        print("bench-kmeans: Shuttle is not there (tools/setup --test fetches it): skipped", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        rows = [measure(binary, folder, *one) for one in sets]
    write(out, "kmeans", {"restarts": RESTARTS, "threads": THREADS, "sklearn": sklearn.__version__,
                          "faiss": faiss.__version__, "rows": rows})
    if any(row[peer]["inertia_ratio_max"] > INERTIA_RATIO_MAX for row in rows for peer in ("sklearn", "faiss")):
        sys.exit(f"bench-kmeans: an inertia above {INERTIA_RATIO_MAX} times a peer's: its time is no comparison")


main()
