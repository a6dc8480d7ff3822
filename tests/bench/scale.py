"""How a vault's costs grow with what it holds.

    GRANTFS_BINARY=... GRANTFS_VAULT_LOAD=... GRANTFS_VAULT_FILL=... PYTHONPATH=tests/e2e python3 tests/bench/scale.py SECRETS...

Run by `contrib/bench --scale`; not a test. For each number of secrets (1,000 and more) a vault is made that holds them, a tenth as many
machines, ten times as many grants and a hundred times as many audit records: an owner, environments and two machines by commands,
all else by vault_fill. Then a line says what it costs to start, to read, to grant, to set a value, to back up and to verify.
"""

import os
import statistics
import subprocess
import sys
import time

os.environ.setdefault("GRANTFS_SLOWNESS", "30")  # a large vault's first start takes longer than a test waits

from harness import *

ENVIRONMENTS, GRANTS_EACH, SAMPLES, PATIENCE = 10, 100, 20, 24 * 3600
COLUMNS = ("secrets", "machines", "grants", "records", "fill s", "start s", "RSS MiB", "read p50", "read p99", "1st grant", "grant p50",
           "grant p99", "set to 1", "to @group", "to each", "disk MiB", "backup s", "verify s")


def seconds_of(action):
    begin = time.monotonic()
    action()
    return time.monotonic() - begin


class Filled:
    """A vault of that size. Each method after the first two measures one thing, and returns the columns' texts."""

    def __init__(self, world, secrets):
        self.world, self.secrets, self.machines = world, secrets, secrets // 10
        self.owner = world.init(environment=None).owner
        for number in range(ENVIRONMENTS):
            self.owner.run("env", "create", "scale/e%d" % number)
        self.reader = world.machine("m-0")
        world.machine("m-1")
        self.reader.run("enroll")  # it sees its approval

    def owner_runs(self, *words, stdin=b""):
        return self.owner.run(*words, stdin=stdin, timeout=PATIENCE)

    def fill(self):
        """While the vault stands still. The last machine's group and the two secrets beside `wide` are made by commands."""
        fill = [os.environ["GRANTFS_VAULT_FILL"], self.world.data, self.owner.path]
        begin = time.monotonic()
        self.world.kill_server(signal.SIGTERM)
        for words in (["machines", self.machines], ["secrets", self.secrets, GRANTS_EACH],
                      ["readers", "scale/e0", "wide", self.machines], ["records", self.secrets * 100]):
            subprocess.run([*fill, *map(str, words)], check=True)
        self.filled = time.monotonic() - begin
        self.world.serve()

    def group(self):
        """A group of all machines, and a secret for it beside one of a single reader."""
        names = ["m-0", "m-1", *("f-%d" % number for number in range(2, self.machines))]
        self.owner_runs("group", "create", "scale/e0", "all", *names[:5000])
        if names[5000:]:  # a command takes no more words than that
            self.owner_runs("group", "add", "scale/e0", "all", *names[5000:])
        for secret, who in (("of-group", "@all"), ("of-one", "m-1")):
            self.owner_runs("secret", "set", "scale/e0/" + secret, stdin=b"first")
            self.owner_runs("grant", who, "scale/e0/" + secret)

    def starts(self):
        self.world.kill_server(signal.SIGTERM)
        took = seconds_of(self.world.serve)
        newest = self.owner.json("audit", "list", "--limit", "1")
        return newest["records"][0]["sequence"] + 1, "%.1f" % self.filled, "%.2f" % took

    def grants(self):
        """The first one has to verify what has come since; the others are as an owner's day is."""
        grant = lambda sample: self.owner_runs("grant", "m-1", "scale/e1/S_%d" % sample, "--mode", "0440")
        first = seconds_of(lambda: grant(0))
        times = sorted(seconds_of(lambda sample=sample: grant(sample)) for sample in range(1, SAMPLES + 1))
        return "%.2f" % first, "%.3f" % statistics.median(times), "%.3f" % times[-1]

    def reads(self):
        """Milliseconds, of a closed loop."""
        done = subprocess.run([os.environ["GRANTFS_VAULT_LOAD"], self.reader.path, "scale/e0/S_0", str(self.world.server.pid), "5", "8"],
                              stdout=subprocess.PIPE, check=True, text=True)
        line = next(line.split() for line in done.stdout.splitlines() if " closed " in line)
        with open("/proc/%d/status" % self.world.server.pid) as status:
            rss = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
        return rss // 1024, line[3], line[4]

    def sets(self):
        """A new version for one machine, for a group of all of them, and for each of them by itself."""
        columns = []
        for secret in ("of-one", "of-group", "wide"):
            set_it = lambda: self.owner_runs("secret", "set", "scale/e0/" + secret, stdin=b"another value")
            set_it()  # verifies what has come since
            columns.append("%.2f" % statistics.median(seconds_of(set_it) for _ in range(3)))
        return columns

    def backs_up(self):
        backup = os.path.join(self.world.dir, "backup")
        took = seconds_of(lambda: self.owner.run("backup", "--data", self.world.data, backup, timeout=PATIENCE))
        disk = os.path.getsize(backup)
        os.unlink(backup)
        return disk >> 20, "%.1f" % took

    def verifies(self):
        return ("%.1f" % seconds_of(lambda: self.owner_runs("audit", "verify")),)


def main():
    print(" ".join("%9s" % column for column in COLUMNS), flush=True)
    for secrets in map(int, sys.argv[1:]):
        world = World()
        try:
            vault = Filled(world, secrets)
            vault.fill()
            vault.group()
            row = [secrets, vault.machines, vault.machines * GRANTS_EACH, *vault.starts(), *vault.reads(), *vault.grants(),
                   *vault.sets(), *vault.backs_up(), *vault.verifies()]
        finally:
            world.close()
        print(" ".join("%9s" % cell for cell in row), flush=True)


if __name__ == "__main__":
    main()
