"""Every source file is built by somebody."""

import posixpath
import re

from .tree import Violation

FOREACH = re.compile(r"foreach\s*\(\s*(\w+)\s+([^)]*)\)")
TOKEN = re.compile(r"[^\s()\"';]+\.(?:cpp|cc|c|py)\b")


class SourcesAreRegistered:
    name = "registered"
    reason = "a test that no CMakeLists.txt names never fails, and a source that none names is dead"

    def check(self, tree):
        registered = self.registered(tree)
        for path in tree.under("src", "apps", "tests", "examples", "bench", "tools"):
            is_source = path.endswith((".cpp", ".cc", ".c"))
            is_python_test = path.endswith("_test.py")
            if (is_source or is_python_test) and path not in registered:
                what = "this test never runs" if re.search(r"_(test|fuzz)\.\w+$", path) else "this file is never built"
                yield Violation(path, 1, f"{what}: name it in the CMakeLists.txt of its folder, or delete it")

    @staticmethod
    def registered(tree):
        found = set()
        for path in tree.files:
            if not (path.endswith("CMakeLists.txt") or path.endswith(".cmake")):
                continue
            folder = posixpath.dirname(path)
            text = re.sub(r"#.*", "", tree.text(path))
            loops = {name: words.split() for name, words in FOREACH.findall(text)}
            for written in TOKEN.findall(text):
                for token in expanded(written, loops):
                    token = re.sub(r"^\$\{(CMAKE_SOURCE_DIR|PROJECT_SOURCE_DIR)\}/", "/", token)
                    token = re.sub(r"^\$\{CMAKE_CURRENT_(SOURCE|LIST)_DIR\}/", "", token)
                    whole = token[1:] if token.startswith("/") else posixpath.join(folder, token)
                    found.add(posixpath.normpath(whole))
        return found


def expanded(token, loops):
    """The token with each loop's variable replaced by each of its words."""
    tokens = [token]
    for name, words in loops.items():
        variable = "${" + name + "}"
        tokens = [t.replace(variable, w) for t in tokens for w in (words if variable in t else [""])]
    return tokens
