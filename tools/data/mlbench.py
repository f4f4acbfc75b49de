#!/usr/bin/env python3
"""Reads the data sets of the distribution's package r-cran-mlbench without R.

    tools/data/mlbench.py DEST        DEST/{shuttle,satellite,ionosphere}/{x,y}.npy and labels.json

x is float32 [rows, features] in file order, y int64, the index into labels.json. A second run does
nothing. The package is downloaded and unpacked, not installed: installed, it would bring R with it.

A .rda file is a compressed R serialisation; the format (version 2, XDR) stands in "R Internals",
section 1.8, https://cran.r-project.org/doc/manuals/r-release/R-ints.html#Serialization-Formats.
"""

import array
import json
import lzma
import pathlib
import struct
import subprocess
import sys
import tempfile

SETS = ("Shuttle", "Satellite", "Ionosphere")
INSTALLED = pathlib.Path("/usr/lib/R/site-library/mlbench/data")


class Reader:
    """The few kinds of R values that a data frame is made of."""

    def __init__(self, data: bytes):
        if data[:7] != b"RDX2\nX\n":
            raise ValueError("no R workspace in XDR form, version 2")
        self.data = data
        self.at = 7 + 12  # behind the three versions
        self.symbols = []

    def integer(self) -> int:
        self.at += 4
        return struct.unpack_from(">i", self.data, self.at - 4)[0]

    def numbers(self, code: str, size: int) -> list:
        count = self.integer()
        values = struct.unpack_from(f">{count}{code}", self.data, self.at)
        self.at += count * size
        return list(values)

    def value(self):
        """A pair: the value, and its attributes by name."""
        return self.of(self.integer())

    def of(self, flags: int):
        kind = flags & 0xFF
        if kind == 254:  # NILVALUE
            return None, {}
        if kind == 255:  # REFSXP
            return self.symbols[(flags >> 8) - 1], {}
        if kind == 1:  # SYMSXP
            self.symbols.append(self.value()[0])
            return self.symbols[-1], {}
        if kind == 9:  # CHARSXP
            size = max(0, self.integer())
            self.at += size
            return self.data[self.at - size : self.at].decode("latin-1"), {}
        if kind == 2:  # LISTSXP
            return self.pairs(flags), {}
        if kind == 14:  # REALSXP
            value = self.numbers("d", 8)
        elif kind in (10, 13):  # LGLSXP, INTSXP
            value = self.numbers("i", 4)
        elif kind in (16, 19):  # STRSXP, VECSXP
            value = [self.value() for _ in range(self.integer())]
        else:
            raise ValueError(f"a value of kind {kind}, which data frames do not have")
        attributes = self.value()[0] if flags & 0x200 else {}
        return value, attributes

    def pairs(self, flags: int) -> dict:
        result = {}
        while flags & 0xFF == 2:
            if flags & 0x200:
                self.value()
            tag = self.value()[0] if flags & 0x400 else ""
            result[tag] = self.value()
            flags = self.integer()
        return result


def columns(path: pathlib.Path) -> list:
    """Each column as (numbers, level names or None)."""
    frame, _ = next(iter(Reader(lzma.decompress(path.read_bytes())).value()[0].values()))
    result = []
    for value, attributes in frame:
        levels = attributes.get("levels")
        result.append((value, [text for text, _ in levels[0]] if levels else None))
    return result


def as_numbers(column) -> list:
    """A factor of numbers ("0", "1") counts by what its levels say."""
    values, levels = column
    return values if levels is None else [float(levels[value - 1]) for value in values]


def write_npy(path: pathlib.Path, descr: str, shape: tuple, values: array.array):
    if sys.byteorder == "big":
        values.byteswap()
    head = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"
    head += " " * (-(len(head) + 11) % 64) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + values.tobytes())


def convert(source: pathlib.Path, target: pathlib.Path):
    *features, (classes, labels) = columns(source)
    rows = list(zip(*(as_numbers(column) for column in features)))
    target.mkdir(parents=True, exist_ok=True)
    write_npy(target / "y.npy", "<i8", (len(rows),), array.array("q", (c - 1 for c in classes)))
    (target / "labels.json").write_text(json.dumps(labels) + "\n")
    flat = array.array("f", (value for row in rows for value in row))
    write_npy(target / "x.npy", "<f4", (len(rows), len(features)), flat)


def unpacked(folder: pathlib.Path) -> pathlib.Path:
    """The package's data, from the system or from the distribution's archive."""
    if INSTALLED.exists():
        return INSTALLED
    subprocess.run(["apt-get", "download", "-qq", "r-cran-mlbench"], cwd=folder, check=True, capture_output=True)
    (package,) = folder.glob("r-cran-mlbench*.deb")
    subprocess.run(["dpkg", "-x", package, folder], check=True)
    return folder / INSTALLED.relative_to("/")


def main() -> int:
    if len(sys.argv) != 2:
        print("usage: mlbench.py DEST", file=sys.stderr)
        return 2
    target = pathlib.Path(sys.argv[1])
    if all((target / name.lower() / "x.npy").exists() for name in SETS):
        return 0
    with tempfile.TemporaryDirectory() as folder:
        try:
            source = unpacked(pathlib.Path(folder))
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"mlbench: r-cran-mlbench cannot be had from the distribution: {error}", file=sys.stderr)
            return 1
        for name in SETS:
            convert(source / f"{name}.rda", target / name.lower())
    return 0


if __name__ == "__main__":
    sys.exit(main())
