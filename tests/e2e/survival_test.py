"""Whatever ends a mount's worker, readers go on. contrib/survive is the long form."""

import errno
import hashlib
import json
import os
import pwd
import re
import signal
import subprocess
import sys
import unittest

from survival import *
from watching import *


# As user 1234 opens a file again and again, tells how often it could and why not more often, and then, when it is told to, reads
# some of them.
HOLDER = """
import hashlib, os, resource, sys
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
os.setresuid(1234, 1234, 1234)
held, failure = [], 0
for _ in range(int(sys.argv[2])):
    try:
        held.append(os.open(sys.argv[1], os.O_RDONLY))
    except OSError as error:
        failure = error.errno
print(len(held), failure, flush=True)
sys.stdin.readline()
contents = {os.pread(fd, 2000000, 0) for fd in held[::500]}
print(*[hashlib.sha256(one).hexdigest() for one in contents])
"""


class SurvivalTest(Case):
    alone = True

    def setUp(self):
        super().setUp()
        self.it = Survival(self.world)

    def finish(self):
        told = self.it.finish()
        log = self.it.mount.log()
        self.assertEqual((told["errors"], told["wrong"]), ({}, 0), log)
        self.assertEqual(told["records"], told["opens"], "one record for each open that succeeded")
        self.assertEqual(told["recorded_opens"], told["opens"])
        self.it.owner.run("audit", "verify")

    def test_readers_do_not_notice_that_workers_are_killed(self):
        for kind in ("open", "held", "mapped"):
            self.it.read(kind, 2)
        self.it.read("open", inside=("unshare", "--mount", "--pid", "--fork", "--kill-child"))
        for _ in range(15):
            self.it.kill()
        self.finish()

    def test_interrupted_readers_end_at_once(self):
        self.it.read("open", 2)
        self.it.read("interrupted", 3, OTHER)
        for _ in range(10):
            self.it.kill()
        self.finish()

    def test_a_rotation_and_deaths_at_once(self):
        for kind in ("open", "held", "mapped"):
            self.it.read(kind)
        for _ in range(10):
            self.it.rotate()
            self.it.kill()
        self.finish()
        until("the last version", lambda: self.it.mount.reads(SECRET, content(self.it.version)))

    def test_an_upgrade_and_a_worker_that_hangs(self):
        for kind in ("open", "held"):
            self.it.read(kind, 2)
        for _ in range(3):
            self.it.upgrade()
        self.it.kill(signal.SIGSTOP)
        self.finish()
        self.assertIn("replaced", self.it.mount.log())
        home = self.it.web1.path
        owners = {name: os.stat(os.path.join(home, name)).st_uid for name in os.listdir(home)}
        theirs = [name for name in owners if name.startswith("mount-") or name in ("journal", "offline")]
        self.assertEqual((len(theirs), {owners.pop(name) for name in theirs} & {0}), (3, set()), "the worker's own")
        self.assertEqual(set(owners.values()), {0}, "nothing else of the home is a worker's")
        self.refused(self.it.web1.run("mount", "--upgrade", self.world.dir, expect=None), NOT_FOUND, "grantfs mount")


