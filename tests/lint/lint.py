#!/usr/bin/env python3
"""Holds the source tree to the rules of its design: usage: lint.py ROOT

Prints one line a violation, "path:line: rule: what", and fails if there is one. Exceptions stand in
tests/lint/allow.txt, one a line: rule, path, reason. One that nothing needs any more is a violation too.
"""

import os
import re
import sys

from rules import (BANNED_COMPILED, CODE, LAYERS, MAX_LINES, NO_PLAINTEXT, NOT_IN_REPORTS, OWNERS, PARTS, REPORTS, SIZED,
                   SYSTEM_FOLDERS, SYSTEM_HEADERS, TOP_LEVEL, WORDS_COMPILED)

ALLOW = "tests/lint/allow.txt"
TOKEN = re.compile("|".join((
    r"//[^\n]*",
    r"/\*.*?\*/",
    r'R"(?P<d>[^()\\\s]{0,16})\(.*?\)(?P=d)"',
    r'"(?:\\.|[^"\\\n])*"',
    r"(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+'",
)), re.S)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.M)


def without_text(source):
    """The code with comments and literals blanked; lines stay where they are."""
    return TOKEN.sub(lambda match: "\n" * match.group(0).count("\n") + " ", source)


def line_of(source, offset):
    return source.count("\n", 0, offset) + 1


def whole_call(source, start):
    """From behind an opening parenthesis to its closing one."""
    depth = 1
    for at in range(start, len(source)):
        depth += {"(": 1, ")": -1}.get(source[at], 0)
        if depth == 0:
            return source[start:at]
    return source[start:]


def module_of(path):
    """The module that a file of src/ or include/ belongs to; None for others."""
    parts = path.split("/")
    if parts[0] == "src":
        return parts[1] if len(parts) > 2 else os.path.splitext(parts[1])[0]
    if parts[:2] == ["include", "grantfs"]:
        return parts[2] if len(parts) > 3 else "?"
    return None


def part_of(path):
    """The folder within its module that a file of src/ lies in; None where it lies in none."""
    parts = path.split("/")
    return parts[2] if len(parts) > 3 else None


