#!/usr/bin/env python3
"""Makes the golden deltas anew after a change of the format: make.py HONE

HONE is the hone program. The pairs of files here stay as they are; each is encoded for both
profiles, and bad deltas are made of one of them. Only for formats that were never released: once
one was, its golden files stay, and the new version's come beside them.
"""
import hashlib
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent


def encode(base, name, *options):
    subprocess.run([sys.argv[1], "delta", "encode", "--base", base, "--target", base.with_suffix(".target"),
                    "--out", FOLDER / f"{base.stem}-{name}.delta", "--effort", "9", *options],
                   check=True, stdout=subprocess.DEVNULL)


# Bad ones of a patch that is applied in place; its check is made right again unless it is what is bad.
def bad_in_place(good):
    def edited(at, *bytes_, right=True):
        patch = good[:at] + bytes(bytes_) + good[at + len(bytes_):]
        check = hashlib.sha256(patch[:92] + patch[100:]).digest()[:8]
        return patch[:92] + check + patch[100:] if right else patch

    assert good[88] > 0, "the pair needs a shift"
    return {"reach": edited(88, 0), "shift": edited(88, 99), "block": edited(6, 3), "check": edited(95, good[95] ^ 1, right=False),
            "short": good[:95]}


def main():
    for base in sorted(FOLDER.glob("*.base")):
        hints = base.with_suffix(".hints")
        for profile in ("small", "standard"):
            encode(base, profile, "--profile", profile, *(["--hints", hints] if hints.exists() else []))
    turned = FOLDER / "turned.base"
    for profile in ("small", "standard"):
        encode(turned, f"{profile}_in_place", "--profile", profile, "--in-place", "--block-bytes", "4096")
    for name, patch in bad_in_place((FOLDER / "turned-small_in_place.delta").read_bytes()).items():
        (FOLDER / f"turned.bad-{name}.delta").write_bytes(patch)
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
