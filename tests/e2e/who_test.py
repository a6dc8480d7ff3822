"""Who on a machine may read: users, groups, units, executables; what is said to those who may not, and what is recorded."""

import array
import errno
import os
import shutil
import socket
import subprocess
import sys

from harness import *

SECRET = "shop/prod/db-password"
SPOOF = os.environ["GRANTFS_SPOOF"]


def as_user(user, *command, groups=""):
    """The command line that runs another as that user."""
    more = "--groups=" + groups if groups else "--clear-groups"
    return ["setpriv", "--reuid=%s" % user, "--regid=%s" % user, more, *command]


class WhoTest(Case):
    def setUp(self):
        super().setUp()
        self.grant_to_web1(SECRET, b"hunter2")
        self.mount = Mount(self.web1).start()
        self.path = self.mount.file(SECRET)
        until("the listing", lambda: os.path.exists(self.path))

    def grant(self, *conditions):
        """Grants anew, and waits until the mount knows of it."""
        self.owner.run("grant", "web-1", SECRET, "--mode", "0444", *conditions)
        only = ", ".join("%s=%s" % (option.removeprefix("--only-"), value)
                         for option, value in zip(conditions[::2], conditions[1::2]))
        until("the mount to know", lambda: self.mount.read(".grantfs/grants").decode().rstrip().endswith("only " + only))

    def said(self, *command):
        """What a program prints; "refused" where it was."""
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60 * SLOWNESS,
                              env=dict(self.world.environ, LC_ALL="C"))
        if b"Permission denied" in done.stderr:
            return "refused"
        self.assertEqual(done.returncode, 0, done)
        return done.stdout.decode()

    def refusals(self):
        return [r for r in self.owner.json("audit", "list", "--object", SECRET)["records"] if r["type"] == "read.refused"]

    def recorded(self, *words):
        """The record of a refusal that says these words."""
        def found():
            return next((r for r in self.refusals() if all(word in str(r) for word in words)), None)
        return until("the record of a refusal that says " + ", ".join(words), found)

    def test_users_and_groups(self):
        self.grant("--only-user", "1234", "--only-user", "1235", "--only-group", "777")
        self.assertEqual(self.said(*as_user(1234, "cat", self.path, groups="776,777")), "hunter2")
        self.assertEqual(self.said(*as_user(1235, "cat", self.path, groups="777")), "hunter2")
        self.assertEqual(self.said(*as_user(1234, "cat", self.path)), "refused")
        self.assertEqual(self.said(*as_user(1236, "cat", self.path, groups="777")), "refused")
        record = self.recorded("user 1234 or user 1235", "1236", "cat")
        self.assertEqual((record["outcome"], record["actor"], record["severity"]), ("refused", "web-1", "warning"))
        self.recorded("group 777")
        denials = self.mount.read(".grantfs/denials").decode()
        self.assertIn(SECRET, denials)
        self.assertIn("1236", denials)
        self.assertEqual(self.said(*as_user(1234, "cat", self.mount.file(".grantfs/denials"))), "refused")
        for home in (self.owner, self.web1):
            self.assertEqual(home.json("grants")["grants"][0]["conditions"], ["user=1234", "user=1235", "group=777"])
            self.assertIn("user=1234, user=1235, group=777", home.run("grants").text)
        self.refused(self.web1.run("read", SECRET, expect=None), DENIED, "mount")
        self.owner.run("audit", "verify")

    def test_refusals_wait_for_the_vault_and_are_counted(self):
        self.grant("--only-user", "1234")
        self.world.kill_server()
        for _ in range(20):
            self.errno_of(errno.EACCES, lambda: self.mount.read(SECRET))
        self.world.serve()
        self.recorded("user 1234")
        self.assertEqual(self.mount.stop(), 0)
        counts = lambda: [record["count"] for record in self.refusals()]
        until("all to be counted", lambda: sum(counts()) == 20)
        self.assertLessEqual(len(counts()), 4)

    def test_a_descriptor_in_other_hands(self):
        self.grant("--only-user", "0")
        reader = """if True:
            import array, os, socket, sys
            os.setresuid(*[int(sys.argv[1])] * 3)
            with socket.socket(fileno=0) as peer:
                _, parts, _, _ = peer.recvmsg(1, socket.CMSG_SPACE(4))
                secret = array.array("i", parts[0][2])[0]
                try:
                    print(os.pread(secret, 100, 0).decode())
                except OSError as failed:
                    print("errno", failed.errno)"""
        with open(self.path, "rb") as secret:
            self.assertEqual(secret.read(), b"hunter2")
            for user, seen in ((0, "hunter2"), (1234, "errno %d" % errno.EACCES)):
                ours, theirs = socket.socketpair()
                with ours, theirs:
                    child = subprocess.Popen([sys.executable, "-c", reader, str(user)], stdin=theirs, stdout=subprocess.PIPE)
                    ours.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [secret.fileno()]))])
                    self.assertEqual(child.communicate(timeout=60 * SLOWNESS)[0].decode().strip(), seen, "sent to user %d" % user)
            inherited = "import os; os.setresuid(1234, 1234, 1234)\ntry: os.pread(0, 9, 0)\nexcept OSError as e: print('errno', e.errno)"
            done = subprocess.run([sys.executable, "-c", inherited], stdin=secret, capture_output=True, timeout=60 * SLOWNESS)
            self.assertEqual(done.stdout.decode().strip(), "errno %d" % errno.EACCES, done)
            self.assertEqual(os.pread(secret.fileno(), 100, 0), b"hunter2", "who opened it goes on")
        self.recorded("user 0", "1234")

    def cgroup(self, name):
        """A cgroup of this test's own, removed at its end."""
        with open("/proc/self/mounts") as mounts:
            roots = [line.split()[1] for line in mounts if line.split()[2] == "cgroup2"]
        if not roots:
            self.skipTest("there is no cgroup2 filesystem")
        path = os.path.join(roots[0], name)
        try:
            os.mkdir(path)
        except OSError as failed:
            self.skipTest("cannot make a cgroup: %s" % failed)
        def remove():
            until("the cgroup to be empty", lambda: open(path + "/cgroup.procs").read() == "")
            os.rmdir(path)
        self.addCleanup(remove)
        return path

    def test_units(self):
        name = "grantfs-e2e-%d.service" % os.getpid()
        unit, other = self.cgroup(name), self.cgroup("grantfs-e2e-%d.scope" % os.getpid())
        self.grant("--only-unit", name)
        self.assertEqual(self.said("cat", self.path), "refused")
        self.recorded("unit " + name)
        inside = "echo $$ > %s/cgroup.procs && exec " % unit
        self.assertEqual(self.said("sh", "-c", inside + "cat " + self.path), "hunter2")
        moved = "exec 3<%s && echo $$ > %s/cgroup.procs && exec cat <&3" % (self.path, other)
        self.assertEqual(self.said("sh", "-c", inside + "sh -c '%s'" % moved), "refused", "moved while the file was open")
        self.grant("--only-unit", "/" + name)
        self.assertEqual(self.said("sh", "-c", inside + "cat " + self.path), "hunter2")

    def test_executables(self):
        tool = os.path.join(self.world.dir, "tool")
        shutil.copy(os.path.realpath("/bin/cat"), tool)
        content = subprocess.run(["sha256sum", tool], capture_output=True, text=True, check=True).stdout.split()[0]
        for condition in (tool, tool + "=" + content):
            self.grant("--only-exe", condition)
            self.assertEqual(self.said(tool, self.path), "hunter2")
            self.assertEqual(self.said("cat", self.path), "refused")
            posed = subprocess.run([SPOOF, tool, self.path], capture_output=True, text=True, timeout=60 * SLOWNESS)
            if posed.returncode == 0:
                self.assertEqual(posed.stdout, "%s: errno %d\n" % (tool, errno.EACCES), "a forged executable")
                self.recorded("forged")
            else:
                print("# no spoof here: " + posed.stdout.strip(), flush=True)
        with open(tool, "ab") as changed:
            changed.write(b"x")
        self.assertEqual(self.said(tool, self.path), "refused")
        self.recorded("other content")

    def why(self, *arguments, expect=DONE):
        done = subprocess.run([BINARY, "why", *arguments], capture_output=True, timeout=60 * SLOWNESS, env=self.world.environ)
        run = Run(["why", *arguments], done.returncode, done.stdout, done.stderr.decode())
        self.assertEqual(run.status, expect, str(run))
        return run

    def test_why(self):
        self.grant("--only-user", "1234")
        about = self.mount.file(".grantfs/why/" + SECRET)
        self.assertTrue(self.said(*as_user(1234, "cat", about)).startswith("it may read: "))
        why = self.said(*as_user(1235, "cat", about))
        self.assertTrue(why.startswith("it would be refused: "), why)
        self.assertIn("REFUSED: user 1234: it runs as user 1235", why)
        self.assertIn("grantfs grant web-1 %s --mode 0444 --only-user 1234" % SECRET, why)
        other = subprocess.Popen(as_user(1235, "sleep", "600"), stdin=subprocess.DEVNULL)
        try:
            def answer():
                told = self.why(self.path, "--json", "--pid", str(other.pid)).json
                return told if "as user 1235" in told["explanation"] else None
            told = until("the other to be that user", answer)
            self.assertFalse(told["may_read"])
            self.assertIn("good: a grantfs mount at " + self.mount.path, told["explanation"])
        finally:
            other.kill()
            other.wait()
        missing = self.why(self.mount.file("shop/prod/nothing"), "--pid", str(os.getpid())).text
        self.assertIn("has no such file", missing)
        self.refused(self.why(self.path, expect=USAGE), USAGE, "--pid")
        self.assertEqual(self.refusals(), [], "asking is no attempt")

    def test_why_with_the_vault_away(self):
        self.grant("--only-user", "0")
        about = self.mount.file(".grantfs/why/" + SECRET)
        why = lambda: self.said("cat", about)
        until("the grant", lambda: why().startswith("it may read: "))
        self.world.kill_server()
        away = until("the silence", lambda: (lambda text: text if "REFUSED: it was not heard" in text else None)(why()))
        self.assertTrue(away.startswith("it would be refused: "), away)
        self.assertIn("no lease runs", away)
        self.assertIn("see .grantfs/status", away)
        self.assertIn("REFUSED: it was not heard", self.why(self.path, "--pid", str(os.getpid())).text)
        self.errno_of(errno.EIO, lambda: self.mount.read(SECRET))
        self.world.serve()
        until("the vault's return", lambda: why().startswith("it may read: "))
        self.assertEqual(self.mount.read(SECRET), b"hunter2")


if __name__ == "__main__":
    main()
