"""How a vault's costs grow with what it holds.

    GRANTFS_BINARY=... GRANTFS_VAULT_LOAD=... PYTHONPATH=tests/e2e python3 tests/bench/scale.py SECRETS...

Run by `contrib/bench --scale`; not a test. For each number of secrets (1,000 and more, rising) one vault grows to them, to a tenth as
many machines, ten times as many grants and a hundred times as many audit records, all made by the program's own commands and by
reads; then a line says what it costs to start, to read, to grant, to back up and to verify.
"""

import os
import statistics
import subprocess
import sys
import time

from harness import *

ENVIRONMENTS, AT_ONCE, GRANTS_EACH, SAMPLES = 10, 250, 100, 20
COLUMNS = ("secrets", "machines", "grants", "records", "start s", "RSS MiB", "read p50", "read p99", "grant p50", "grant max",
           "disk MiB", "backup s", "verify s")


def seconds_of(action):
    begin = time.monotonic()
    action()
    return time.monotonic() - begin


class Growing:
    def __init__(self, world):
        self.world = world
        self.owner = world.init(environment=None).owner
        self.secrets, self.machines, self.records = 0, [], 0
        self.environments = ["scale/e%d" % number for number in range(ENVIRONMENTS)]
        for environment in self.environments:
            self.owner.run("env", "create", environment)

    def owner_runs(self, *words, stdin=b""):
        return self.owner.run(*words, stdin=stdin, timeout=24 * 3600)

    def grow(self, secrets):
        each = secrets // ENVIRONMENTS
        for environment in self.environments:
            for first in range(self.secrets // ENVIRONMENTS, each, AT_ONCE):
                names = range(first, min(each, first + AT_ONCE))
                self.owner_runs("secret", "import", environment,
                                stdin="".join("S_%d=%064d\n" % (name, name) for name in names).encode())
        self.secrets = each * ENVIRONMENTS
        while len(self.machines) < secrets // 10:
            number = len(self.machines)
            self.machines.append(self.world.machine("m-%d" % number))
            environment, place = self.environments[number % ENVIRONMENTS], number // ENVIRONMENTS
            names = ["%s/S_%d" % (environment, (place * GRANTS_EACH + k) % each) for k in range(GRANTS_EACH)]
            self.owner_runs("grant", "m-%d" % number, *names)
        self.machines[0].run("read", "scale/e0/S_0")  # it has seen its approval
        while self.count_records() < secrets * 100:
            self.load(5, 16)

    def count_records(self):
        newest = self.owner.json("audit", "list", "--limit", "1")
        return newest["records"][0]["sequence"] + 1

    def load(self, seconds, connections):
        """reads/s, p50, p99 in milliseconds, of a closed loop."""
        done = subprocess.run([os.environ["GRANTFS_VAULT_LOAD"], self.machines[0].path, "scale/e0/S_0", str(self.world.server.pid), str(seconds),
                               str(connections)], stdout=subprocess.PIPE, check=True, text=True)
        line = next(line.split() for line in done.stdout.splitlines() if " closed " in line)
        return float(line[2]), float(line[3]), float(line[4])

    def measure(self):
        records = self.count_records()
        self.world.kill_server(signal.SIGTERM)
        start = seconds_of(self.world.serve)
        _, p50, p99 = self.load(5, 8)
        grants = [seconds_of(lambda sample=sample: self.owner_runs("grant", "m-1", "scale/e1/S_%d" % sample, "--mode", "0440"))
                  for sample in range(SAMPLES)]
        with open("/proc/%d/status" % self.world.server.pid) as status:
            rss = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
        backup = os.path.join(self.world.dir, "backup-%d" % self.secrets)
        backed_up = seconds_of(lambda: self.owner.run("backup", "--data", self.world.data, backup, timeout=24 * 3600))
        disk = os.path.getsize(backup)
        os.unlink(backup)
        verify = seconds_of(lambda: self.owner_runs("audit", "verify"))
        return (self.secrets, len(self.machines), len(self.machines) * GRANTS_EACH, records, "%.2f" % start, rss // 1024,
                "%.2f" % p50, "%.2f" % p99, "%.3f s" % statistics.median(grants), "%.3f s" % max(grants), disk >> 20,
                "%.2f" % backed_up, "%.2f" % verify)


def main():
    world = World()
    try:
        vault = Growing(world)
        print(" ".join("%10s" % column for column in COLUMNS), flush=True)
        for secrets in sorted(map(int, sys.argv[1:])):
            vault.grow(secrets)
            print(" ".join("%10s" % cell for cell in vault.measure()), flush=True)
    finally:
        world.close()


if __name__ == "__main__":
    main()
