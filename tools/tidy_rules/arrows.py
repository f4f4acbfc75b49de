"""Who may include whom. ARCHITECTURE.md draws it; this is the same picture as a table."""

import re

from .tree import Violation, is_source, is_test_code

# In the order in which data flows: a stage may include those before it in its own stream.
EDGE_STREAMS = [["sense", "spool", "upload"], ["fetch", "verify", "patch", "swap", "watch"]]
CLOUD_STREAM = ["ingest", "dataset", "train", "gate", "release", "publish", "rollout"]
EDGE_STAGES = [stage for stream in EDGE_STREAMS for stage in stream]

HAND_OVER = "hand the value over through edge/agent or cloud/service, or move the type to shared/"


def part_of(path):
    """The folder that the arrows are about: "edge/spool", "shared/delta/decode", "base"."""
    folders = path.split("/")[:-1]
    if not folders:
        return ""
    if folders[0] == "include":
        return "public"
    if folders[0] != "src":
        return folders[0]
    depth = {"edge": 2, "cloud": 2}.get(folders[1] if len(folders) > 1 else "", 1)
    if folders[1:3] == ["shared", "delta"]:
        depth = 3
    return "/".join(folders[1:1 + depth])


def refusal(source, target):
    """Why the file `source` may not include the file `target`; None when it may."""
    here, there = part_of(source), part_of(target)
    if here == there or source.startswith(("tests/", "bench/")):
        return None
    return (_by_delta(source, here, there) or _by_side(here, there) or
            _by_layer(source, target, here, there) or _by_stream(source, target, here, there))


def _by_delta(source, here, there):
    if is_test_code(source):
        return None  # a round trip needs both ends
    if here == "shared/delta/format":
        return "delta/format includes nothing of hone: both ends of the codec stand on it"
    if here == "shared/delta/decode" and there != "shared/delta/format":
        return "delta/decode is freestanding: it may include delta/format and itself only"
    if there == "shared/delta/encode" and here.startswith(("edge/", "public")):
        return "delta/encode never ships to a device: include shared/delta/apply.hpp or decode"
    return None


def _by_side(here, there):
    sides = {"edge": "edge", "cloud": "cloud", "trainer": "trainer"}
    mine, other = sides.get(here.split("/")[0]), sides.get(there.split("/")[0])
    if mine and other and mine != other:
        return f"{mine} never includes {other}: they meet in shared/"
    return None


def _by_layer(source, target, here, there):
    top, goal = here.split("/")[0], there.split("/")[0]
    if top == "examples":
        return None if there == "public" else "an example is an ordinary application: it includes <hone/...> only"
    if top == "public":
        return "a public header stands alone: it includes public and system headers only"
    if top == "base":
        return "base includes only base"
    if top == "platform":
        return None if goal == "base" else "platform implements the ports of base and includes nothing else"
    if top == "shared" and goal not in ("base", "shared"):
        if goal == "platform" and is_test_code(source):
            return None
        return "shared includes only base and shared"
    if goal == "platform" and not _may_see_platform(source, here):
        return "clock, files, randomness and network arrive as parameters: take the port of base/ instead"
    if there == "public" and here not in ("edge/library", "apps"):
        return "include/hone is for applications; inside, include the header of src/ that it wraps"
    if top == "apps" and goal in ("edge", "cloud") and here != there:
        return _by_app(target, there)
    return None


def _may_see_platform(source, here):
    return is_test_code(source) or here in ("apps", "trainer", "edge/library", "cloud/front")


def _by_app(target, there):
    wires = ("edge/agent", "edge/library", "cloud/service", "cloud/front", "cloud/store")
    if there in wires or target.endswith("_store.hpp"):  # a port that it hands a store to
        return None
    return f"an app wires edge/agent or cloud/service; it does not reach into {there}"


def _by_stream(source, target, here, there):
    side, goal_side = here.split("/")[0], there.split("/")[0]
    if side != goal_side or side not in ("edge", "cloud"):
        return None
    mine, other = here.split("/")[-1], there.split("/")[-1]
    return _in_edge(mine, other) if side == "edge" else _in_cloud(source, target, mine, other)


def _in_edge(mine, other):
    wiring = ["agent", "library"]
    for stage in (mine, other):
        if stage not in EDGE_STAGES + wiring:
            return f"edge/{stage} stands in no stream: give it its place in tools/tidy_rules/arrows.py"
    if mine in wiring:
        return None if other in EDGE_STAGES or wiring.index(other) < wiring.index(mine) else \
            f"edge/{mine} may not include edge/{other}, which wires it"
    if other in wiring:
        return f"edge/{mine} may not include edge/{other}, which wires it: {HAND_OVER}"
    stream = next(s for s in EDGE_STREAMS if mine in s)
    if other in stream[:stream.index(mine)]:
        return None
    return f"edge/{mine} may not include edge/{other}, which is not upstream of it: {HAND_OVER}"


def _in_cloud(source, target, mine, other):
    around = ["store", "front", "service"]
    for stage in (mine, other):
        if stage not in CLOUD_STREAM + around:
            return f"cloud/{stage} stands in no stream: give it its place in tools/tidy_rules/arrows.py"
    if other == "store" and is_test_code(source):
        return None  # a stage is tested over the stores that implement its port
    if mine in CLOUD_STREAM:
        if other in CLOUD_STREAM[:CLOUD_STREAM.index(mine)]:
            return None
        return f"cloud/{mine} may not include cloud/{other}, which is not upstream of it: {HAND_OVER}"
    if other in CLOUD_STREAM:
        return None
    if (mine, other) in (("service", "store"), ("front", "service")):
        return None
    if (mine, other) == ("store", "service") and target.endswith("_store.hpp"):
        return None  # a port belongs to its consumer; the store implements it
    return f"cloud/{mine} may not include cloud/{other}: fronts stand before the service, stores behind it"


class Arrows:
    name = "arrows"
    reason = ("arrows between folders hold: one include against the stream 'just this once' is how layers "
              "of good projects dissolved")

    def check(self, tree):
        for path in tree.under("src", "include", "apps", "examples"):
            if not is_source(path):
                continue
            for include in tree.includes(path):
                if include.target:
                    why = refusal(path, include.target)
                    if why:
                        yield Violation(path, include.line, f'"{include.written}": {why}')


class IncludesAreSpelledFromSrc:
    name = "spelling"
    reason = "one spelling a header: a path with '..' would slip past the arrows and moves badly"

    def check(self, tree):
        for path in tree.under("src", "include", "apps", "examples", "tests", "bench"):
            if not is_source(path):
                continue
            for include in tree.includes(path):
                if include.is_quoted and ".." in include.written.split("/"):
                    yield Violation(path, include.line, f'"{include.written}": write the path from src/ on')


class TorchStaysInTrainer:
    name = "torch"
    reason = "libtorch is 200 MB and changes its interface every few months: only src/trainer knows it, and the benchmarks whose peers use it"
    TRAINS = ("src/trainer/", "bench/gpu/", "bench/wire/")
    HEADER = re.compile(r"^(torch|ATen|c10|caffe2)/")

    def check(self, tree):
        where = ", ".join(self.TRAINS)
        for path in tree.under("src", "include", "apps", "examples", "tests", "bench"):
            if not is_source(path) or path.startswith(self.TRAINS):
                continue
            for include in tree.includes(path):
                if self.HEADER.match(include.written):
                    yield Violation(path, include.line,
                                    f"<{include.written}> may be included inside {where} only")
