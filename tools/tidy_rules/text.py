"""Rules about the text of files."""

import re

from .tree import Violation

# Written in two halves, so that this file passes its own rule.
LEFTOVER = re.compile(r"\b(" + "|".join(["FIX" + "ME", "TO" + "DO", "X" + "XX"]) + r")\b")
MACHINE_PATH = re.compile(r"(?<![\w.$}~/-])/(" + "|".join(["ho" + "me", "Us" + "ers", "ro" + "ot", "wo" + "rk"]) + r")/[\w.-]")
LINES_MAX = 700

# Data, and files that a tool writes, are not ours to format.
NOT_PROSE = (".npy", ".bin", ".onnx", ".delta", ".lock", ".svg", "package-lock.json", "LICENSE")
DATA_FOLDERS = ("tests/golden/", "tests/fuzz/corpus/", "tests/compat/")


def prose(tree):
    return [f for f in tree.files if not f.endswith(NOT_PROSE) and not f.startswith(DATA_FOLDERS)]


class NoLeftovers:
    name = "leftover"
    reason = "a note to do it later is found by nobody: do it now, or open an issue"

    def check(self, tree):
        for path in prose(tree):
            for number, line in tree.lines(path):
                match = LEFTOVER.search(line)
                if match:
                    yield Violation(path, number, f"{match.group()} is left: do it now, or open an issue and delete the note")


class FilesAreShort:
    name = "short"
    reason = "a file that outgrows 700 lines has a second reason to change"

    def check(self, tree):
        for path in tree.under("src", "apps", "include"):
            count = tree.text(path).count("\n")
            if count > LINES_MAX:
                yield Violation(path, LINES_MAX + 1,
                                f"{count} lines, at most {LINES_MAX}: split it by reason (parse / validate / apply), not by size")


class NoMachinePaths:
    name = "machine-path"
    reason = "a path of one person's machine works on no other"

    def check(self, tree):
        for path in prose(tree):
            for number, line in tree.lines(path):
                match = MACHINE_PATH.search(line)
                if match:
                    yield Violation(path, number, f"a path below /{match.group(1)} is of one machine: make it relative, or a parameter")


class NoTrailingSpace:
    name = "trailing-space"
    reason = "invisible changes hide the visible ones in a diff"

    def check(self, tree):
        for path in prose(tree):
            for number, line in tree.lines(path):
                if line != line.rstrip(" \t\r"):
                    yield Violation(path, number, "delete the white space at the end of the line (make format)")


class ReadmeNamesTheFrontDoor:
    name = "readme"
    reason = "the two commands are all that a new user has to know"

    def check(self, tree):
        if not tree.has("README.md"):
            yield Violation("README.md", 1, "write it: what hone is, and its two commands")
            return
        for command in ("make demo", "make test"):
            if command not in tree.text("README.md"):
                yield Violation("README.md", 1, f"name `{command}`: a new user looks for it here")
