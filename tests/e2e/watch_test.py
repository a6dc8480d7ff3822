"""Watchers and the on-change command, with a real vault: whoever waits for a rotation instead of asking again."""

import errno
import os
import signal
import subprocess

import harness
from harness import until
from watching import *

NAME = "shop/prod/db-password"
ROTATIONS = 10


class WatchTest(harness.Case):
    def setUp(self):
        super().setUp()
        self.grant_to_web1(NAME, b"version 0\n")

    def mount(self, *options):
        return harness.Mount(self.web1, "mnt", *options).start()

    def watch(self, path):
        watch = Watch(path)
        self.addCleanup(watch.close)
        return watch

    def start(self, *command, out):
        with open(out, "wb") as file:
            process = subprocess.Popen(command, stdout=file, stderr=file, stdin=subprocess.DEVNULL)
        self.world.more.append(process)
        return process

    def text(self, path):
        try:
            with open(path) as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def bind(self, mount):
        path = os.path.join(self.world.dir, "bound")
        open(path, "x").close()
        if LIBC.mount(mount.file(NAME).encode(), path.encode(), None, 4096, None) != 0:
            raise OSError(ctypes.get_errno(), "bind")
        self.addCleanup(lambda: LIBC.umount2(path.encode(), 2))
        return path

    def content(self, path):
        """What a program reads there, as soon as it can: the vault of a busy machine may miss an open's deadline."""
        return until("reading " + path,
                     lambda: (lambda run: run if run.returncode == 0 else None)(subprocess.run(["cat", path], capture_output=True))).stdout

    def rotate(self, mount, value, *seen):
        """A rotation that all watchers saw. Where the machine stood still for a second, the mount went on without them and said
        so: then again."""
        def missed():
            return mount.log().count("not visible to watchers")

        while not all([saw() for saw in seen]):
            before = missed()
            self.owner.set(NAME, value)
            until("the watchers", lambda: all([saw() for saw in seen]) or missed() > before)

    def test_every_kind_of_watcher_sees_each_rotation(self):
        mount = self.mount()
        bound = self.bind(mount)
        tail_out = os.path.join(self.world.dir, "tail")
        self.start("tail", "-n", "+1", "-s", "0.02", "-F", mount.file(NAME), out=tail_out)
        until("tail to begin", lambda: "version 0\n" in self.text(tail_out))
        for number in range(1, ROTATIONS + 1):
            value = b"version %d\n" % number
            watches = [self.watch(path) for path in (os.path.dirname(mount.file(NAME)), mount.file(NAME), bound)]
            directory, file, single = watches
            self.rotate(mount, value, lambda: directory.saw(IN_MOVED_TO, "db-password"),
                        lambda: directory.saw(IN_CLOSE_WRITE, "db-password"),
                        lambda: file.saw(IN_DELETE_SELF | IN_ATTRIB), lambda: single.saw(IN_CLOSE_WRITE))
            self.assertEqual(self.content(mount.file(NAME)), value)
            self.assertEqual(self.content(bound), value)
            until("tail", lambda: value.decode() in self.text(tail_out))

    def test_a_revocation_and_a_killed_helper_are_seen(self):
        mount = self.mount()
        directory = self.watch(os.path.dirname(mount.file(NAME)))
        for number in range(3):
            [helper] = until("the helper", lambda: children(mount.process.pid, "grantfs-rotate"))
            self.assertGreater(helper, 1)
            os.kill(helper, signal.SIGKILL)
            directory.seen.clear()
            self.rotate(mount, b"next %d" % number, lambda: directory.saw(IN_MOVED_TO, "db-password"))
            self.assertEqual(self.content(mount.file(NAME)), b"next %d" % number)
        self.owner.run("revoke", "web-1", NAME)
        until("the revocation", lambda: directory.saw(IN_DELETE, "db-password"))
        self.assertFalse(os.path.exists(mount.file(NAME)))

    def test_nobody_else_can_write_or_sees_what_is_hidden(self):
        mount = self.mount()
        file = mount.file(NAME)
        for number in range(5):
            self.owner.set(NAME, b"attacked %d" % number)
            for attack in (lambda: os.open(file, os.O_WRONLY), lambda: os.rename(file, file + "2"), lambda: os.unlink(file),
                           lambda: os.mkdir(file + "3"), lambda: os.utime(file), lambda: os.chmod(file, 0o777)):
                self.errno_of(errno.EROFS, attack)
            self.errno_of(errno.ENOENT, lambda: os.stat(mount.file(".grantfs/.rotation")))
            self.assertNotIn(".rotation", os.listdir(mount.file(".grantfs")))
            self.assertEqual(self.content(mount.file(NAME)), b"attacked %d" % number)

    def test_the_on_change_command_reloads_a_program(self):
        """What a web server does: it reads its secret at its start and when it is told to reload."""
        served, pid = os.path.join(self.world.dir, "served"), os.path.join(self.world.dir, "pid")
        script = ('echo $$ > "$3"; load() { until cat "$1" > "$2.new"; do sleep 0.1; done; mv "$2.new" "$2"; }; trap \'load "$@"\' USR1; trap \'kill $!; exit\' TERM; load "$@";'
                  ' while :; do sleep 1000 & wait; kill $!; done')
        mount = self.mount("--on-change", "echo \"changed: $*\"; kill -USR1 $(cat %s)" % pid)
        self.start("sh", "-c", script, "server", mount.file(NAME), served, pid, out=os.path.join(self.world.dir, "out"))
        until("the server to begin", lambda: self.text(served) == "version 0\n")
        for number in range(1, 4):
            self.owner.set(NAME, b"version %d\n" % number)
            try:
                until("the server to reload", lambda: self.text(served) == "version %d\n" % number)
            except AssertionError as late:
                raise AssertionError("%s; it serves %s; the mount says:\n%s%s" % (
                    late, self.text(served), mount.log(), mount.read(".grantfs/status").decode())) from late
        until("the log", lambda: "on-change: changed: " + NAME in mount.log())
        status = until("the status", lambda: (lambda text: text if b"on-change" in text else None)(mount.read(".grantfs/status")))
        self.assertIn(b"watchers    see rotations\n", status)

    def test_failures_of_the_on_change_command_are_told(self):
        mount = self.mount("--on-change", "[ -e %s/hang ] && exec sleep 1000; exit 7" % self.world.dir, "--on-change-limit", "3s")
        self.assertIn(b"on-change   the command has not run yet", mount.read(".grantfs/status"))
        self.owner.set(NAME, b"two")
        until("the failure", lambda: b"failed with exit status 7" in mount.read(".grantfs/status"))
        open(os.path.join(self.world.dir, "hang"), "x").close()
        self.owner.set(NAME, b"three")
        until("the end of it", lambda: b"was killed, since it ran too long" in mount.read(".grantfs/status"))
        self.assertIn("on-change: the command was killed", mount.log())
        self.assertEqual(self.content(mount.file(NAME)), b"three")
        run = self.web1.run("mount", os.path.join(self.world.dir, "other"), "--on-change", "true", "--on-change-limit", "0s",
                            expect=None)
        self.refused(run, harness.USAGE, "--on-change-limit", "90s")
        admin = self.owner.run("mount", os.path.join(self.world.dir, "other"), "--admin", "--on-change", "true", expect=None)
        self.refused(admin, harness.USAGE, "--on-change", "--admin")


if __name__ == "__main__":
    harness.main()
