#!/usr/bin/env python3
"""The tests of tests/mcu/CMakeLists.txt. Exit code 77: skipped.

  run.py absent TOOL                            says what is missing
  run.py cortex_m4 FOLDER QEMU IMAGE            golden patches on an emulated Cortex-M4
  run.py aarch64 FOLDER QEMU PROGRAM            and as a program for 64-bit Arm
  run.py shown FILE DOCUMENT                    the document shows the file as it is
  run.py size SIZE (NAME IMAGE BUDGET)...       bytes of text; a decoder has no variables of its own
"""
import subprocess
import sys
from pathlib import Path

SECONDS_MAX = 240
# Their check is for who overwrites the base; for a new file the target's hash decides.
LEFT_OUT = {"turned.bad-check"}


def golden(folder, command):
    """`command` makes a command line of the cases."""
    cases = sorted({p.stem for p in Path(folder).glob("*.delta")} - LEFT_OUT)
    if len(cases) < 26:
        sys.exit(f"{folder}: only {len(cases)} golden deltas")
    try:
        done = subprocess.run(command(cases), cwd=folder, stdin=subprocess.DEVNULL, timeout=SECONDS_MAX, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except subprocess.TimeoutExpired:
        sys.exit(f"not done after {SECONDS_MAX} seconds: it hangs")
    print(done.stdout, end="")
    print(f"{len(cases)} golden deltas")
    if done.returncode != 0 or "all golden deltas decode" not in done.stdout:
        sys.exit(f"failed with exit code {done.returncode}")


def main():
    what = sys.argv[1]
    if what == "absent":
        print(f"skipped: {sys.argv[2]} was not found. tools/setup --test installs it.")
        sys.exit(77)
    if what == "cortex_m4":
        folder, qemu, image = sys.argv[2:]
        golden(folder, lambda cases: [qemu, "-M", "mps2-an386", "-nographic", "-monitor", "none", "-serial", "none",
                                      "-semihosting-config", ",".join(["enable=on", "target=native", "arg=golden", "arg=."]
                                                                      + [f"arg={case}" for case in cases]),
                                      "-kernel", image])
    elif what == "aarch64":
        folder, qemu, program = sys.argv[2:]
        golden(folder, lambda cases: [qemu, program, "."] + cases)
    elif what == "shown":
        file, document = map(Path, sys.argv[2:])
        if f"```cpp\n{file.read_text()}```" not in document.read_text():
            sys.exit(f"{document} does not show {file.name} as it is: copy it there")
    elif what == "size":
        size, *figures = sys.argv[2:]
        over = False
        for name, image, budget in zip(figures[::3], figures[1::3], figures[2::3]):
            text, data, bss = map(int, subprocess.run([size, image], check=True, text=True, stdout=subprocess.PIPE).stdout.split("\n")[1].split()[:3])
            print(f"{name} {text}   (data {data}, bss {bss}, budget {budget})")
            over = over or text > int(budget) or data + bss > 0
        if over:
            sys.exit("larger than its budget, or it has variables of its own")
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
