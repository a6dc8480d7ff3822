"""How long a revocation takes: 20 mounts with leases, from the start of `grantfs revoke` to the last open that still succeeds.

    GRANTFS_BINARY=... PYTHONPATH=tests/e2e python3 tests/bench/revoke.py [ROUNDS]

Run by contrib/bench; not a test. Two machines with ten mounts each; both are revoked at the same moment.
"""

import statistics
import sys
import threading
import time

from harness import *

SECRET, MOUNTS_EACH = "shop/prod/db-password", 10


def refused_after(mount, seconds):
    """Opens until it is refused; when that was."""
    end = time.monotonic() + seconds
    pause = threading.Event()
    while time.monotonic() < end:
        try:
            with open(mount.file(SECRET), "rb"):
                pass
        except OSError:
            return time.monotonic()
        pause.wait(0.002)
    raise AssertionError("still served: " + mount.path)


def one_round(world, homes, mounts):
    for home in homes:
        world.owner.run("grant", home.name, SECRET, "--lease", "1h")
    for mount in mounts:
        until("a read", lambda: mount.reads(SECRET, b"hunter2"), 60)
    times, watchers = [], []
    for mount in mounts:
        watchers.append(threading.Thread(target=lambda mount=mount: times.append(refused_after(mount, 60))))
    for watcher in watchers:
        watcher.start()
    begin = time.monotonic()
    revokes = [threading.Thread(target=world.owner.run, args=("revoke", home.name, SECRET)) for home in homes]
    for thread in revokes:
        thread.start()
    for thread in [*watchers, *revokes]:
        thread.join()
    if len(times) != len(mounts):
        raise AssertionError("a mount was not refused")
    return min(times) - begin, max(times) - begin


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    world = World()
    try:
        world.init().owner.set(SECRET, b"hunter2")
        homes = [world.machine("web-%d" % number) for number in range(2)]
        mounts = [Mount(home, "%s-%d" % (home.name, number)) for home in homes for number in range(MOUNTS_EACH)]
        for mount in mounts:
            mount.start()
        measured = [one_round(world, homes, mounts) for _ in range(rounds)]
    finally:
        world.close()
    print("revoke, %d mounts, %d rounds: from the command's start to the first refused open p50 %.0f ms, to the last p50 %.0f ms, worst %.0f ms"
          % (len(mounts), rounds, *(1000 * statistics.median(one) for one in zip(*measured)), 1000 * max(last for _, last in measured)))


if __name__ == "__main__":
    main()
