"""The Shuttle telemetry as tools/data/mlbench.py writes it: readings of nine sensors, and what each was, for the report.

As in the outlier literature, class 4 ("High") is left out, class 1 is ordinary, and the others are the anomalies.
"""

import array
import ast
import pathlib
import struct
import sys

LEFT_OUT, ORDINARY = 3, 0  # indices into labels.json
LEARNING_ROWS = 43500      # the rest is what the original distribution calls its test file


class Readings:
    """`lines`: one a reading, as a sensor sends it. `strange`: one a reading; nobody but the report looks at it."""

    def __init__(self, lines: list, strange: list):
        self.lines = lines
        self.strange = strange

    def __len__(self):
        return len(self.lines)


def load(folder: pathlib.Path) -> tuple:
    """What the machines learn from, and what is held back; both in file order."""
    (rows, width), values = read_npy(folder / "x.npy", "f")
    _, labels = read_npy(folder / "y.npy", "q")
    parts = []
    for numbers in range(LEARNING_ROWS), range(LEARNING_ROWS, rows):
        kept = [row for row in numbers if labels[row] != LEFT_OUT]
        lines = [",".join(f"{v:.9g}" for v in values[row * width : (row + 1) * width]).encode() + b"\n" for row in kept]
        parts.append(Readings(lines, [labels[row] != ORDINARY for row in kept]))
    return tuple(parts)


def read_npy(path: pathlib.Path, code: str) -> tuple:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SystemExit(f"demo: {path} cannot be read ({error.strerror}): run 'tools/data/mlbench.py out/data/mlbench'")
    (size,) = struct.unpack_from("<H", data, 8)
    shape = ast.literal_eval(data[10 : 10 + size].decode())["shape"]
    values = array.array(code, data[10 + size :])
    if sys.byteorder == "big":
        values.byteswap()
    return shape, values
