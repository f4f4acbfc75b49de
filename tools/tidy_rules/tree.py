"""The files that the rules look at, read once."""

import dataclasses
import functools
import pathlib
import re
import subprocess

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')
SKIPPED_FOLDERS = {".git", "build", "out", "node_modules", "__pycache__", "fresh-out"}


@dataclasses.dataclass(frozen=True)
class Violation:
    path: str
    line: int
    advice: str


@dataclasses.dataclass(frozen=True)
class Include:
    line: int
    written: str       # as it stands between the quotes or brackets
    is_quoted: bool
    target: str        # path in the tree; empty for a header from outside


class Tree:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.files = self._list()  # relative, with '/', sorted
        self._known = set(self.files)

    def _list(self):
        # What git would commit, so that a new file is held to the rules before it is added.
        if (self.root / ".git").exists():
            done = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                                  cwd=self.root, capture_output=True, check=False)
            if done.returncode == 0:
                names = {n for n in done.stdout.decode(errors="surrogateescape").split("\0") if n}
                return sorted(n for n in names if (self.root / n).is_file())
        found = (p.relative_to(self.root) for p in self.root.rglob("*") if p.is_file())
        return sorted(p.as_posix() for p in found if not SKIPPED_FOLDERS.intersection(p.parts))

    def has(self, path):
        return path in self._known

    def under(self, *folders):
        prefixes = tuple(f + "/" for f in folders)
        return [f for f in self.files if f.startswith(prefixes)]

    @functools.lru_cache(maxsize=None)
    def text(self, path):
        """Empty for a binary file."""
        data = (self.root / path).read_bytes()
        if b"\0" in data[:8192]:
            return ""
        return data.decode("utf-8", errors="replace")

    def lines(self, path):
        return enumerate(self.text(path).split("\n"), start=1)

    @functools.lru_cache(maxsize=None)
    def includes(self, path):
        found = []
        for number, line in self.lines(path):
            match = INCLUDE.match(line)
            if match:
                written = match.group(1) or match.group(2)
                found.append(Include(number, written, match.group(1) is not None, self._resolve(path, written)))
        return found

    def _resolve(self, path, written):
        beside = pathlib.PurePosixPath(path).parent / written
        for candidate in ("src/" + written, "include/" + written, beside.as_posix()):
            if self.has(candidate):
                return candidate
        return ""


def is_source(path):
    return path.endswith((".cpp", ".hpp", ".h", ".c", ".cc"))


def is_test_code(path):
    """Code that no product links: tests, fuzz targets and what only they use."""
    name = path.rsplit("/", 1)[-1]
    stem = name.split(".", 1)[0]
    return (path.startswith("tests/") or stem.endswith(("_test", "_fuzz", "_testing", "_for_test", "_for_tests"))
            or stem.startswith(("testing_", "test_", "fake_")))
