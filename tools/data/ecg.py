#!/usr/bin/env python3
"""Reads the electrocardiogram that the distribution's package python3-scipy carries.

    tools/data/ecg.py DEST        DEST/x.npy: int16 [108000], millivolts = x / 200, 360 a second, 5 minutes

A second run does nothing. The package is downloaded and unpacked, not installed. It is in Debian 12 (scipy/misc/ecg.dat);
newer versions of scipy fetch the signal from the network instead, so on Debian 13 there is none: it says so and exits with 0.
Anything else that goes wrong is an error. Nobody labelled its
beats: ecg_beats.csv, beside this file, has where each stands and how wide its QRS complex is at half its prominence
(band-passed from 0.7 to 30 Hz; scipy's find_peaks and peak_widths), checked by eye: beats of more than 60 ms come from
the ventricles, those of less than 35 ms are ordinary, the few between are not clear.
"""

import array
import pathlib
import subprocess
import sys
import tempfile
import zipfile

from mlbench import write_npy

FILE = "usr/lib/python3/dist-packages/scipy/misc/ecg.dat"  # a zip of one .npy of version 1: uint16, zero at 1024


def samples(path: pathlib.Path) -> array.array:
    with zipfile.ZipFile(path) as archive:
        raw = archive.read("ecg.npy")
    if raw[:8] != b"\x93NUMPY\x01\x00" or b"'<u2'" not in raw[:128]:
        raise ValueError("ecg.npy is not the array of uint16 that it was")
    values = array.array("H", raw[10 + int.from_bytes(raw[8:10], "little"):])
    if sys.byteorder == "big":
        values.byteswap()
    return array.array("h", (value - 1024 for value in values))


def unpacked(folder: pathlib.Path) -> pathlib.Path:
    installed = pathlib.Path("/") / FILE
    if installed.exists():
        return installed
    subprocess.run(["apt-get", "download", "-qq", "python3-scipy"], cwd=folder, check=True, capture_output=True)
    (package,) = folder.glob("python3-scipy*.deb")
    subprocess.run(["dpkg", "-x", package, folder], check=True)
    return folder / FILE


def main() -> int:
    if len(sys.argv) != 2:
        print("usage: ecg.py DEST", file=sys.stderr)
        return 2
    target = pathlib.Path(sys.argv[1])
    if (target / "x.npy").exists():
        return 0
    with tempfile.TemporaryDirectory() as folder:
        try:
            path = unpacked(pathlib.Path(folder))
            if not path.exists():
                print("ecg: this distribution's python3-scipy carries no electrocardiogram: it is left out")
                return 0
            values = samples(path)
        except subprocess.CalledProcessError as error:
            print(f"ecg: python3-scipy cannot be fetched: {error.stderr.decode(errors='replace').strip()}", file=sys.stderr)
            return 1
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            print(f"ecg: the electrocardiogram of python3-scipy cannot be read: {error}", file=sys.stderr)
            return 1
    target.mkdir(parents=True, exist_ok=True)
    write_npy(target / "x.npy", "<i2", (len(values),), values)
    return 0


if __name__ == "__main__":
    sys.exit(main())
