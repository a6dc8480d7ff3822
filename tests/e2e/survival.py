"""Readers that must not notice what happens to a mount, and what is told of them. For survival_test and contrib/survive."""

import json
import os
import random
import re
import signal
import subprocess
import time

from harness import *

STEADY_READER = os.environ["GRANTFS_STEADY_READER"]
SECRET = "shop/prod/db-password"
OTHER = "shop/prod/other"  # for readers that do not know how many of their opens succeeded


def content(version):
    return b"V%06d:" % version + bytes([ord("a") + version % 26]) * (10 + version * 37 % 20000)


class Survival:
    """A granted mount, and readers of it."""

    def __init__(self, world, terms=(), options=(), mounted=Mount):
        """@param terms  of the grant. @param options  of the mount. @param mounted  what runs it."""
        self.world, self.owner = world, world.init().owner
        self.web1 = world.machine("web-1")
        for name in (SECRET, OTHER):
            self.owner.set(name, content(1))
        self.owner.run("grant", "web-1", SECRET, OTHER, *terms)
        self.mount = mounted(self.web1, "mnt", *options).start()
        for name in (SECRET, OTHER):
            until(name + " to be listed", lambda: self.mount.reads(name, content(1)))
        self.before = self.records()
        self.stop = os.path.join(world.dir, "stop")
        self.readers, self.deaths, self.version = [], [], 1

    def read(self, kind, count=1, name=SECRET, inside=()):
        """@param inside  words that lead to a program in namespaces of its own."""
        for _ in range(count):
            reader = subprocess.Popen([*inside, STEADY_READER, kind, self.mount.file(name), self.stop],
                                      stdout=subprocess.PIPE, text=True)
            self.readers.append((kind, name, reader))
            self.world.more.append(reader)

    def worker(self):
        """The process that serves."""
        with open(self.mount.file(".grantfs/status")) as status:
            return int(re.search(r"^worker +process (\d+)", status.read(), re.M)[1])

    def at_some_moment(self):
        """Deaths come at any moment of a read: after some of what is not recorded."""
        for _ in range(random.randrange(200)):
            self.mount.read(".grantfs/status")

    def serving(self, before):
        pid = self.worker()
        return pid if pid != before else None

    def kill(self, how=signal.SIGKILL):
        """Ends the worker and waits until another one serves."""
        pid = self.worker()
        self.at_some_moment()
        assert pid > 1
        self.deaths.append(("worker", time.monotonic()))
        os.kill(pid, how)
        return until("another worker", lambda: self.serving(pid), 30)

    def kill_supervisor(self, meanwhile=None, wait=True):
        """Of a ManagedMount. Waits until the next one says that files can be read."""
        self.at_some_moment()
        self.deaths.append(("supervisor", time.monotonic()))
        before = self.mount.kill_supervisor(meanwhile)
        if wait:
            self.mount.await_ready(before)

    def upgrade(self):
        pid = self.worker()
        self.deaths.append(("upgrade", time.monotonic()))
        self.web1.run("mount", "--upgrade", self.mount.path)
        until("a worker of the new program", lambda: self.serving(pid))

    def rotate(self):
        self.version += 1
        self.owner.set(SECRET, content(self.version))

    def wait_for(self, opens):
        """As long as more records come: a vault takes so many a minute from a machine's journal."""
        told = self.count()
        while told - self.before[0] < opens:
            told = until("more records than %d of %d opens" % (told, opens), lambda: self.count_above(told), 90)
        until("all records", lambda: self.records()[0] - self.before[0] >= opens, 60)

    def records(self):
        """How many reads of the secret the vault has recorded, and by how many opens."""
        reads = self.reads()
        return len(reads), len({body["open"] for body in reads})

    def counted(self):
        """How many opens the vault's records of reads stand for."""
        return sum(body.get("count", 1) for body in self.reads())

    def reads(self):
        return [body for body in self.bodies() if "read" in body["action"] and body["outcome"] == "done"]

    def bodies(self):
        """The vault's records of the secret."""
        return [json.loads(body) for body in self.column("body")]

    def count(self):
        return self.column("count(*)")[0]

    def count_above(self, told):
        count = self.count()
        return count if count > told else None

    def column(self, name):
        import sqlite3
        database = sqlite3.connect("file:%s?mode=ro" % os.path.join(self.world.data, "vault.db"), uri=True)
        try:
            return [value for value, in database.execute("SELECT %s FROM audit_bodies WHERE object = ?" % name, (SECRET,))]
        finally:
            database.close()

    def finish(self, sent_later=False):
        """Ends the readers. @param sent_later  the vault is told of reads when they are over. @return what came of them."""
        open(self.stop, "w").close()
        told = {"opens": 0, "reads": 0, "wrong": 0, "errors": {}, "stalls": []}
        for kind, name, reader in self.readers:
            out = reader.communicate(timeout=120 * SLOWNESS)[0]
            assert out, "a reader (%s) ended with %s" % (kind, reader.returncode)
            said = json.loads(out)
            told["reads"] += said["reads"]
            told["wrong"] += said["wrong"]
            told["opens"] += said["opens"] if name == SECRET else 0
            told["stalls"] += said["stalls"]
            for what, count in said["errors"].items():
                told["errors"][kind + " " + what] = told["errors"].get(kind + " " + what, 0) + count
        if sent_later:
            self.wait_for(told["opens"])
        records, by_opens = self.records()
        told["records"], told["recorded_opens"] = records - self.before[0], by_opens - self.before[1]
        return told

    def pauses(self, told, what):
        """The longest that a reader waited at each death of that kind ("worker", "upgrade", "supervisor"), in milliseconds, in order."""
        longest = []
        for kind, death in self.deaths:
            if kind != what:
                continue
            at = [took for start, took in told["stalls"] if start <= death + 0.2 and start + took * 1e-6 >= death]
            longest.append(max(at, default=2000) / 1000)
        return sorted(longest)
