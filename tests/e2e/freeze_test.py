"""Freezes: of a machine, an environment, a project; what programs, open files, leases and administrators see of them."""

import errno
import os
import signal

from harness import *

SECRET = "shop/prod/db-password"


class FreezeTest(Case):
    def mounted(self, *options):
        """web-1 mounted, the secret granted under these options and read once."""
        self.owner = self.world.init().owner
        self.web1 = self.world.machine("web-1")
        self.owner.set(SECRET, b"hunter2")
        self.owner.run("grant", "web-1", SECRET, *options)
        mount = Mount(self.web1).start(wait=False)
        until("the first read", lambda: mount.alive() and mount.mounted() and mount.reads(SECRET, b"hunter2"))
        return mount

    def text(self, mount, name):
        with open(mount.file(name)) as report:
            return report.read()

    def refuses(self, mount):
        try:
            mount.read(SECRET)
        except OSError as error:
            return error.errno == errno.EACCES
        return False

    def test_a_machine_with_leases_and_open_files(self):
        mount = self.mounted("--lease", "7d")
        with open(mount.file(SECRET), "rb", buffering=0) as held:
            self.assertEqual(held.read(3), b"hun")
            done = self.owner.run("freeze", "machine", "web-1", "--reason", "it was broken into", "--wait", "60s", timeout=90)
            self.assertIn("frozen: machine web-1 was frozen by", done.text)
            self.assertIn("has followed", done.err)
            self.errno_of(errno.EACCES, lambda: mount.read(SECRET))
            self.errno_of(errno.EACCES, lambda: held.read(3))
            for report in ".grantfs/status", ".grantfs/grants", ".grantfs/why/" + SECRET:
                self.assertRegex(self.text(mount, report), "this machine was frozen by .* at 2.*: it was broken into")
            self.assertTrue(os.path.exists(mount.file(SECRET)), "it stays listed")
            until("the refused open to be recorded", lambda: any(
                one["action"] == "read.refused" and "it was broken into" in one["reason"] for one in self.owner.json("audit", "list", "--object", SECRET)["records"]))
            self.owner.run("unfreeze", "machine", "web-1", "--wait", "60s", timeout=90)
            self.assertEqual(mount.read(SECRET), b"hunter2")
            self.assertEqual(held.read(4), b"ter2")
        said = [one["action"] for one in self.owner.json("audit", "list", "--limit", "0")["records"]]
        self.assertIn("freeze.set", said)
        self.assertIn("freeze.lifted", said)
        self.owner.run("audit", "verify")

    def test_a_machine_in_one_environment_by_its_operator(self):
        mount = self.mounted("--lease", "7d")
        elsewhere = "shop/test/a"
        self.owner.run("env", "create", "shop/test")
        self.owner.set(elsewhere, b"other")
        self.owner.run("grant", "web-1", elsewhere)
        otto = Home(self.world, "otto")
        otto.run("enroll", stdin=self.owner.run("invite", "--kind", "user", "otto").out)
        self.owner.run("approve", "otto")
        otto.run("enroll")
        self.owner.run("member", "add", "shop/prod", "otto", "--role", "operator")
        here = ("machine", "web-1", "--environment", "shop/prod")
        until("the read elsewhere", lambda: mount.reads(elsewhere, b"other"))
        done = otto.run("freeze", *here, "--reason", "odd reads", "--wait", "60s", timeout=90)
        self.assertRegex(done.text, "^frozen: machine web-1 was frozen in shop/prod by otto at .*: odd reads")
        until("the mount to refuse", lambda: self.refuses(mount))
        self.assertEqual(mount.read(elsewhere), b"other")
        for report in ".grantfs/status", ".grantfs/grants", ".grantfs/why/" + SECRET:
            self.assertRegex(self.text(mount, report), "this machine was frozen in shop/prod by otto at 2.*: odd reads")
        self.refused(self.web1.run("read", SECRET, expect=None), DENIED, "was frozen in shop/prod by otto", "odd reads")
        self.assertEqual(self.web1.run("read", elsewhere).out, b"other")
        for who in self.owner, otto:
            self.assertIn("machine web-1 in shop/prod", who.run("freezes").text)
            [one] = who.json("freezes")["freezes"]
            self.assertEqual((one["kind"], one["name"], one["environment"]), ("machine-in-environment", "web-1", "shop/prod"))
        self.assertIn("grantfs unfreeze machine web-1 --environment shop/prod", self.owner.run("status").err)
        self.refused(otto.run("freeze", "machine", "web-1", "--environment", "shop/test", expect=None), NOT_FOUND)
        self.refused(otto.run("freeze", "machine", "web-1", expect=None), DENIED)
        self.refused(otto.run("freeze", "env", "shop/prod", "--environment", "shop/prod", expect=None), USAGE, "--environment")
        self.refused(otto.run("freeze", "machine", "web-9", "--environment", "shop/prod", expect=None), NOT_FOUND, "grantfs grants")
        self.refused(self.owner.run("unfreeze", "machine", "web-1", expect=None), NOT_FOUND, "not frozen")
        [record] = self.owner.json("audit", "list", "--action", "freeze.set")["records"]
        self.assertEqual((record["actor"], record["object"], record["severity"]), ("otto", "web-1", "critical"))
        otto.run("unfreeze", *here, "--wait", "60s", timeout=90)
        until("the mount to read again", lambda: mount.reads(SECRET, b"hunter2"))

    def test_an_environment_and_its_project(self):
        mount = self.mounted("--lease", "7d")
        self.world.machine("idle-1")
        self.owner.run("grant", "idle-1", SECRET)
        for what in ("env", "shop/prod"), ("project", "shop"):
            done = self.owner.run("freeze", *what, "--reason", "a leak", "--wait", "60s", timeout=90)
            self.assertIn("1 of 2 machines with grants in shop/prod has followed", done.err)
            self.assertRegex(done.err, "idle-1 is offline .*, and may serve what it holds under a lease")
            self.errno_of(errno.EACCES, lambda: mount.read(SECRET))
            again = self.owner.run("freeze", *what, "--reason", "another")
            self.assertRegex(again.text, "^frozen already: env shop/prod was frozen by .*: a leak")
            self.assertIn("to give it another, run grantfs unfreeze first", again.err)
            self.refused(self.owner.run("secret", "get", SECRET, expect=None), DENIED, "frozen by", "a leak")
            self.refused(self.web1.run("read", SECRET, expect=None), DENIED, "frozen by", "a leak")
            self.assertRegex(self.web1.run("status").err, "shop/prod was frozen by")
            self.refused(self.web1.run("freezes", expect=None), USAGE, "grantfs status")
            self.assertIn("a leak", self.owner.run("freezes").text)
            self.assertEqual([one["name"] for one in self.owner.json("status")["frozen"]], ["shop/prod"])
            self.assertIn("grantfs unfreeze env shop/prod", self.owner.run("status").err)
            self.owner.set(SECRET, b"hunter2")  # what must be rotated can be
            self.assertEqual([one["name"] for one in self.owner.json("unfreeze", *what)["unfrozen"]], ["shop/prod"])
            until("its end", lambda: mount.reads(SECRET, b"hunter2"))
            self.refused(self.owner.run("unfreeze", *what, expect=None), NOT_FOUND, "not frozen")
        self.assertEqual(self.owner.json("freezes"), {"freezes": []})

    def test_what_cannot_be_frozen(self):
        self.owner = self.world.init().owner
        self.refused(self.owner.run("freeze", "machine", "web-9", expect=None), NOT_FOUND, "no such machine")
        self.refused(self.owner.run("freeze", "project", "shop2", expect=None), NOT_FOUND, "no such project")
        self.refused(self.owner.run("freeze", "env", "shop/none", expect=None), NOT_FOUND)
        self.refused(self.owner.run("freeze", "project", "shop/prod", expect=None), USAGE, "is no project")
        self.refused(self.owner.run("freeze", "secret", SECRET, expect=None), USAGE, "machine NAME, env shop/prod")
        self.refused(self.owner.run("freeze", "env", "shop/prod", "--reason", "x" * 513, expect=None), USAGE, "512 bytes")

    def test_it_outlives_workers_the_mount_and_the_vault(self):
        mount = self.mounted("--offline", "7d")
        kept = os.path.join(self.web1.path, "offline")
        until("it to be kept", lambda: os.path.isdir(kept) and any(name[0].isdigit() for name in os.listdir(kept)))
        self.owner.run("freeze", "machine", "web-1", "--wait", "60s", timeout=90)
        with open("/proc/%d/task/%d/children" % (mount.process.pid, mount.process.pid)) as children:
            workers = [int(pid) for pid in children.read().split()]
        self.assertTrue(workers)
        for pid in workers:
            os.kill(pid, signal.SIGKILL)
        self.errno_of(errno.EACCES, lambda: mount.read(SECRET))
        self.world.kill_server()
        self.errno_of(errno.EACCES, lambda: mount.read(SECRET))
        mount.stop()
        again = Mount(self.web1).start()
        self.errno_of(errno.EACCES, lambda: again.read(SECRET))
        self.world.serve()
        self.assertEqual([one["name"] for one in self.owner.json("freezes")["freezes"]], ["web-1"])
        self.owner.run("unfreeze", "machine", "web-1")
        until("its end", lambda: again.reads(SECRET, b"hunter2"))


if __name__ == "__main__":
    main()
