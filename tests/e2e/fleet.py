"""A fleet of machines in one vault, all on this host: for fleet_test and contrib/fleet."""

import concurrent.futures
import resource
import time

from harness import *

GROUP, SECRET, LATER = "shop/prod@web", "shop/prod/db-password", "shop/prod/tls/key"
SINGLE = "shop/prod/single"  # granted to each machine by itself


def cpu():
    """Seconds of processor time that finished children have taken."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Phase:
    """How long something took, and the processor time of the commands that did it (not the vault's)."""

    def __init__(self, said, what, count):
        self.said, self.what, self.count = said, what, count

    def __enter__(self):
        self.wall, self.cpu = time.monotonic(), cpu()

    def __exit__(self, *failed):
        if failed[0] is None:
            wall, used = time.monotonic() - self.wall, cpu() - self.cpu
            self.said("%-58s %6d in %7.1f s; %6.1f ms of processor each" % (self.what, self.count, wall, used * 1000 / self.count))


class Fleet:
    def __init__(self, world, count, at_once, said=lambda line: None):
        self.world, self.count, self.at_once, self.said = world, count, at_once, said
        self.owner = world.init().owner
        self.homes = [Home(world, "web-%d" % number) for number in range(1, count + 1)]

    def phase(self, what, count=None):
        return Phase(self.said, what, count or self.count)

    def each(self, action, homes=None):
        with concurrent.futures.ThreadPoolExecutor(self.at_once) as pool:
            return list(pool.map(action, self.homes if homes is None else homes))

    def prepare(self):
        """A group that is granted one secret by name and what is below a prefix, and an invitation into it."""
        self.owner.set(SECRET, b"one")
        self.owner.run("group", "create", "shop/prod", "web")
        self.owner.run("grant", "@web", SECRET)
        self.owner.run("grant", "@web", "shop/prod/tls/")
        self.line = self.owner.run("invite", "--standing", "web-*", "--uses", str(self.count), "--ttl", "1d",
                                   "--group", GROUP).out

    def enrol(self):
        self.each(lambda home: home.run("enroll", "--name", home.name, stdin=self.line, timeout=600))

    def reads(self, name, value, homes=None):
        """How many of them read that."""
        told = self.each(lambda home: home.run("read", name, expect=None, timeout=600), homes)
        for run in told:
            if run.status != DONE or run.out != value:
                self.said("not read: %s" % run)
        return sum(run.status == DONE and run.out == value for run in told)

    def show(self):
        """All of it. Returns what went wrong, in sentences."""
        wrong = []

        def expect(good, what):
            if not good:
                wrong.append(what)

        self.prepare()
        with self.phase("machines let themselves in by one standing invitation"):
            self.enrol()
        machines = [one for one in self.owner.json("identity", "list")["identities"] if one["kind"] == "machine"]
        expect(len(machines) == self.count, "%d machines are listed" % len(machines))
        with self.phase("machines read the group's secret"):
            expect(self.reads(SECRET, b"one") == self.count, "not every machine reads what its group is granted")
        with self.phase("new secret below a granted prefix, sealed to the group", 1):
            self.owner.set(LATER, b"key")
        expect(self.reads(LATER, b"key", self.homes[:10]) == len(self.homes[:10]), "what came later is not read")
        removed, rest = self.homes[-1], self.homes[:-1]
        with self.phase("machine removed: the group's next key, sealed to the rest", 1):
            told = self.owner.json("identity", "remove", removed.name, timeout=600)
        expect(told["problems"] == [], "the removal is not complete: %s" % told["problems"])
        with self.phase("new version of the group's secret", 1):
            self.owner.set(SECRET, b"two")
        with self.phase("machines read the new version", len(rest)):
            expect(self.reads(SECRET, b"two", rest) == len(rest), "not every machine that stays reads the new version")
        self.owner.set(SINGLE, b"three")
        with self.phase("machines granted a secret, each by itself", len(rest)):
            for home in rest:
                self.owner.run("grant", home.name, SINGLE, timeout=600)
        with self.phase("new version of that secret, sealed to each", 1):
            self.owner.set(SINGLE, b"four")
        expect(self.reads(SINGLE, b"four", rest[-10:]) == len(rest[-10:]), "not every single reader reads the new version")
        gone = removed.run("read", SECRET, expect=None)
        expect(gone.status != DONE and gone.out == b"", "the removed machine reads still")
        late = Home(self.world, "late")
        late = late.run("enroll", "--name", "web-late", stdin=self.line, expect=None)
        expect(late.status == DENIED, "the invitation of the removed machine lets somebody in still")
        return wrong
