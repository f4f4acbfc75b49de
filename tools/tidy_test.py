#!/usr/bin/env python3
"""Each rule of tools/tidy, tried on small trees that break it and on ones that do not."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent

GOOD = {
    "README.md": "Type `make demo`, then `make test`.\n",
    "src/base/a.hpp": "#pragma once\n#include <string>\nstd::string a();\n",
    "src/base/a.cpp": '#include "base/a.hpp"\n',
    "src/base/a_test.cpp": '#include "base/a.hpp"\n',
    "src/base/CMakeLists.txt": "hone_library(hone_base SOURCES a.cpp)\nhone_test(a_test SOURCES a_test.cpp)\n",
}


class TidyTest(unittest.TestCase):
    def setUp(self):
        self._start_anew()

    def _start_anew(self):
        self._folder = tempfile.TemporaryDirectory()
        self.addCleanup(self._folder.cleanup)
        self.root = pathlib.Path(self._folder.name)

    def tidy(self, files, *options):
        """The lines that tidy prints for the good tree with `files` on top."""
        for path, text in {**GOOD, **files}.items():
            target = self.root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        options = options or ("--no-compile",)
        done = subprocess.run([sys.executable, HERE / "tidy", "--root", self.root, *options],
                              capture_output=True, text=True, check=False)
        lines = done.stdout.splitlines()
        self.assertEqual(done.returncode, 1 if lines else 0, done.stdout + done.stderr)
        return lines

    def include(self, source, *targets):
        """A source that includes each target (which exists), and whatever rules other than arrows say is left out."""
        files = {target: "#pragma once\n" for target in targets}
        written = [t.removeprefix("src/").removeprefix("include/") for t in targets]
        files[source] = "".join(f'#include "{w}"\n' for w in written)
        return [line for line in self.tidy(files) if ": arrows: " in line]


class Arrows(TidyTest):
    ALLOWED = [
        ("src/platform/posix/p.cpp", "src/base/b.hpp"),
        ("src/shared/wire/w.cpp", "src/shared/model/m.hpp"),
        ("src/edge/spool/s.cpp", "src/edge/sense/s.hpp"),
        ("src/edge/upload/s.cpp", "src/edge/sense/s.hpp"),
        ("src/edge/patch/p.cpp", "src/edge/verify/v.hpp"),
        ("src/edge/patch/p.cpp", "src/shared/delta/decode/d.hpp"),
        ("src/edge/patch/p_test.cpp", "src/shared/delta/encode/e.hpp"),
        ("src/edge/agent/a.cpp", "src/edge/watch/w.hpp"),
        ("src/edge/spool/s_test.cpp", "src/platform/sim/s.hpp"),
        ("src/edge/library/l.cpp", "src/platform/posix/p.hpp"),
        ("src/edge/library/l.cpp", "include/hone/h.h"),
        ("src/cloud/rollout/r.cpp", "src/cloud/release/r.hpp"),
        ("src/cloud/store/sqlite/s.cpp", "src/cloud/ingest/batch_store.hpp"),
        ("src/cloud/store/sqlite/s.cpp", "src/cloud/service/credential_store.hpp"),
        ("src/cloud/front/http/s.cpp", "src/cloud/service/service.hpp"),
        ("src/cloud/service/s.cpp", "src/cloud/store/sqlite/stores.hpp"),
        ("src/cloud/release/r.cpp", "src/shared/delta/encode/e.hpp"),
        ("src/shared/delta/encode/e.cpp", "src/shared/delta/format/f.hpp"),
        ("src/shared/delta/decode/d_test.cpp", "src/shared/delta/encode/e.hpp"),
        ("src/trainer/t.cpp", "src/shared/wire/w.hpp"),
        ("apps/hone/main.cpp", "src/cloud/service/s.hpp"),
        ("apps/hone/main.cpp", "src/platform/posix/p.hpp"),
        ("apps/hone-cloud/main.cpp", "src/cloud/ingest/blob_store.hpp"),
        ("src/cloud/ingest/i_test.cpp", "src/cloud/store/files/f.hpp"),
        ("examples/e/main.cpp", "include/hone/h.h"),
        ("tests/loop/l.cpp", "src/edge/spool/s.hpp"),
    ]
    REFUSED = [
        ("src/base/b.cpp", "src/shared/wire/w.hpp"),
        ("src/base/b.cpp", "src/platform/posix/p.hpp"),
        ("src/platform/posix/p.cpp", "src/shared/wire/w.hpp"),
        ("src/shared/wire/w.cpp", "src/edge/sense/s.hpp"),
        ("src/shared/wire/w.cpp", "src/platform/posix/p.hpp"),
        ("src/edge/spool/s.cpp", "src/cloud/ingest/i.hpp"),
        ("src/cloud/ingest/i.cpp", "src/edge/upload/u.hpp"),
        ("src/cloud/train/t.cpp", "src/trainer/t.hpp"),
        ("src/trainer/t.cpp", "src/cloud/train/t.hpp"),
        ("src/edge/spool/s.cpp", "src/edge/upload/u.hpp"),
        ("src/edge/fetch/f.cpp", "src/edge/spool/s.hpp"),
        ("src/edge/swap/s.cpp", "src/edge/watch/w.hpp"),
        ("src/edge/watch/w.cpp", "src/edge/agent/a.hpp"),
        ("src/edge/agent/a.cpp", "src/edge/library/l.hpp"),
        ("src/edge/unheard/u.cpp", "src/edge/sense/s.hpp"),
        ("src/edge/spool/s.cpp", "src/platform/posix/p.hpp"),
        ("src/cloud/ingest/i.cpp", "src/cloud/dataset/d.hpp"),
        ("src/cloud/release/r.cpp", "src/cloud/publish/p.hpp"),
        ("src/cloud/ingest/i.cpp", "src/cloud/store/sqlite/s.hpp"),
        ("src/cloud/store/sqlite/s.cpp", "src/cloud/service/service.hpp"),
        ("src/cloud/service/s.cpp", "src/cloud/front/http/server.hpp"),
        ("src/edge/patch/p.cpp", "src/shared/delta/encode/e.hpp"),
        ("src/shared/delta/decode/d.cpp", "src/base/b.hpp"),
        ("src/shared/delta/decode/d.cpp", "src/shared/delta/encode/e.hpp"),
        ("src/shared/delta/format/f.hpp", "src/shared/delta/decode/d.hpp"),
        ("src/edge/spool/s.cpp", "include/hone/h.h"),
        ("include/hone/h.hpp", "src/base/b.hpp"),
        ("apps/hone/main.cpp", "src/edge/spool/s.hpp"),
        ("examples/e/main.cpp", "src/base/b.hpp"),
    ]

    def test_allows_what_the_architecture_draws(self):
        for source, target in self.ALLOWED:
            with self.subTest(source=source, target=target):
                self._start_anew()
                self.assertEqual(self.include(source, target), [])

    def test_refuses_an_arrow_against_it(self):
        for source, target in self.REFUSED:
            with self.subTest(source=source, target=target):
                self._start_anew()
                lines = self.include(source, target)
                self.assertEqual(len(lines), 1, lines)
                self.assertTrue(lines[0].startswith(f"{source}:1: arrows: "), lines[0])

    def test_names_the_line_of_each_include(self):
        lines = self.include("src/base/b.cpp", "src/base/c.hpp", "src/shared/w.hpp", "src/edge/sense/s.hpp")
        self.assertEqual([line.split(":")[1] for line in lines], ["2", "3"])

    def test_finds_a_header_named_from_its_own_folder(self):
        lines = self.tidy({"src/base/b.hpp": '#include "../shared/w.hpp"\n', "src/shared/w.hpp": ""})
        self.assertEqual(len([line for line in lines if "base includes only base" in line]), 0)
        # A path with .. would pass by unseen, were it not for the rule that spells paths from src/.
        self.assertTrue(any("spelling" in line for line in lines), lines)

    def test_keeps_libtorch_inside_the_trainer(self):
        lines = self.tidy({"src/trainer/t.hpp": "#include <torch/torch.h>\n", "src/base/b.hpp": "#include <ATen/ATen.h>\n"})
        self.assertEqual([line.split(": ")[:2] for line in lines], [["src/base/b.hpp:1", "torch"]])


class Registered(TidyTest):
    def test_finds_a_test_that_never_runs(self):
        lines = self.tidy({"src/base/b_test.cpp": "", "tests/loop/c_fuzz.cpp": "", "tools/d_test.py": ""})
        self.assertEqual([line.split(": ")[:3] for line in lines],
                         [["src/base/b_test.cpp:1", "registered", "this test never runs"],
                          ["tests/loop/c_fuzz.cpp:1", "registered", "this test never runs"],
                          ["tools/d_test.py:1", "registered", "this test never runs"]])

    def test_finds_a_source_that_nobody_builds(self):
        self.assertIn("never built", self.tidy({"src/base/dead.cpp": ""})[0])

    def test_reads_names_with_folders_and_variables(self):
        self.assertEqual(self.tidy({
            "src/CMakeLists.txt": "add(base/b.cpp) add(${CMAKE_SOURCE_DIR}/tests/c.cpp ${CMAKE_CURRENT_SOURCE_DIR}/d.cpp)",
            "src/base/b.cpp": "", "tests/c.cpp": "", "src/d.cpp": ""}), [])

    def test_follows_a_loop_over_words(self):
        lines = self.tidy({"tests/CMakeLists.txt": "foreach(suite b c)\n  add_test(run ${suite}_test.py)\nendforeach()\n",
                           "tests/b_test.py": "", "tests/c_test.py": "", "tests/d_test.py": ""})
        self.assertEqual([line.split(":")[0] for line in lines], ["tests/d_test.py"])

    def test_takes_a_comment_or_the_same_name_elsewhere_for_no_registration(self):
        lines = self.tidy({"src/CMakeLists.txt": "# hone_test(b_test SOURCES base/b_test.cpp)\nadd(b_test.cpp)",
                           "src/b_test.cpp": "", "src/base/b_test.cpp": ""})
        self.assertEqual([line.split(":")[0] for line in lines], ["src/base/b_test.cpp"])


class Text(TidyTest):
    def test_finds_what_is_left_to_do_later(self):
        for word in ("TO" + "DO", "FIX" + "ME", "X" + "XX"):
            lines = self.tidy({"docs/d.md": f"fine\n{word}: later\n"})
            self.assertEqual([line.split(": ")[:2] for line in lines], [["docs/d.md:2", "leftover"]])
        self.assertEqual(self.tidy({"docs/d.md": "mkdtemp /tmp/a-XXXXXX; todo lists are fine\n"}), [])

    def test_finds_a_file_that_outgrew_its_reason(self):
        self.assertEqual(self.tidy({"src/base/long.hpp": "\n" * 700, "docs/long.md": "\n" * 2000}), [])
        self.assertIn("src/base/long.hpp:701: short: ", self.tidy({"src/base/long.hpp": "\n" * 701})[0])

    def test_finds_paths_of_one_machine(self):
        for path in ("/ho" + "me/anna/x", "/wo" + "rk/main", "/ro" + "ot/.ssh", "/Us" + "ers/b"):
            self.assertEqual([line.split(": ")[1] for line in self.tidy({"docs/d.md": f"see {path}\n"})], ["machine-path"])
        fine = "see https://example.test/ho" + "me/x, ./wo" + "rk/x, a/wo" + "rk/x and $ROOT/ho" + "me/x\n"
        self.assertEqual(self.tidy({"docs/d.md": fine}), [])

    def test_finds_space_at_the_end_of_a_line(self):
        self.assertEqual(self.tidy({"docs/d.md": "a\nb \n\nc\t\n"})[0].split(": ")[:2], ["docs/d.md:2", "trailing-space"])

    def test_leaves_binary_files_alone(self):
        self.assertEqual(self.tidy({"tests/data.raw": "\0 \n"}), [])

    def test_wants_both_commands_in_the_readme(self):
        self.assertIn("make test", self.tidy({"README.md": "make demo"})[0])


class CompilesAlone(TidyTest):
    def test_finds_a_header_that_leans_on_others(self):
        lines = self.tidy({"src/base/b.hpp": "#pragma once\nstd::vector<int> b();\n"}, "--jobs", "2")
        self.assertEqual(len(lines), 1, lines)
        self.assertTrue(lines[0].startswith("src/base/b.hpp:1: compiles-alone: "), lines[0])

    def test_finds_a_missing_include_guard(self):
        self.assertIn("redefinition", self.tidy({"src/base/b.hpp": "struct B {};\n"}, "--jobs", "1")[0])

    def test_holds_the_c_header_to_c(self):
        lines = self.tidy({"include/hone/h.h": "#pragma once\nenum class E { a };\n"}, "--jobs", "1")
        self.assertEqual([line for line in lines if "as C11" in line], lines)
        self.assertEqual(len(lines), 1)

    def test_shows_a_public_header_what_an_application_sees(self):
        lines = self.tidy({"include/hone/h.hpp": '#pragma once\n#include "base/a.hpp"\n'}, "--jobs", "1")
        self.assertEqual([line.split(": ")[1] for line in lines], ["arrows", "compiles-alone"])

    def test_leaves_to_the_build_what_a_source_includes_first(self):
        bad = "#pragma once\nno such type;\n"
        self.assertEqual(self.tidy({"src/base/a.hpp": bad}, "--jobs", "1"), [])

    def test_tries_again_when_a_header_further_down_has_changed(self):
        (self.root / "build").mkdir()
        files = {"src/base/b.hpp": '#pragma once\n#include "base/c.hpp"\n', "src/base/c.hpp": "#pragma once\n"}
        self.assertEqual(self.tidy(files, "--jobs", "1"), [])
        self.assertEqual(self.tidy(files, "--jobs", "1"), [])
        self.assertEqual(len(json.loads((self.root / "build/tidy-cache.json").read_text())), 2)
        files["src/base/c.hpp"] = "#pragma once\nbroken\n"
        self.assertEqual(len(self.tidy(files, "--jobs", "1")), 2)

    def test_takes_include_folders_from_the_build(self):
        outside = self.root / "elsewhere" / "lib"
        outside.mkdir(parents=True)
        (outside / "lib.h").write_text("struct FromLibrary {};\n")
        files = {"src/base/b.hpp": "#pragma once\n#include <lib.h>\nusing B = FromLibrary;\n"}
        self.assertEqual(len(self.tidy(files, "--jobs", "1")), 1)
        build = self.root / "build"
        build.mkdir(exist_ok=True)
        (build / "compile_commands.json").write_text(json.dumps(
            [{"directory": str(self.root), "command": f"g++ -isystem {outside} -c src/base/a.cpp", "file": "a.cpp"}]))
        self.assertEqual(self.tidy(files, "--compile-commands", str(build)), [])


if __name__ == "__main__":
    unittest.main()
