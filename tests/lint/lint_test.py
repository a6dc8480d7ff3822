#!/usr/bin/env python3
"""Plants one violation of each rule in a tree and expects the lint to name it."""

import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lint import Lint  # noqa: E402

CLEAN = {
    "meson.build": "project('x', 'cpp')\n",
    "src/util/a.cpp": '#include "grantfs/util/a.h"\n#include <vector>\n#include <sys/stat.h>\n',
    "include/grantfs/util/a.h": "#pragma once\n",
    "src/net/n.cpp": '#include "n_internal.h"\n#include "net/n_internal.h"\n#include "grantfs/util/a.h"\n#include <boost/asio.hpp>\n'
                     "#include <openssl/ssl.h>\n// SecretValue, sleep(1), rand() in a comment\n"
                     'const char* k = "catch (...) system(1) \\" getenv(";\nint big = 1\'000\'000;\n',
    "src/net/n_internal.h": "#pragma once\n",
    "src/crypto/c.cpp": "auto x = memory.Expose();\n",
    "src/client/homes/h.cpp": '#include "h_internal.h"\n#include "client/homes/h_internal.h"\n#include "client/connection/c_internal.h"\n',
    "src/client/homes/h_internal.h": "#pragma once\n",
    "src/client/connection/c_internal.h": "#pragma once\n",
    "src/client/owner/o_internal.h": "#pragma once\n",
    "src/client/above.cpp": '#include "client/owner/o_internal.h"\n',
    "src/main.cpp": '#include <cstdlib>\nint main() { std::cout << std::getenv("X"); }\n'.replace("std::getenv", "Get"),
    "tests/net/n_test.cpp": "auto x = value.Expose();\n#include <gtest/gtest.h>\nchar t[] = R\"(sleep(1))\";\n",
}