class DoctorTest(Case):
    def mounts(self, home, expect=DONE):
        findings = home.json("doctor", expect=expect)["findings"]
        return [one for one in findings if one["check"] == "mount" and (self.world.dir in one["found"] or "no mount" in one["found"])]

    def test_it_says_how_the_mounts_of_a_home_stand(self):
        it = Survival(self.world)
        found, = self.mounts(it.web1)
        version = json.loads(subprocess.check_output([BINARY, "version", "--json"]))["version"]
        self.assertEqual(found, {"level": "good", "check": "mount", "mend": "", "found":
                                 "%s: process %d (grantfs %s) serves it, under process %d (grantfs %s)" %
                                 (it.mount.path, it.worker(), version, it.mount.process.pid, version)})
        other = self.world.machine("web-2")
        other.run("enroll")  # it was approved
        self.assertEqual([one["found"] for one in self.mounts(other)], ["no mount shows the secrets of this home now"])
        self.assertEqual(self.mounts(it.owner), [], "an owner's home has none")
        it.mount.process.send_signal(signal.SIGSTOP)
        found = self.mounts(it.web1)[0]
        it.mount.process.send_signal(signal.SIGCONT)
        self.assertIn("does not answer", found["found"])
        self.assertIn("kill -CONT", found["mend"])
        it.mount.process.kill()
        it.mount.process.wait()
        until("the end of its workers", lambda: not it.mount.reads(SECRET, content(1)))
        found = self.mounts(it.web1)[0]
        self.assertIn("nobody serves it any more", found["found"])
        self.assertEqual(found["mend"], "grantfs umount %s, then mount again" % it.mount.path)


class UpgradeRefusedTest(Case):
    def test_what_is_no_part_of_an_upgrade_is_refused(self):
        self.world.init()
        web1 = self.world.machine("web-1")
        mount = Mount(web1).start()
        for words in (("--root", "shop/prod"), ("--on-change", "true"), ("--on-change-limit", "5s"), ("--admin",), ("--allow-other",),
                      ("--foreground",)):
            run = web1.run("mount", "--upgrade", mount.path, *words, expect=None)
            self.refused(run, USAGE, "grantfs: the mount was not upgraded: " + words[0], "does not go with --upgrade")
        with open(os.path.join(web1.path, "grantfs.conf"), "w", encoding="utf-8") as conf:
            conf.write("[mount]\nroot = shop/prod\non-change = true\n")
        self.assertEqual(web1.run("mount", "--upgrade", mount.path).text, "upgraded %s\n" % mount.path)

    def test_an_admin_mount_is_named_as_one(self):
        owner = self.world.init().owner
        mount = Mount(owner, "vault", "--admin").start()
        run = owner.run("mount", "--upgrade", mount.path, expect=None)
        self.refused(run, FAILED, "the mount was not upgraded: ", "admin mount", "grantfs umount")
        self.assertNotIn("the files are not shown", run.err)


class WorkerUserTest(Case):
    def test_who_has_the_workers_number_is_warned_of(self):
        if any(user.pw_name == "grantfs" for user in pwd.getpwall()):
            self.skipTest("workers have a user of their own here")
        self.world.init()
        home = self.world.machine("web-1")
        users, log = os.path.join(self.world.dir, "passwd"), os.path.join(self.world.dir, "warned.log")
        with open("/etc/passwd", encoding="utf-8") as real, open(users, "w", encoding="utf-8") as more:
            more.write(real.read() + "bob:x:60843:60843::/:/bin/false\n")
        with open(log, "wb") as out:
            mount = subprocess.Popen(
                ["unshare", "--mount", "sh", "-c", 'mount --bind "$1" /etc/passwd && shift && exec "$@"', "sh", users, BINARY, "mount",
                 os.path.join(self.world.dir, "warned"), "--foreground", "--home", home.path],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=self.world.environ)

        def said():
            with open(log, encoding="utf-8") as lines:
                return lines.read()
        try:
            until("the mount", lambda: "mounted " in said() or mount.poll() is not None)
        finally:
            mount.terminate()
            mount.wait(20)
        self.assertIn("who is bob here", said())
        self.assertIn("useradd --system grantfs", said())


