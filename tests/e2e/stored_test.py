"""Whatever kills a mount's supervisor, readers go on where a service manager keeps what it held."""

import ctypes
import errno
import fcntl
import os
import struct
import subprocess
import tempfile
import time
import unittest

from manager import *
from survival import *

FUSE, REQUESTS, KEPT, RECORD = NAMES = ["grantfs-fuse", "grantfs-requests", "grantfs-kept", "grantfs-record"]


class StoredCase(Case):
    def begin(self, **more):
        self.it = Survival(self.world, mounted=ManagedMount, **more)
        self.mount = self.it.mount
        self.manager = self.mount.manager

    def finish(self):
        told = self.it.finish()
        self.assertEqual((told["errors"], told["wrong"]), ({}, 0), self.mount.log())
        self.assertEqual(told["records"], told["opens"], "one record for each open that succeeded")
        self.assertEqual(told["recorded_opens"], told["opens"])
        self.assertEqual((self.mount.failures, self.manager.strangers), ([], []), self.mount.log())
        self.it.owner.run("audit", "verify")


class KilledTest(StoredCase):
    alone = True

    def test_readers_do_not_notice_that_supervisors_are_killed(self):
        self.begin()
        for kind in ("open", "held", "mapped"):
            self.it.read(kind, 2)
        self.it.read("open", inside=("unshare", "--mount", "--pid", "--fork", "--kill-child"))
        for number in range(12):
            self.it.kill_supervisor(wait=number % 3 != 1)  # else the next one is killed at some moment of its beginning
            if number % 4 == 3:
                self.it.kill()
        self.finish()
        status = self.mount.read(".grantfs/status").decode()
        self.assertIn("held by     process %d, and the service manager was asked to keep it" % self.mount.process.pid, status)
        self.assertEqual(sorted(self.manager.store), sorted(NAMES))
        self.assertIn({"STATUS": "files can be read on " + self.mount.path}, self.manager.said)
        self.assertTrue(all(len(kept) == 1 for kept in self.manager.store.values()))

    def test_an_end_in_order_leaves_nothing_behind(self):
        self.begin()
        self.it.kill_supervisor()
        self.assertEqual(self.mount.stop(), 0)
        self.assertEqual((self.mount.left, self.mount.mounted()), ([], False))

    def test_an_unmount_leaves_nothing_behind(self):
        self.begin()
        self.it.kill_supervisor()
        self.assertEqual(subprocess.run([BINARY, "umount", self.mount.path], capture_output=True, timeout=30).returncode, 0)
        self.mount.watch.join(20)
        self.assertEqual((self.mount.process.returncode, self.manager.store), (0, {}))

    def test_interrupted_readers_and_rotations(self):
        self.begin()
        for kind in ("open", "held", "mapped"):
            self.it.read(kind)
        self.it.read("interrupted", 2, OTHER)
        for _ in range(6):
            self.it.rotate()
            self.it.kill_supervisor()
        self.finish()
        until("the last version", lambda: self.mount.reads(SECRET, content(self.it.version)))
        self.assertIn(b"see rotations", self.mount.read(".grantfs/status"))

    def test_the_command_on_change_runs_for_the_next_supervisor_too(self):
        marks = os.path.join(self.world.dir, "marks")
        self.begin(options=("--on-change", 'echo "$@" >> ' + marks))
        for _ in range(2):
            self.it.kill_supervisor()
            self.it.rotate()
            until("the new version", lambda: self.mount.reads(SECRET, content(self.it.version)))
        until("two runs", lambda: os.path.exists(marks) and open(marks).read().count(SECRET) == 2)

    def test_each_open_under_a_lease_is_recorded_once(self):
        self.begin(terms=("--lease", "1h"))
        self.it.read("open", 3)
        for number in range(8):
            self.it.kill_supervisor(wait=number % 2 == 0)
        told = self.it.finish()
        self.assertEqual((told["errors"], told["wrong"]), ({}, 0), self.mount.log())
        opens = told["opens"] + self.it.before[0]
        until("all records", lambda: self.it.records()[0] >= opens, 40)
        self.assertEqual(self.it.records(), (opens, told["opens"] + self.it.before[1]), "one record for each open")

    def test_a_lease_and_open_files_outlive_it_though_the_vault_is_away(self):
        self.begin(terms=("--lease", "1h"))
        until("a beat after all was settled", lambda: self.mount.reads(SECRET, content(1)) and b"settled" in
              self.mount.read(".grantfs/status"))
        self.world.server.terminate()
        self.world.server.wait()
        with open(self.mount.file(SECRET), "rb", buffering=0) as opened:
            self.it.kill_supervisor()
            self.assertEqual(opened.read(), content(1))
        self.assertTrue(self.mount.reads(SECRET, content(1)), self.mount.log())


