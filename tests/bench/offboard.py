"""How long `grantfs offboard` takes where nothing but the leaver's statements stands in an environment.

    GRANTFS_BINARY=... PYTHONPATH=tests/e2e python3 tests/bench/offboard.py [STATEMENTS]

Run by `contrib/bench --offboard`; not a test. A writer makes secrets of nine versions each, ten statements a secret, so that
every one needs a vouch; then an owner offboards it. It looks at what is left: every secret still has its value.
"""

import os
import subprocess
import sys
import time

from harness import *

AT_ONCE, VERSIONS = 250, 9


def run(home, *words, text=""):
    # A long import or removal is what is measured here, so that no patience ends it.
    done = subprocess.run([os.environ["GRANTFS_BINARY"], *words, "--home", home], input=text.encode(), capture_output=True)
    if done.returncode != 0:
        raise AssertionError("%s: exit %d: %s" % (" ".join(words), done.returncode, done.stderr.decode()))
    return done.stdout.decode()


def main():
    statements = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    secrets = statements // (VERSIONS + 1) // AT_ONCE * AT_ONCE or AT_ONCE
    world = World()
    try:
        owner = world.init().owner.path
        leaver = os.path.join(world.dir, "ci")
        run(leaver, "enroll", text=run(owner, "invite", "--kind", "agent", "ci"))
        run(owner, "approve", "ci")
        run(leaver, "enroll")
        run(owner, "member", "add", "shop/prod", "ci", "--role", "writer")
        begin = time.monotonic()
        for version in range(VERSIONS):
            for first in range(0, secrets, AT_ONCE):
                names = range(first, first + AT_ONCE)
                run(leaver, "secret", "import", "--replace", "shop/prod", text="".join("N_%d=%d\n" % (n, version) for n in names))
        made = secrets * (VERSIONS + 1)
        print("%d statements of the leaver, in %d secrets, made in %.0f s" % (made, secrets, time.monotonic() - begin), flush=True)
        begin = time.monotonic()
        run(owner, "offboard", "ci", "--dry-run", "--json")
        print("offboard --dry-run (verifies all of them for the first time): %.1f s" % (time.monotonic() - begin), flush=True)
        begin = time.monotonic()
        due = json.loads(run(owner, "offboard", "ci", "--json"))
        print("offboard: %.1f s" % (time.monotonic() - begin), flush=True)
        if len(due["due"]) != secrets or due["problems"] or not due["removed_from_vault"]:
            raise AssertionError("%d due of %d, %s" % (len(due["due"]), secrets, due["problems"]))
        if run(owner, "secret", "get", "shop/prod/N_%d" % (secrets - 1)) != str(VERSIONS - 1):
            raise AssertionError("what it has set does not stand")
    finally:
        world.close()


if __name__ == "__main__":
    main()
