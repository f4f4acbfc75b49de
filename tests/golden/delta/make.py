#!/usr/bin/env python3
"""Makes the golden deltas anew after a change of the format: make.py HONE

HONE is the hone program. The pairs of files here stay as they are; each is encoded for both
profiles, and bad deltas are made of one of them. Only for formats that were never released: once
one was, its golden files stay, and the new version's come beside them.
"""
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent


def main():
    for base in sorted(FOLDER.glob("*.base")):
        for profile in ("small", "standard"):
            subprocess.run([sys.argv[1], "delta", "encode", "--base", base, "--target", base.with_suffix(".target"),
                            "--out", FOLDER / f"{base.stem}-{profile}.delta", "--profile", profile, "--effort", "9"],
                           check=True, stdout=subprocess.DEVNULL)
    good = (FOLDER / "moved-standard.delta").read_bytes()

    def edited(at, byte):
        return good[:at] + bytes([byte]) + good[at + 1:]

    bad = {"magic": edited(0, ord("X")), "version": edited(4, 9), "profile": edited(5, 7), "base": edited(30, good[30] ^ 1),
           "size": edited(22, 1), "target": edited(70, good[70] ^ 1), "flip": edited(200, good[200] ^ 64),
           "header": good[:60], "short": good[:-5], "long": good + b"\0"}
    for name, patch in bad.items():
        (FOLDER / f"moved.bad-{name}.delta").write_bytes(patch)


if __name__ == "__main__":
    main()
