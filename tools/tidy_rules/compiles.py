"""Every header compiles with nothing before it.

The build proves it for a header that a source includes first, as x.cpp does with x.hpp. The others
are compiled here.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess

from .arrows import TorchStaysInTrainer
from .registered import SourcesAreRegistered
from .tree import Violation

PACKAGES = ["libsodium", "tomlplusplus", "libzstd", "libcurl", "libmosquitto", "sqlite3"]
TORCH_FOLDERS = ["/usr/include/torch/csrc/api/include"]
SECONDS_MAX = 240  # for one header; libtorch's take the longest


class HeadersCompileAlone:
    name = "compiles-alone"
    reason = "a header that leans on what its users happen to include breaks when they stop"

    def __init__(self, build=None, jobs=2):
        self.build = build
        self.jobs = max(1, jobs)
        self.notes = []

    def check(self, tree):
        tasks = list(self._tasks(tree))
        if not tasks:
            return
        cache = Cache(self._cache_path(tree))
        keyed = [(task, task.key()) for task in tasks]
        fresh = [(task, key) for task, key in keyed if key not in cache.good]
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            for (task, key), error in zip(fresh, pool.map(lambda pair: pair[0].run(), fresh)):
                if error is None:
                    cache.good.add(key)
                else:
                    yield Violation(task.path, 1, f"does not compile alone as {task.language}: include what it uses ({error})")
        cache.write({key for _, key in keyed})

    def _tasks(self, tree):
        flags = Flags(tree.root, self.build)
        proved = proved_by_build(tree)
        skipped = 0
        for path in tree.under("include", "src"):
            if not path.endswith((".hpp", ".h")):
                continue
            if path in proved:
                continue
            # A public header sees what an application sees: no src/.
            is_public = path.startswith("include/")
            needs_torch = not is_public and uses_torch(tree, path)
            if needs_torch and not flags.torch:
                skipped += 1
                continue
            folders = ["include"] if is_public else ["src", "include"]
            outside = [] if is_public else flags.outside + (flags.torch if needs_torch else [])
            yield Task(tree, path, "C++20", folders, outside)
            if is_public and path.endswith(".h"):
                yield Task(tree, path, "C11", folders, [])
        if skipped:
            self.notes.append(f"{skipped} headers need libtorch, which is not here: not compiled")

    def _cache_path(self, tree):
        return (self.build or tree.root / "build") / "tidy-cache.json"


def proved_by_build(tree):
    # A public header is not among them: the build shows it all of src/, an application does not.
    sources = [f for f in SourcesAreRegistered.registered(tree) if f.startswith("src/") and tree.has(f)]
    first = (tree.includes(source)[0].target for source in sources if tree.includes(source))
    return {header for header in first if header.startswith("src/")}


class Task:
    def __init__(self, tree, path, language, folders, outside):
        self.tree, self.path, self.language = tree, path, language
        compiler, standard, name = {"C++20": (CXX, "-std=c++20", "c++"), "C11": (CC, "-std=c11", "c")}[language]
        self.command = [compiler, standard, "-x", name, "-fsyntax-only", "-w"]
        if language == "C11":
            self.command += ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-Wstrict-prototypes"]
            self.command.remove("-w")
        self.command += [f"-I{folder}" for folder in folders] + outside + ["-"]

    def key(self):
        digest = hashlib.sha256(json.dumps([self.command, COMPILER_VERSION]).encode())
        for path in reached(self.tree, self.path):
            digest.update(path.encode() + b"\0" + self.tree.text(path).encode() + b"\0")
        return digest.hexdigest()

    def run(self):
        """None, or the compiler's first error."""
        # The second one finds a missing include guard.
        written = "".join(f'#include "{self.tree.root / self.path}"\n' for _ in range(2))
        try:
            done = subprocess.run(self.command, input=written, text=True, capture_output=True, cwd=self.tree.root,
                                  timeout=SECONDS_MAX, check=False, env={**os.environ, "LC_ALL": "C"})
        except subprocess.TimeoutExpired:
            return f"took longer than {SECONDS_MAX} s"
        if done.returncode == 0:
            return None
        errors = [line for line in done.stderr.splitlines() if "error" in line] or ["the compiler failed"]
        return errors[0].replace(str(self.tree.root) + "/", "")


class Flags:
    """Where the libraries' headers are: from the build folder, else from pkg-config."""

    def __init__(self, root, build):
        found = from_compile_commands(root, build) if build else None
        if found is None:
            found = from_pkg_config() + from_npm(root)
        self.torch = [flag for flag in found if "torch" in flag]
        self.outside = [flag for flag in found if "torch" not in flag]
        if not self.torch:
            self.torch = ["-isystem" + folder for folder in TORCH_FOLDERS if os.path.isdir(folder)]


def from_compile_commands(root, build):
    path = build / "compile_commands.json"
    if not path.exists():
        return None
    own = {str(root / "src"), str(root / "include")}
    flags = []
    for entry in json.loads(path.read_text()):
        words = entry.get("arguments") or shlex.split(entry["command"])
        for i, word in enumerate(words):
            match = re.match(r"-(I|isystem)(.*)", word)
            if match:
                folder = match.group(2) or words[i + 1]
                flag = "-isystem" + os.path.join(entry["directory"], folder)
                if folder not in own and flag not in flags:
                    flags.append(flag)
    return flags


def from_pkg_config():
    if not shutil.which("pkg-config"):
        return []
    flags = []
    for package in PACKAGES:
        done = subprocess.run(["pkg-config", "--cflags-only-I", package], capture_output=True, text=True, check=False)
        flags += [flag for flag in done.stdout.split() if flag not in flags]
    return flags


def from_npm(root):
    package = root / "tools/npm/node_modules/com.github.asus4.onnxruntime"
    headers = sorted(package.rglob("onnxruntime_c_api.h")) if package.is_dir() else []
    return [f"-isystem{headers[0].parent}"] if headers else []


def reached(tree, path, seen=None):
    """The header and all of the tree's files that it includes, in a fixed order."""
    seen = [] if seen is None else seen
    if path not in seen:
        seen.append(path)
        for include in tree.includes(path):
            if include.target:
                reached(tree, include.target, seen)
    return seen


def uses_torch(tree, path):
    return any(TorchStaysInTrainer.HEADER.match(include.written)
               for each in reached(tree, path) for include in tree.includes(each))


class Cache:
    """Keys of what compiled; a header that failed is tried again each time."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        try:
            self.good = set(json.loads(self.path.read_text()))
        except (OSError, ValueError):
            self.good = set()

    def write(self, wanted):
        if not self.path.parent.is_dir():
            return
        beside = self.path.with_suffix(f".{os.getpid()}")
        beside.write_text(json.dumps(sorted(self.good & wanted), indent=0))
        beside.replace(self.path)


def version_of(compiler):
    try:
        return subprocess.run([compiler, "--version"], capture_output=True, text=True, check=False).stdout.split("\n")[0]
    except OSError:
        return ""


CXX = os.environ.get("CXX", "g++")
CC = os.environ.get("CC", "gcc")
COMPILER_VERSION = version_of(CXX)