# What is planted where, and the rule that must answer.
PLANTED = [
    ("layers", "src/net/x.cpp", '#include "grantfs/vault/a.h"\n'),
    ("layers", "src/json/x.cpp", '#include "grantfs/crypto/a.h"\n'),
    ("layers", "include/grantfs/util/x.h", '#pragma once\n#include "grantfs/net/n.h"\n'),
    ("layers", "src/nowhere/x.cpp", "int x;\n"),
    ("layers", "src/net/x.cpp", '#include "../util/a.h"\n'),
    ("layers", "src/vault/x.cpp", '#include "net/n_internal.h"\n'),
    ("layers", "src/net/x.cpp", "  #  include <sqlite3.h>\n"),
    ("layers", "src/store/x.cpp", "#include <boost/json.hpp>\n"),
    ("layers", "src/net/x.cpp", "#include <boost/json/value.hpp>\n"),
    ("layers", "src/net/x.cpp", "#include <boost/filesystem.hpp>\n"),
    ("layers", "src/client/x.cpp", "#include <fuse3/fuse_lowlevel.h>\n"),
    ("layers", "src/client/x.cpp", "#include <spdlog/spdlog.h>\n"),
    ("layers", "src/client/x.cpp", "#include <sodium.h>\n"),
    ("layers", "src/client/x.cpp", "#include <unknown/library.h>\n"),
    ("layers", "src/client/homes/x.cpp", '#include "client/owner/o_internal.h"\n'),
    ("layers", "src/client/machine/x.cpp", '#include "client/owner/o_internal.h"\n'),
    ("layers", "src/client/other/x.cpp", '#include "client/connection/c_internal.h"\n'),
    ("layers", "include/grantfs/net/x.h", "#pragma once\n#include <openssl/ssl.h>\n"),
    ("plaintext", "src/server/x.cpp", "void F(SecretValue value);\n"),
    ("plaintext", "include/grantfs/store/x.h", "#pragma once\nclass SecretValue;\n"),
    ("report-value", "src/cli/admin_x.cpp", "SecretValue value;\n"),
    ("report-value", "src/client/admin_x.cpp", "auto x = session_->GetSecret(name);\n"),
    ("report-value", "include/grantfs/mount/reports.h", "#pragma once\nclass OpenedSecret;\n"),
    ("report-session", "src/mount/report_x.cpp", "SecretSource* source;\n"),
    ("expose", "src/cli/x.cpp", "auto x = value.Expose();\n"),
    ("expose", "src/mount/x.cpp", "auto x = value->\n    Expose ();\n"),
    ("call-system", "src/cli/x.cpp", "int x = std::system(0);\n"),
    ("call-system", "tests/cli/x_test.cpp", "auto* f = popen(a, b);\n"),
    ("call-unbounded", "src/util/x.cpp", "int x = sprintf(a, b);\n"),
    ("call-unbounded", "src/util/x.cpp", "char* x = ::strcpy(a, b);\n"),
    ("call-unbounded", "src/util/x.cpp", "char* x = gets(a);\n"),
    ("call-rand", "src/util/x.cpp", "int x = std::rand();\n"),
    ("call-sleep", "src/util/x.cpp", "int x = usleep(1);\n"),
    ("call-sleep", "tests/util/x_test.cpp", "void F() { std::this_thread::sleep_for(x); }\n"),
    ("call-getenv", "src/net/x.cpp", "auto* x = std::getenv(a);\n"),
    ("catch-all", "src/net/x.cpp", "void F() { try { } catch ( ... ) { } }\n"),
    ("print", "src/net/x.cpp", "void F() { std::cerr << 1; }\n"),
    ("print", "src/vault/x.cpp", "void F() { fprintf(stderr, x); }\n"),
    ("size", "src/util/x.cpp", "int F();\n" * 401),
    ("size", "contrib/x.py", "x = 1\n" * 401),
    ("header", "src/util/x_internal.h", "int x;\n"),
    ("words", "src/util/x.cpp", "// TO" "DO: later\n"),
    ("words", "contrib/x", "cd /wo" "rk/main\n"),
    ("words", "README.md", "written by Cla" "ude\n"),
    ("meson", "tests/net/meson.build", "test('n', executable('n', files('n.cpp'), cpp_args: f(g()),\n  dependencies: [x_dep, gtest_dep]), suite: 'unit')\n"),
    ("meson", "src/json/meson.build", "x = dependency('boost', modules: ['json'])\n"),
    ("top-level", "notes.txt", "x\n"),
    ("top-level", "scripts/x", "x\n"),
    ("allow-list", "tests/lint/allow.txt", "catch-all src/main.cpp\n"),
    ("allow-list", "tests/lint/allow.txt", "catch-all src/main.cpp it was needed once\n"),
]


def violations(files):
    with tempfile.TemporaryDirectory() as root:
        for path, content in files.items():
            whole = os.path.join(root, path)
            os.makedirs(os.path.dirname(whole), exist_ok=True)
            with open(whole, "w", encoding="utf-8") as file:
                file.write(content)
        return Lint(root).run()


class LintTest(unittest.TestCase):
    def test_a_clean_tree_passes(self):
        self.assertEqual(violations(CLEAN), [])

    def test_every_planted_violation_is_named(self):
        for rule, path, content in PLANTED:
            with self.subTest(rule=rule, content=content[:60]):
                found = violations({**CLEAN, path: content})
                self.assertEqual(len(found), 1, found)
                self.assertIn(f": {rule}: ", found[0])
                self.assertTrue(found[0].startswith(path.split("/")[0]), found[0])

    def test_an_exception_with_its_reason_is_heard(self):
        planted = {"src/net/x.cpp": "void F() { try { } catch (...) { } }\n",
                   "tests/lint/allow.txt": "# why\n\ncatch-all src/net/x.cpp a thread's entry\n"}
        self.assertEqual(violations({**CLEAN, **planted}), [])

    def test_two_modules_types_of_one_name_are_found(self):
        header = "#pragma once\nclass Queue {\n};\n"
        found = violations({**CLEAN, "src/net/queue_internal.h": header, "src/sqlite/queue_internal.h": header})
        self.assertEqual(len(found), 1, found)
        self.assertIn(": names: ", found[0])

    def test_build_directories_are_left_out(self):
        self.assertEqual(violations({**CLEAN, "build-x/notes": "TO" "DO\n", "build/gen.cpp": "int x = rand();\n"}), [])


if __name__ == "__main__":
    unittest.main()
