"""Tripwires: a canary's reading and reading too much, through real mounts."""

import errno
import os
import subprocess

from harness import *

BAIT, SECRET = "shop/prod/root-password", "shop/prod/db-password"


class TripwireTest(Case):
    def world_of(self, *names, lease=()):
        """web-1 with these secrets granted, and a mount of it."""
        self.owner = self.world.init().owner
        self.web1 = self.world.machine("web-1")
        for name in names:
            self.owner.set(name, b"value of " + name.encode())
        self.owner.run("grant", "web-1", *names, *lease)
        mount = Mount(self.web1).start()
        until("the listing", lambda: os.path.exists(mount.file(names[-1])))
        return mount

    def frozen(self):
        return [(one["kind"], one["name"]) for one in self.owner.json("freezes")["freezes"]]

    def touched(self):
        records = self.owner.json("audit", "list", "--limit", "0")["records"]
        return [one for one in records if one["action"] == "tripwire.touched"]

    def cat(self, mount, name):
        return subprocess.run(["cat", mount.file(name)], capture_output=True, timeout=30 * SLOWNESS)

    def test_a_canary_answers_and_freezes_its_environment(self):
        mount = self.world_of(SECRET, BAIT, lease=("--lease", "7d"))
        web2 = self.world.machine("web-2")
        self.owner.run("grant", "web-2", SECRET, "--lease", "7d")
        other = Mount(web2, "mnt2").start()
        until("the other's read", lambda: other.reads(SECRET, b"value of " + SECRET.encode()))
        self.assertIn("is a canary", self.owner.run("secret", "canary", BAIT).err)
        self.assertIn("already", self.owner.run("secret", "canary", BAIT).err)
        listed = self.owner.json("secret", "canary", "list", "shop/prod")["canaries"]
        self.assertEqual([one["name"] for one in listed], [BAIT])
        # Neither listings nor attributes read it, nor does a mount that starts.
        subprocess.run(["ls", "-lR", mount.path], check=True, capture_output=True)
        subprocess.run(["find", mount.path, "-name", "*password", "-size", "+0"], check=True, capture_output=True)
        mount.stop()
        mount = Mount(self.web1, "mnt").start()
        until("the listing", lambda: os.path.exists(mount.file(BAIT)))
        for report in ".grantfs/status", ".grantfs/grants", ".grantfs/why/" + BAIT:
            with open(mount.file(report)) as text:
                self.assertNotIn("canary", text.read())
        self.assertEqual(self.frozen(), [])

        done = self.cat(mount, BAIT)
        self.assertEqual((done.returncode, done.stdout), (0, b"value of " + BAIT.encode()), done.stderr)
        self.assertEqual(self.frozen(), [("environment", "shop/prod")])
        self.refused(self.web1.run("read", SECRET, expect=None), DENIED, "frozen by a tripwire")
        for each in mount, other:
            until("the freeze of what is held", lambda: self.cat(each, SECRET).returncode != 0)
            self.errno_of(errno.EACCES, lambda: each.read(SECRET))
        with open(mount.file(".grantfs/status")) as text:
            status = text.read()
        self.assertIn("frozen by a tripwire", status)
        self.assertNotIn("canary", status)
        [record] = self.touched()
        self.assertEqual((record["object"], record["severity"], record["actor"]), (BAIT, "critical", "web-1"))
        self.assertIn(os.path.realpath("/bin/cat"), record["caller"])
        self.assertIn("a canary was read: the environment is frozen", record["reason"])
        self.owner.run("unfreeze", "env", "shop/prod")
        self.owner.run("secret", "canary", BAIT, "--clear")
        until("its end", lambda: mount.reads(BAIT, b"value of " + BAIT.encode()))
        self.assertEqual(self.frozen(), [])
        self.owner.run("audit", "verify")

    def test_a_program_that_passes_and_an_alert(self):
        mount = self.world_of(BAIT)
        self.owner.run("secret", "canary", BAIT)
        shown = self.owner.json("tripwire", "set", "shop/prod", "--pass", "exe=" + os.path.realpath("/usr/bin/head"))
        self.assertEqual(shown["pass"], ["exe=" + os.path.realpath("/usr/bin/head")])
        done = subprocess.run(["head", "-c", "5", mount.file(BAIT)], capture_output=True, timeout=30 * SLOWNESS)
        self.assertEqual(done.stdout, b"value")
        self.assertIn("that may pass", self.touched()[0]["reason"])
        self.assertEqual(self.frozen(), [])
        self.owner.run("tripwire", "set", "shop/prod", "--canary", "alert", "--no-pass")
        self.assertEqual(self.cat(mount, BAIT).returncode, 0)
        self.assertEqual(self.frozen(), [])
        self.owner.run("tripwire", "set", "shop/prod", "--canary", "freeze")
        self.assertEqual(self.cat(mount, BAIT).returncode, 0)
        self.assertEqual(self.frozen(), [("environment", "shop/prod")])

    def test_a_canary_that_was_under_a_lease_before(self):
        mount = self.world_of(BAIT, lease=("--lease", "7d"))
        mount.read(BAIT)
        self.owner.run("secret", "canary", BAIT)
        mount.read(BAIT)  # the vault is not asked
        until("the journal to arrive", lambda: self.frozen() == [("environment", "shop/prod")])

    def test_reading_too_much_freezes_the_machine(self):
        names = ["shop/prod/s%d" % number for number in range(6)]
        mount = self.world_of(*names, lease=("--lease", "7d"))
        self.owner.run("tripwire", "set", "shop/prod", "--rate", "4")
        subprocess.run(["ls", "-lR", mount.path], check=True, capture_output=True)
        for name in names[:4] * 3:
            self.assertEqual(self.cat(mount, name).returncode, 0)
        self.assertEqual(self.frozen(), [])
        self.assertNotEqual(self.cat(mount, names[4]).returncode, 0)
        self.assertEqual(self.frozen(), [("machine-in-environment", "web-1")])
        self.assertIn("machine web-1 in shop/prod", self.owner.run("freezes").text)
        until("what is held to be frozen too", lambda: self.cat(mount, names[0]).returncode != 0)
        [record] = self.touched()
        self.assertIn("5 distinct secrets were read within a minute, the limit of shop/prod is 4", record["reason"])

    def test_what_is_refused(self):
        self.owner = self.world.init().owner
        self.owner.set(SECRET, b"hunter2")
        web1 = self.world.machine("web-1")
        for words, status, *said in [
            (("secret", "canary", "shop/prod/none"), NOT_FOUND, "no such secret"),
            (("secret", "canary", "shop/none/a"), NOT_FOUND),
            (("secret", "canary", SECRET, SECRET), USAGE, "one secret"),
            (("secret", "canary", "list", "--clear"), USAGE, "not with list"),
            (("secret", "canary", "list", "shop"), USAGE),
            (("tripwire", "set", "shop/prod"), USAGE, "say what is to change"),
            (("tripwire", "set", "shop/prod", "--canary", "stop"), USAGE, "freeze or alert"),
            (("tripwire", "set", "shop/prod", "--scope", "vault"), USAGE, "environment or project"),
            (("tripwire", "set", "shop/prod", "--rate", "100001"), USAGE),
            (("tripwire", "set", "shop/prod", "--pass", "exe=rsync"), USAGE, "who may pass"),
            (("tripwire", "set", "shop/prod", "--pass", "uid=0", "--no-pass"), USAGE, "replaces"),
            (("tripwire", "show", "shop/none"), NOT_FOUND),
        ]:
            self.refused(self.owner.run(*words, expect=None), status, *said)
        self.assertNotEqual(web1.run("secret", "canary", SECRET, expect=None).status, DONE)
        self.assertIn("nobody", self.owner.run("tripwire", "show", "shop/prod").text)


if __name__ == "__main__":
    main()
