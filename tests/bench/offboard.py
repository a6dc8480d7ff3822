"""What `grantfs offboard` costs where nothing but the leaver's statements stands in an environment.

    GRANTFS_BINARY=... GRANTFS_VAULT_FILL=... PYTHONPATH=tests/e2e python3 tests/bench/offboard.py [STATEMENTS]

Run by `contrib/bench --offboard`; not a test. A writer makes secrets of nine versions each, ten statements a secret (vault_fill
does it in its name), so that every one needs a vouch; then an owner offboards it. It looks at what is left: every secret still has its value.

For each command it prints the time, the processor time of client and vault (which tells more on a busy machine), the requests
that the vault had, and, where strace is installed, how often the home and the vault waited for the disk.
"""

import os
import re
import resource
import shutil
import subprocess
import sys
import time
import urllib.request

from harness import *

VERSIONS = 9
SYNCS = "fsync,fdatasync"


def run(home, *words, text="", before=()):
    # A long import or removal is what is measured here, so that no patience ends it.
    command = [*before, os.environ["GRANTFS_BINARY"], *words, "--home", home]
    done = subprocess.run(command, input=text.encode(), capture_output=True)
    if done.returncode != 0:
        raise AssertionError("%s: exit %d: %s" % (" ".join(words), done.returncode, done.stderr.decode()))
    return done.stdout.decode()


class Meter:
    """What the vault, and a command, have used."""

    def __init__(self, world):
        self.world, self.port = world, free_port()
        world.serve_options = ["--metrics", "127.0.0.1:%d" % self.port]

    def requests(self):
        with urllib.request.urlopen("http://127.0.0.1:%d/metrics" % self.port) as answer:
            text = answer.read().decode()
        return sum(int(float(n)) for n in re.findall(r"^grantfs_requests_total\S* (\S+)$", text, re.MULTILINE))

    def vault_cpu(self):
        with open("/proc/%d/stat" % self.world.server.pid) as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @staticmethod
    def client_cpu():
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    def measure(self, title, home, *words):
        counts = os.path.join(self.world.dir, "syncs")
        strace = ["strace", "-f", "--seccomp-bpf", "-c", "-e", "trace=" + SYNCS, "-o", counts] if shutil.which("strace") else []
        asked, vault, client, begin = self.requests(), self.vault_cpu(), self.client_cpu(), time.monotonic()
        out = run(home, *words, before=strace)
        took, client, vault = time.monotonic() - begin, self.client_cpu() - client, self.vault_cpu() - vault
        syncs = ""
        if strace:
            with open(counts) as text:
                rows = [line.split() for line in text if line.rstrip().endswith(tuple(SYNCS.split(",")))]
            syncs = ", %d waits of the home for the disk" % sum(int(row[3]) for row in rows)
        print("%s: %.1f s; processor time %.1f s (client %.1f, vault %.1f); %d requests%s"
              % (title, took, client + vault, client, vault, self.requests() - asked, syncs), flush=True)
        return out


def main():
    statements = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    secrets = max(1, statements // (VERSIONS + 1))
    world = World()
    meter = Meter(world)
    try:
        owner = world.init().owner.path
        leaver = os.path.join(world.dir, "ci")
        run(leaver, "enroll", text=run(owner, "invite", "--kind", "agent", "ci"))
        run(owner, "approve", "ci")
        run(leaver, "enroll")
        run(owner, "member", "add", "shop/prod", "ci", "--role", "writer")
        begin = time.monotonic()
        world.kill_server(signal.SIGTERM)
        subprocess.run([os.environ["GRANTFS_VAULT_FILL"], world.data, leaver, "versions", "shop/prod", str(secrets), str(VERSIONS)], check=True)
        world.serve()
        made = secrets * (VERSIONS + 1)
        print("%d statements of the leaver, in %d secrets, made in %.0f s" % (made, secrets, time.monotonic() - begin), flush=True)
        meter.measure("offboard --dry-run (verifies all of them for the first time)", owner, "offboard", "ci", "--dry-run", "--json")
        due = json.loads(meter.measure("offboard", owner, "offboard", "ci", "--json"))
        if len(due["due"]) != secrets or due["problems"] or not due["removed_from_vault"]:
            raise AssertionError("%d due of %d, %s" % (len(due["due"]), secrets, due["problems"]))
        meter.measure("offboard once more (nothing is left to do)", owner, "offboard", "ci", "--json")
        if len(run(owner, "secret", "get", "shop/prod/N_%d" % (secrets - 1))) != 64:
            raise AssertionError("what it has set does not stand")
    finally:
        world.close()


if __name__ == "__main__":
    main()