class Lint:
    def __init__(self, root):
        self.root = root
        self.violations = []
        self.allowed = {}
        self.used = set()
        self.types = {}

    def report(self, path, line, rule, what):
        if (rule, path) in self.allowed:
            self.used.add((rule, path))
        else:
            self.violations.append(f"{path}:{line}: {rule}: {what}")

    def read(self, path):
        with open(os.path.join(self.root, path), "rb") as file:
            content = file.read()
        return None if b"\0" in content else content.decode("utf-8", "replace")

    def files(self):
        for folder, folders, names in os.walk(self.root):
            at_top = os.path.samefile(folder, self.root)
            folders[:] = sorted(name for name in folders if name not in (".git", "__pycache__", ".cache")
                                and not (at_top and name.startswith("build")))
            for name in sorted(names):
                if not (at_top and name == ".git"):  # a worktree's
                    yield os.path.relpath(os.path.join(folder, name), self.root)

    def load_allowed(self):
        text = self.read(ALLOW) if os.path.exists(os.path.join(self.root, ALLOW)) else ""
        for number, line in enumerate(text.splitlines(), 1):
            if not line.strip() or line.startswith("#"):
                continue
            words = line.split(None, 2)
            if len(words) < 3:
                self.report(ALLOW, number, "allow-list", "an exception is a rule, a path and a reason")
            else:
                self.allowed[(words[0], words[1])] = number

    def check_top_level(self):
        for name in sorted(os.listdir(self.root)):
            if name not in TOP_LEVEL and not name.startswith((".", "build")):
                self.report(name, 1, "top-level", "only " + ", ".join(sorted(TOP_LEVEL)) + " and dotfiles stand there")

    def check_words(self, path, source):
        for pattern, what in WORDS_COMPILED:
            for match in pattern.finditer(source):
                self.report(path, line_of(source, match.start()), "words", f"{match.group(0)!r} is {what}")

    def check_size(self, path, source):
        lines = source.count("\n")
        if lines > MAX_LINES:
            self.report(path, lines, "size", f"{lines} lines, at most {MAX_LINES}: split it")

    def check_includes(self, path, source, module):
        comments_gone = re.sub(r"/\*.*?\*/", lambda match: "\n" * match.group(0).count("\n"), source, flags=re.S)
        for match in INCLUDE.finditer(comments_gone):
            bracket, header = match.groups()
            check = self.own_header if bracket == '"' else self.library_header
            what = check(path, header, module)
            if what:
                self.report(path, line_of(comments_gone, match.start()), "layers", what)

    def own_header(self, path, header, module):
        if not header.startswith("grantfs/"):
            beside = os.path.join(self.root, os.path.dirname(path), header)
            below_src = os.path.join(self.root, "src", header) if header.startswith(module + "/") else beside
            known = os.path.exists(beside) or os.path.exists(below_src)
            if ".." in header.split("/") or path.startswith("include/") or not known:
                return f"{header} is no header of this module: include \"grantfs/<module>/<name>.h\""
            return self.header_of_part(path, header, module)
        other = header.split("/")[1]
        if other == module:
            return None
        if other not in LAYERS:
            return f"the module {other} is not in the table"
        if LAYERS[other] >= LAYERS[module]:
            return f"{module} (layer {LAYERS[module]}) may not include {other} (layer {LAYERS[other]})"
        return None

    def header_of_part(self, path, header, module):
        """Within a module that has folders: what is wrong with this include of the module's own."""
        parts = PARTS.get(module, {})
        own = part_of(path)
        if own is None or not header.startswith(module + "/"):
            return None
        other = part_of("src/" + header)
        if own in parts and (other == own or parts.get(other, len(parts)) < parts[own]):
            return None
        return f"{module}/{own} may not include {header}: see PARTS in tests/lint/rules.py"

    def library_header(self, path, header, module):
        owners = [prefix for prefix in OWNERS if header.startswith(prefix)]
        if owners:
            may = OWNERS[max(owners, key=len)]
            if module not in may:
                return f"<{header}> is for {' and '.join(sorted(may)) or 'nobody'} alone"
            if path.startswith("include/"):
                return f"<{header}> in an interface reaches other modules: keep it in src"
            return None
        if "." not in header and "/" not in header:
            return None
        if header.startswith(SYSTEM_FOLDERS) or header in SYSTEM_HEADERS:
            return None
        return f"<{header}> is in no table: name its owner in tests/lint/rules.py"

    def check_secrets(self, path, code, module):
        if module in NO_PLAINTEXT:
            for match in re.finditer(r"\bSecretValue\b", code):
                self.report(path, line_of(code, match.start()), "plaintext", f"no SecretValue enters {module}")
        if REPORTS.match(path):
            for rule, pattern in NOT_IN_REPORTS:
                for match in pattern.finditer(code):
                    self.report(path, line_of(code, match.start()), rule, f"reports have no way to a value, so no {match.group(0)}")
        if module != "crypto":
            for match in re.finditer(r"(?:\.|->)\s*Expose\s*\(", code):
                self.report(path, line_of(code, match.start()), "expose",
                            f"Expose() outside crypto needs a line with its reason in {ALLOW}")

    def check_banned(self, path, code, module):
        for rule, pattern, modules, in_tests, hint in BANNED_COMPILED:
            if module in modules or (in_tests and module is None):
                continue
            for match in pattern.finditer(code):
                self.report(path, line_of(code, match.start()), rule, f"{' '.join(match.group(0).split())}: {hint}")

    def check_code(self, path, source):
        module = module_of(path)
        code = without_text(source)
        self.check_banned(path, code, module)
        if path.endswith(".h") and "#pragma once" not in source:
            self.report(path, 1, "header", "a header begins with #pragma once")
        if module is None:
            return
        if module not in LAYERS:
            self.report(path, 1, "layers", f"the module {module} is not in the table")
            return
        self.check_includes(path, source, module)
        self.check_secrets(path, code, module)
        self.check_names(path, code, module)

    def check_names(self, path, code, module):
        """Two modules' types of one name are one symbol to the linker, which keeps either of them without a word."""
        if not path.endswith(".h"):
            return
        for match in re.finditer(r"^(?:class|struct)\s+(\w+)[^;{()]*\{", code, re.M):
            other = self.types.setdefault(match.group(1), module)
            if other != module:
                self.report(path, line_of(code, match.start()), "names",
                            f"the module {other} has a type {match.group(1)} too; give this one a name of its own")

    def check_meson(self, path, source):
        for match in re.finditer(r"^[ \t]*test\(", source, re.M):
            call = whole_call(source, match.end())
            if "gtest_dep" in call and "protocol: 'gtest'" not in call:
                self.report(path, line_of(source, match.start()), "meson",
                            "protocol: 'gtest' is missing: its tests would count as one")
        for match in re.finditer(r"dependency\(\s*'boost'[^()]*\)", source):
            if "kwargs: boost" not in match.group(0) and "/" in path:
                self.report(path, line_of(source, match.start()), "meson",
                            "kwargs: boost is missing: it holds version and linkage")

    def run(self):
        self.load_allowed()
        self.check_top_level()
        for path in self.files():
            source = self.read(path)
            if source is None:
                continue
            if path != "LICENSE":
                self.check_words(path, source)
            if path.endswith(SIZED):
                self.check_size(path, source)
            if os.path.basename(path) == "meson.build":
                self.check_meson(path, source)
            if path.endswith(CODE) and path.split("/")[0] in ("src", "include", "tests", "examples"):
                self.check_code(path, source)
        for rule, path in sorted(set(self.allowed) - self.used):
            line = self.allowed[(rule, path)]
            self.violations.append(f"{ALLOW}:{line}: allow-list: nothing in {path} needs {rule} any more")
        return self.violations


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: lint.py ROOT")
    violations = Lint(sys.argv[1]).run()
    print("\n".join(violations) or "nothing to say")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
