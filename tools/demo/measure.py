"""Gaps between inferences, from the traces that the devices wrote.

A trace record is 24 bytes: monotonic ns at completion, Unix ns, release (0: no model, -1: the
inference failed), duration in us.
"""

import pathlib
import struct

RECORD = struct.Struct("<qqii")
WINDOW_S = 4.0  # half before the swap, half after it


class Trace:
    def __init__(self, path: pathlib.Path):
        data = path.read_bytes()
        self.records = list(RECORD.iter_unpack(data[: len(data) // RECORD.size * RECORD.size]))

    def live_ms(self, release: int):
        """Unix ms of the first answer that `release` gave, None when it gave none."""
        return next((unix / 1e6 for _, unix, r, _ in self.records if r == release), None)

    def errors(self, from_ms: float = 0) -> int:
        return sum(r < 0 and unix / 1e6 >= from_ms for _, unix, r, _ in self.records)

    def answers(self, from_ms: float = 0, to_ms: float = float("inf")) -> int:
        return sum(r > 0 and from_ms <= unix / 1e6 < to_ms for _, unix, r, _ in self.records)

    def durations_us(self) -> list:
        return [d for _, _, r, d in self.records if r > 0]

    def gaps_us(self, from_ms: float, to_ms: float) -> list:
        """Between completions; an inference that failed does not end a gap."""
        times = [mono for mono, unix, r, _ in self.records if r > 0 and from_ms <= unix / 1e6 < to_ms]
        return [(b - a) / 1e3 for a, b in zip(times, times[1:])]


def percentile(values: list, share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def swaps(traces: list, release: int, quiet_from_ms: float) -> dict:
    """Windows around each device's swap to `release`, beside windows of equal length from `quiet_from_ms`
    on, in which the devices do the same work and nothing is swapped."""
    half_ms = WINDOW_S * 500
    during, normal, inferences, dropped, count = [], [], 0, 0, 0
    for trace in traces:
        at = trace.live_ms(release)
        if at is None:
            continue
        count += 1
        begin, end = at - half_ms, at + half_ms
        during += trace.gaps_us(begin, end)
        inferences += trace.answers(begin, end)
        dropped += sum(r < 0 and begin <= unix / 1e6 < end for _, unix, r, _ in trace.records)
        normal += trace.gaps_us(quiet_from_ms, quiet_from_ms + 2 * half_ms)
    return {
        "count": count,
        "inferences_during": inferences,
        "dropped": dropped,
        "gap_p999_us": round(percentile(during, 0.999)),
        "normal_gap_p999_us": round(percentile(normal, 0.999)),
    }
