"""No plaintext stays behind in the memory of vault and mount, in a dump of them, in a file or a log."""

import mmap
import os
import shutil
import subprocess
import sys

from harness import *
from processes import holders, tree

SECRET, SMALL = "shop/prod/marked", "shop/prod/small"
READ_ALIKE = """
import mmap, os, sys
out = os.open(os.devnull, os.O_WRONLY)
for turn in range(int(sys.argv[2])):
    with open(sys.argv[1], "rb") as secret:
        size = os.fstat(secret.fileno()).st_size
        if turn % 2:
            with mmap.mmap(secret.fileno(), 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ) as mapped:
                bytes(mapped)
        else:
            assert os.sendfile(out, secret.fileno(), 0, size) == size
"""


def marked(size):
    """A value that begins and ends with a marker that is nowhere else."""
    mark = b"marker-" + os.urandom(16).hex().encode()
    return mark, mark + b"." * (size - 2 * len(mark)) + mark


def holds(path, mark):
    try:
        with open(path, "rb") as content:
            rest = b""
            while piece := content.read(1 << 20):
                if mark in rest + piece:
                    return True
                rest = piece[-len(mark):]
    except OSError:  # a pipe without a writer, or gone meanwhile
        pass
    return False


class PlaintextTest(Case):
    """A small value, and one of several pages: they lie in different kinds of locked memory."""

    def setUp(self):
        super().setUp()
        self.world.environ["TMPDIR"] = os.path.join(self.world.dir, "tmp")
        os.mkdir(self.world.environ["TMPDIR"])
        (self.mark, value), (self.small_mark, small) = marked(5 * mmap.PAGESIZE), marked(100)
        self.grant_to_web1(SECRET, value)
        self.owner.set(SMALL, small)
        self.owner.run("grant", "web-1", SMALL)
        self.mount = Mount(self.web1).start()
        for name in (SECRET, SMALL):
            until(name + " to be listed", lambda: os.path.exists(self.mount.file(name)))

    def servers(self):
        return tree(self.mount.process.pid) | tree(self.world.server.pid)

    def hold(self, name):
        """Another process that has the file open and has read it."""
        program = "exec 3<%s; cat <&3 >/dev/null; echo open; read -r _" % self.mount.file(name)
        holder = subprocess.Popen(["sh", "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.world.more.append(holder)
        self.assertEqual(holder.stdout.readline(), b"open\n")
        return holder

    def let_go(self, holder):
        holder.stdin.close()
        holder.wait()
        holder.stdout.close()

    def read_often(self, name, times):
        """As programs do: half of them read, others map, others send."""
        loop = "i=0; while [ $i -lt %d ]; do cat %s || exit 1; i=$((i + 1)); done >/dev/null"
        subprocess.run(["sh", "-c", loop % (times // 2, self.mount.file(name))], check=True)
        subprocess.run([sys.executable, "-c", READ_ALIKE, self.mount.file(name), str(times // 2)], check=True)

    def nothing_holds(self, mark):
        until("no mapping to hold what was closed: %s" % holders(self.servers(), mark),
              lambda: not holders(self.servers(), mark))

    def test_memory_holds_a_value_only_while_it_is_open(self):
        for name, mark in ((SECRET, self.mark), (SMALL, self.small_mark)):
            self.assertEqual(holders(self.servers(), mark), [])
            holder = self.hold(name)
            found = holders(self.servers(), mark)
            self.let_go(holder)
            self.assertTrue(found, "no process holds what is open: the test looks in the wrong place")
            for mapping in found:
                self.assertIn(mapping.pid, tree(self.mount.process.pid), "the vault cannot have it: %r" % mapping)
                self.assertTrue(mapping.locked() and not mapping.dumped(), "not locked, or in dumps: %r" % mapping)
            self.nothing_holds(mark)
            self.read_often(name, 60)
            self.nothing_holds(mark)

    def test_after_a_thousand_reads_it_is_nowhere(self):
        for name in (SECRET, SMALL):
            self.read_often(name, 500)
        marks = (self.mark, self.small_mark)
        self.assertEqual([run for run in self.world.said if any(mark in run.out + run.err.encode() for mark in marks)], [])
        told = self.owner.run("audit", "list", "--limit", "1000", "--json").out
        places = self.files() + self.descriptors()
        self.assertIn(self.mount.log_path, places)
        for mark in marks:
            self.assertNotIn(mark, told)
            self.assertEqual([path for path in places if holds(path, mark)], [])
        self.dump_while_open(marks)

    def files(self):
        """All below the world's directory: the vault's data, homes, logs, what is temporary; not the mount."""
        found = []
        for directory, below, names in os.walk(self.world.dir):
            below[:] = [name for name in below if os.path.join(directory, name) != self.mount.path]
            found += [os.path.join(directory, name) for name in names if os.path.isfile(os.path.join(directory, name))]
        return found

    def descriptors(self):
        """What vault and mount have open that is a file, with a name or without."""
        links = ["/proc/%d/fd/%s" % (pid, fd) for pid in self.servers() for fd in os.listdir("/proc/%d/fd" % pid)]
        return [link for link in links if os.path.isfile(link)]

    def dump_while_open(self, marks):
        """Dumps of all of them hold nothing even while the files are open: the memory is excluded from dumps."""
        for pid in self.servers():
            with open("/proc/%d/limits" % pid, encoding="utf-8") as limits:
                self.assertRegex(limits.read(), "Max core file size +0 +0 ")
        if not shutil.which("gdb"):
            self.skipTest("all but dumps was tested: gdb is missing")
        holders_of, dumps = [self.hold(name) for name in (SECRET, SMALL)], []
        try:
            for pid in self.servers():
                dump = os.path.join(self.world.dir, "core.%d" % pid)
                said = subprocess.run(["gdb", "-nx", "-batch", "-readnever", "-iex", "set auto-solib-add off",
                                       "-p", str(pid), "-ex", "gcore " + dump], capture_output=True, text=True, check=False,
                                      stdin=subprocess.DEVNULL, timeout=120 * SLOWNESS, env={**self.world.environ, "LC_ALL": "C"})
                if not os.path.exists(dump):
                    self.assertIn("ptrace", said.stderr, "no dump was written, and not because it is forbidden")
                    continue
                dumps.append(dump)
                for mark in marks:
                    self.assertFalse(holds(dump, mark), "the dump of %d: %s" % (pid, said.stdout))
            if dumps:
                self.assertTrue(any(holds(dump, SECRET.encode()) for dump in dumps), "not even the name is in a dump")
        finally:
            for holder in holders_of:
                self.let_go(holder)


if __name__ == "__main__":
    main()