class GivenUpTest(StoredCase):
    """What cannot be gone on with is given up: readers of it are told, and a new mount is made."""

    def replace(self, name, fd):
        for old in self.manager.store.pop(name, []):
            os.close(old)
        if fd is not None:
            self.manager.store[name] = [fd]

    def given_up(self, meanwhile, *words):
        self.begin()
        held = os.open(self.mount.file(SECRET), os.O_RDONLY)
        self.addCleanup(os.close, held)
        self.it.kill_supervisor(meanwhile)
        self.assertIn("given up", self.mount.log())
        for word in words:
            self.assertIn(word, self.mount.log())
        self.assertTrue(self.mount.reads(SECRET, content(1)), self.mount.log())
        until("the end of the old one", lambda: self.read_error(held))
        self.assertEqual(self.mount.failures, [], self.mount.log())
        with open("/proc/self/mounts", encoding="utf-8") as mounts:
            self.assertEqual(mounts.read().count(self.world.dir), 1, "one mount, and nothing below it")
        # What it stores now is good.
        self.it.kill_supervisor()
        self.assertIn("goes on with the mount", self.mount.log())
        self.assertTrue(self.mount.reads(SECRET, content(1)), self.mount.log())

    def read_error(self, fd):
        try:
            return os.pread(fd, 100, 0) == b"never"
        except OSError as error:
            return error.errno in (errno.ENOTCONN, errno.ECONNABORTED, errno.EIO)

    def test_something_else_in_the_place_of_the_connection(self):
        self.given_up(lambda: self.replace(FUSE, os.open("/dev/null", os.O_RDWR)), "no descriptor of /dev/fuse")

    def test_a_connection_of_no_mount(self):
        self.given_up(lambda: self.replace(FUSE, os.open("/dev/fuse", os.O_RDWR)), "unmounted meanwhile")

    def test_a_connection_of_another_mount(self):
        fd = os.open("/dev/fuse", os.O_RDWR)
        point = tempfile.mkdtemp(prefix="grantfs-other-")
        self.addCleanup(os.rmdir, point)
        libc = ctypes.CDLL(None, use_errno=True)
        options = b"fd=%d,rootmode=40000,user_id=0,group_id=0" % fd
        self.assertEqual(libc.mount(b"other", point.encode(), b"fuse.other", 0, options), 0, os.strerror(ctypes.get_errno()))
        self.addCleanup(libc.umount2, point.encode(), 2)
        with open("/proc/self/fdinfo/%d" % fd, encoding="utf-8") as info:
            if "fuse_connection" not in info.read():
                self.skipTest("this kernel does not tell to which mount a descriptor belongs")
        self.given_up(lambda: self.replace(FUSE, fd), "the connection of another mount")

    def test_another_environment(self):
        self.begin()
        self.it.kill_supervisor(lambda: setattr(self.mount, "options", ("--root", "shop/prod")))
        self.assertIn("shows another environment", self.mount.log())
        self.assertTrue(self.mount.reads("db-password", content(1)), self.mount.log())

    def test_another_machine(self):
        self.begin(terms=("--lease", "1h"))
        other = self.world.machine("web-2")
        self.it.kill_supervisor(lambda: setattr(self.mount, "home", other))
        self.assertIn("a mount of another machine", self.mount.log())
        self.errno_of(errno.ENOENT, lambda: self.mount.read(SECRET))

    def test_other_memory(self):
        self.given_up(lambda: self.replace(KEPT, os.memfd_create("grantfs-kept")), "not the memory of this mount")

    def test_memory_that_a_worker_could_make_smaller(self):
        """As a mount that an older grantfs made would have it."""
        def unseal():
            for name in (REQUESTS, KEPT):
                sealed = self.manager.store[name][0]
                size = os.fstat(sealed).st_size
                open_again = os.memfd_create(name)
                os.ftruncate(open_again, size)
                os.pwrite(open_again, os.pread(sealed, 1 << 20, 0), 0)
                self.rename_in_record(sealed, open_again)
                self.replace(name, open_again)
        self.given_up(unseal, "workers could change its size")

    def rename_in_record(self, old, new):
        """The record as it would be if it had been made of the other memory."""
        def name(fd):
            return b"%d:%d" % (os.fstat(fd).st_dev, os.fstat(fd).st_ino)
        record = os.pread(self.manager.store[RECORD][0], 1 << 14, 0).replace(name(old), name(new))
        forged = os.memfd_create("grantfs-record", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.write(forged, record)
        fcntl.fcntl(forged, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL)
        self.replace(RECORD, forged)

    def test_a_part_is_missing(self):
        self.given_up(lambda: self.replace(REQUESTS, None), REQUESTS + ": it was not kept")

    def test_a_record_that_others_could_have_written(self):
        def forge():
            forged = os.memfd_create("grantfs-record")
            os.write(forged, os.pread(self.manager.store[RECORD][0], 4096, 0))
            self.replace(RECORD, forged)
        self.given_up(forge, "no sealed memory")

    def test_an_older_layout(self):
        self.given_up(lambda: os.pwrite(self.manager.store[REQUESTS][0], struct.pack("<Q", 0x67726d6e74303031), 0),
                      "another version of grantfs")

    def test_two_of_a_name(self):
        self.given_up(lambda: self.manager.store[FUSE].append(os.dup(self.manager.store[FUSE][0])), "more than once")

    def test_an_end_again_and_again(self):
        at = self.vain_takeovers_at
        self.given_up(lambda: os.pwrite(self.manager.store[REQUESTS][0], struct.pack("<I", 20), at()), "again and again")

    def vain_takeovers_at(self):
        """Behind the supervisor's number, the mark that it is stored, and two numbers of 8 bytes."""
        marker = struct.pack("<iI", self.mount.process.pid, 1)
        return os.pread(self.manager.store[REQUESTS][0], 4096, 0).index(marker) + 8 + 16

    def test_another_directory(self):
        self.begin()
        old = self.mount.path
        self.it.kill_supervisor(lambda: setattr(self.mount, "path", old + "-2"))
        self.assertIn("a mount on another directory", self.mount.log())
        self.assertTrue(self.mount.reads(SECRET, content(1)), self.mount.log())
        with open("/proc/self/mounts", encoding="utf-8") as mounts:
            self.assertNotIn(" %s " % old, mounts.read())
        self.assertEqual((self.mount.stop(), self.mount.left), (0, []))

    def test_without_a_home_nobody_waits(self):
        self.begin()
        held = os.open(self.mount.file(SECRET), os.O_RDONLY)
        self.addCleanup(os.close, held)
        home = self.it.web1.path
        before = self.mount.kill_supervisor(lambda: os.rename(home, home + ".away"))
        until("an error", lambda: self.read_error(held))
        os.rename(home + ".away", home)
        self.mount.await_ready(before)
        self.assertTrue(self.mount.reads(SECRET, content(1)), self.mount.log())


class PassedTest(StoredCase):
    """What a service manager passes beside that, or to somebody else."""

    def test_a_descriptor_of_no_mount_is_closed_and_said(self):
        self.begin()
        self.it.read("open", 2)
        self.it.kill_supervisor(lambda: self.manager.store.update(web=[os.memfd_create("foreign")]))
        self.finish()
        self.assertIn("none of a mount's: web", self.mount.log())
        self.assertEqual(sorted(self.manager.store), sorted(NAMES))
        supervisor = "/proc/%d/fd" % self.mount.process.pid
        self.assertNotIn("/memfd:foreign (deleted)", [os.readlink(os.path.join(supervisor, fd)) for fd in os.listdir(supervisor)])

    def test_what_is_for_another_process_is_left_alone(self):
        self.begin()
        self.it.read("open", 2)
        self.it.read("held", 2)
        before = self.mount.kill_supervisor(lambda: self.mount.variables.update(LISTEN_PID="1"))
        until("a refusal", lambda: self.mount.failures, 40)
        self.mount.variables.clear()
        self.mount.await_ready(before)
        failures, self.mount.failures = self.mount.failures, []
        self.assertEqual(set(failures), {CONFLICT}, self.mount.log())
        self.assertIn("passed descriptors to process 1", self.mount.log())
        self.assertIn("does not answer", self.mount.log())
        self.finish()

    def test_malformed_variables_are_refused(self):
        self.begin()
        for variable, value, names in (
                ("LISTEN_FDS", "65", ":" * 64), ("LISTEN_FDS", "60", ":" * 59), ("LISTEN_FDS", "four", ""), ("LISTEN_FDS", "-1", ""),
                ("LISTEN_FDS", "", ""), ("LISTEN_FDNAMES", "4", "a:b"), ("LISTEN_FDNAMES", "4", "a" * 256 + ":::"), ("LISTEN_PID", "x", "")):
            wrong = {"LISTEN_PID": value} if variable == "LISTEN_PID" else {"LISTEN_FDS": value, "LISTEN_FDNAMES": names}
            before, told = len(self.mount.failures), len(self.mount.log())
            ready = self.mount.kill_supervisor(lambda: self.mount.variables.update(wrong))
            until("a refusal of %s" % wrong, lambda: len(self.mount.failures) > before)
            self.mount.variables.clear()
            self.mount.await_ready(ready)
            self.assertIn("grantfs: the files are not shown: %s: " % variable, self.mount.log()[told:], wrong)
            self.assertTrue(self.mount.reads(SECRET, content(1)), self.mount.log())
        self.assertEqual(set(self.mount.failures), {USAGE})


if __name__ == "__main__":
    main()
