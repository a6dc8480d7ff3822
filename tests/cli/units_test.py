#!/usr/bin/env python3
"""Lets systemd-analyze look at the units, with the program that was built: usage: units_test.py PROGRAM UNIT..."""

import os
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77  # what the test runner takes for "skipped"


def main():
    program, units = os.path.abspath(sys.argv[1]), sys.argv[2:]
    if not shutil.which("systemd-analyze"):
        print("systemd-analyze is not installed: the units were not verified")
        return SKIPPED
    failed = False
    with tempfile.TemporaryDirectory() as directory:
        for unit in units:
            with open(unit, encoding="utf-8") as file:
                text = file.read()
            if "/usr/local/bin/grantfs " not in text:
                print(f"{unit}: does not run /usr/local/bin/grantfs")
                failed = True
            copy = os.path.join(directory, os.path.basename(unit))
            with open(copy, "w", encoding="utf-8") as file:
                file.write(text.replace("/usr/local/bin/grantfs ", program + " "))
            done = subprocess.run(["systemd-analyze", "verify", "--man=no", copy], stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, check=False)
            if done.returncode != 0 or done.stdout.strip():
                print(f"{unit}: systemd-analyze ended with {done.returncode}:\n{done.stdout}")
                failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