class TogetherTest(Case):
    """What a worker takes over beside the readers."""
    alone = True

    def test_each_open_under_a_lease_is_recorded_once(self):
        it = Survival(self.world, terms=("--lease", "1h"))
        it.read("open", 3)
        for _ in range(8):
            it.kill()
        told = it.finish()
        self.assertEqual((told["errors"], told["wrong"]), ({}, 0), it.mount.log())
        opens = told["opens"] + it.before[0]
        until("all records", lambda: it.records()[0] >= opens, 40)
        self.assertEqual(it.records(), (opens, told["opens"] + it.before[1]), "one record for each open")

    def test_each_open_under_a_lease_is_counted_once(self):
        it = Survival(self.world, terms=("--lease", "1h", "--record", "aggregate"))
        before = it.counted()
        it.read("open", 3)
        for _ in range(8):
            it.kill()
        told = it.finish()
        self.assertEqual((told["errors"], told["wrong"]), ({}, 0), it.mount.log())
        it.mount.stop()  # minutes end with it
        it.mount.start()
        until("all counts", lambda: it.counted() - before >= told["opens"], 40)
        self.assertEqual(it.counted() - before, told["opens"])

    def test_a_lease_outlives_the_worker_though_the_vault_is_away(self):
        it = Survival(self.world, terms=("--lease", "1h"))
        until("a beat after all was settled", lambda: it.mount.reads(SECRET, content(1)) and b"settled" in
              it.mount.read(".grantfs/status"))
        self.world.server.send_signal(signal.SIGSTOP)
        try:
            it.kill()
            self.assertTrue(it.mount.reads(SECRET, content(1)), "without the vault: " + it.mount.log())
        finally:
            self.world.server.send_signal(signal.SIGCONT)

    def test_a_change_is_told_of_though_the_worker_dies_before_it_has(self):
        marks = os.path.join(self.world.dir, "marks")
        it = Survival(self.world, options=("--on-change", 'echo "$@" >> ' + marks))
        directory, file = Watch(os.path.dirname(it.mount.file(SECRET))), Watch(it.mount.file(SECRET))
        self.addCleanup(directory.close)
        self.addCleanup(file.close)
        name = os.path.basename(SECRET)

        def died_in_between():
            helper, = until("the helper", lambda: children(it.mount.process.pid, "grantfs-rotate"))
            node = os.stat(it.mount.file(SECRET)).st_ino
            os.kill(helper, signal.SIGSTOP)  # so the worker waits with the new listing, and holds the old names
            it.rotate()
            until("the new listing", lambda: b"version %d " % it.version in it.mount.read(".grantfs/grants"))
            held = os.stat(it.mount.file(SECRET)).st_ino == node and not directory.saw(IN_MOVED_TO, name)
            it.kill()
            return held

        until("a worker that dies with a change that nobody saw", died_in_between)
        until("the rename", lambda: directory.saw(IN_MOVED_TO, name))
        until("the end of the file that is watched", lambda: file.saw(IN_DELETE_SELF))
        until("the command", lambda: os.path.exists(marks) and SECRET in open(marks).read())
        self.assertTrue(it.mount.reads(SECRET, content(it.version)))
        self.assertIn(b"see rotations", it.mount.read(".grantfs/status"))

    def test_what_is_shown_already_is_told_of_though_the_worker_dies(self):
        marks = os.path.join(self.world.dir, "marks")
        it = Survival(self.world, options=("--on-change", 'echo "$@" >> ' + marks))
        directory = Watch(os.path.dirname(it.mount.file(SECRET)))
        self.addCleanup(directory.close)
        helper, = until("the helper", lambda: children(it.mount.process.pid, "grantfs-rotate"))
        notifier, = children(it.worker(), "grantfs-notify")
        for process in (notifier, helper):
            os.kill(process, signal.SIGSTOP)
        it.rotate()
        until("the worker to give the helper up", lambda: b"do not see rotations" in it.mount.read(".grantfs/status"))
        self.assertFalse(directory.saw(IN_CLOSE_WRITE | IN_MOVED_TO, os.path.basename(SECRET)) or os.path.exists(marks))
        it.kill()
        until("an end of a write", lambda: directory.saw(IN_CLOSE_WRITE, os.path.basename(SECRET)))
        self.assertFalse(directory.saw(IN_MOVED_TO, os.path.basename(SECRET)), "it is not shown as it was again")
        until("the command", lambda: os.path.exists(marks) and SECRET in open(marks).read())
        self.assertTrue(it.mount.reads(SECRET, content(it.version)))

    def test_a_refusal_is_recorded_though_the_worker_dies_before_it_was(self):
        it = Survival(self.world, terms=("--only-user", "0", "--mode", "0444"))
        refused = lambda: [body for body in it.bodies() if body["outcome"] == "refused"]
        self.world.server.send_signal(signal.SIGSTOP)
        for _ in range(5):  # the first is sent at once, and not taken; the others wait
            run = subprocess.run(["cat", it.mount.file(SECRET)], user=1234, group=0, capture_output=True)
            self.assertIn(b"denied", run.stderr)
        it.kill()
        self.assertIn(b"user 1234", it.mount.read(".grantfs/denials"))
        self.world.server.send_signal(signal.SIGCONT)
        until("five refusals in the vault", lambda: sum(body["count"] for body in refused()) >= 5, 40)
        self.assertEqual(sum(body["count"] for body in refused()), 5)
        self.assertEqual(len({body["open"] for body in refused()}), len(refused()))

    def test_watchers_and_the_command_on_change_go_on(self):
        marks = os.path.join(self.world.dir, "marks")
        it = Survival(self.world, options=("--on-change", 'echo "$@" >> ' + marks))
        for _ in range(2):
            it.kill()
            it.rotate()
            until("the new version", lambda: it.mount.reads(SECRET, content(it.version)))
        self.assertIn(b"see rotations", it.mount.read(".grantfs/status"))
        until("two runs", lambda: os.path.exists(marks) and open(marks).read().count(SECRET) == 2)

    def test_many_open_files_of_a_large_secret_keep_nobody_waiting(self):
        it = Survival(self.world, terms=("--lease", "1h"))
        big, value = "shop/prod/big", os.urandom(500000)
        it.owner.set(big, value)
        it.owner.run("grant", "web-1", big, "--mode", "0444", "--lease", "1h")
        until("it to be listed", lambda: it.mount.reads(big, value))
        most = 4096
        holder = subprocess.Popen([sys.executable, "-c", HOLDER, it.mount.file(big), str(most + 1)],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.world.more.append(holder)
        self.assertEqual(holder.stdout.readline().split(), [str(most), str(errno.EMFILE)])
        self.assertIn("user 1234 cannot open more", it.mount.log())
        self.assertTrue(it.mount.reads(big, value), "another user can")
        with open("/proc/%d/status" % it.worker()) as status:
            resident = int(re.search(r"^VmRSS:\s+(\d+) kB", status.read(), re.M)[1])
        self.assertLess(resident, 800000, "the worker has room for each version, not for each descriptor")
        for _ in range(2):
            it.kill()
            self.assertTrue(it.mount.reads(SECRET, content(1)))
        self.assertNotIn("replaced", it.mount.log())
        self.assertIn(b" %d open" % most, it.mount.read(".grantfs/status"))
        told = holder.communicate("read\n", timeout=60 * SLOWNESS)[0]
        self.assertEqual(told, hashlib.sha256(value).hexdigest() + "\n")
        until("them to be closed", lambda: b" 0 open" in it.mount.read(".grantfs/status"))

    def test_a_file_made_of_several_stays_open(self):
        it = Survival(self.world)
        made = "shop/prod/app.env"
        it.owner.run("secret", "bundle", made, "--as", "dotenv", "db-password", "other")
        it.owner.run("grant", "web-1", made, "--with-parts")
        until("it to be listed", lambda: os.path.exists(it.mount.file(made)))
        with open(it.mount.file(made), "rb", buffering=0) as opened:
            before = opened.read()
            it.kill()
            opened.seek(0)
            self.assertEqual(opened.read(), before)
            self.assertEqual(os.fstat(opened.fileno()).st_size, len(before))
            self.assertEqual(os.stat(it.mount.file(made)).st_size, len(before))


if __name__ == "__main__":
    main()
