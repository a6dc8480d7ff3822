"""Signed, durably recorded reads straight at a vault over TLS, by a process of its own: closed loop and open loop.

    GRANTFS_BINARY=... GRANTFS_VAULT_LOAD=... PYTHONPATH=tests/e2e python3 tests/bench/load.py [SECONDS [CONNECTIONS...]]

Run by `contrib/bench --load`; not a test. Ends with `audit verify`, so that a read that was answered and not recorded would show.
"""

import os
import subprocess
import sys

from harness import *

SECRET = "shop/prod/db-password"


def main():
    seconds, connections = sys.argv[1] if len(sys.argv) > 1 else "5", sys.argv[2:] or ["1", "8", "64", "256"]
    world = World()
    try:
        world.init().owner.set(SECRET, b"7" * 64)
        machine = world.machine("web-1")
        world.owner.run("grant", machine.name, SECRET)
        machine.run("read", SECRET)  # it has seen its approval
        subprocess.run([os.environ["GRANTFS_VAULT_LOAD"], machine.path, SECRET, str(world.server.pid), seconds, *connections], check=True)
        print(world.owner.run("audit", "verify", timeout=600).text, end="")
    finally:
        world.close()


if __name__ == "__main__":
    main()
