"""Leases: revocation, outages, kills of mount and vault with nothing lost or doubled, offline starts, a full disk."""

import ctypes
import errno
import os
import shutil
import signal
import threading

from harness import *

SECRET = "shop/prod/db-password"


class LeaseTest(Case):
    def leased(self, *options):
        """web-1 mounted, the secret granted under these options and read once."""
        self.owner = self.world.init().owner
        self.web1 = self.world.machine("web-1")
        self.owner.set(SECRET, b"hunter2")
        self.owner.run("grant", "web-1", SECRET, *options)
        return self.mounted()

    def mounted(self):
        mount = Mount(self.web1).start(wait=False)
        until("the first read", lambda: mount.alive() and mount.mounted() and mount.reads(SECRET, b"hunter2"))
        return mount

    def records(self):
        found = self.owner.json("audit", "list", "--object", SECRET, "--actor", "web-1", "--limit", "0")["records"]
        return [one for one in found if one["action"] == "secret.read" and one["outcome"] == "done"]

    def recorded(self):
        return sum(one["count"] for one in self.records())

    def status(self, mount):
        with open(mount.file(".grantfs/status")) as status:
            return status.read()

    def test_revoke_cuts_a_lease_for_opens_and_for_open_files(self):
        mount = self.leased("--lease", "7d")
        with open(mount.file(".grantfs/grants")) as grants:
            self.assertIn("lease 7d", grants.read())
        self.assertIn("7d", self.owner.run("grants").text)
        with open(mount.file(SECRET), "rb", buffering=0) as held:
            self.assertEqual(held.read(3), b"hun")
            self.owner.run("revoke", "web-1", SECRET, "--wait", "60s", timeout=90)  # returns when the mount has followed
            self.errno_of(errno.ENOENT, lambda: mount.read(SECRET))
            self.errno_of(errno.EACCES, lambda: held.read(3))

    def test_an_outage_within_the_lease_and_past_it(self):
        mount = self.leased("--lease", "10s" if SLOWNESS == 1 else "40s")
        self.assertEqual(mount.read(SECRET), b"hunter2")
        self.world.kill_server()
        self.assertEqual(mount.read(SECRET), b"hunter2")
        with open(mount.file(SECRET), "rb", buffering=0) as held:
            until("the lease's end", lambda: not mount.reads(SECRET, b"hunter2"), 60)
            self.errno_of(errno.EIO, lambda: mount.read(SECRET))
            self.errno_of(errno.EIO, lambda: held.read(3))
        self.assertIn("under no lease", mount.log())
        self.assertIn("to be told", self.status(mount))
        self.world.serve()
        until("reads after the outage", lambda: mount.reads(SECRET, b"hunter2"))
        until("all to be told", lambda: self.web1.json("status")["unsent_reads"] == 0)
        until("the mount to say so too", lambda: "to be told" not in self.status(mount))  # the files are cut first
        self.assertIn("under a lease", self.owner.run("audit", "list", "--object", SECRET).text)
        self.owner.run("audit", "verify")

    def test_no_lease_reaches_past_the_rotation_that_is_due(self):
        self.owner = self.world.init().owner
        self.web1 = self.world.machine("web-1")
        after = "20s" if SLOWNESS == 1 else "60s"
        self.owner.set(SECRET, b"hunter2")
        self.owner.run("grant", "web-1", SECRET, "--lease", "1h", "--offline", "1h")
        mount = self.mounted()
        self.owner.run("secret", "set", SECRET, "--rotate-after", after, stdin=b"hunter3")
        until("the new version", lambda: mount.reads(SECRET, b"hunter3"))
        self.world.kill_server()
        self.assertEqual(mount.read(SECRET), b"hunter3")
        with open(mount.file(".grantfs/grants")) as grants:
            self.assertIn("lease 1h, offline 1h, to be rotated by ", grants.read())
        with open(mount.file(SECRET), "rb", buffering=0) as held:
            self.assertEqual(held.read(3), b"hun")
            until("the rotation to be due", lambda: not mount.reads(SECRET, b"hunter3"), 90)
            self.errno_of(errno.EIO, lambda: mount.read(SECRET))
            self.errno_of(errno.EIO, lambda: held.read(3))
        self.assertIn("secret's rotation, which is overdue", mount.log())
        self.assertIn("overdue", self.status(mount))
        self.world.serve()
        until("the vault to serve what is overdue", lambda: mount.reads(SECRET, b"hunter3"))
        self.assertEqual(self.owner.json("status")["overdue"]["secrets"][0]["name"], SECRET)
        self.assertEqual(self.web1.json("status")["overdue"], 1)
        self.assertIn("no lease of it holds until it is", self.owner.run("grant", "web-1", SECRET, "--lease", "1h", "--offline", "1h").err)
        self.assertNotIn("no lease of it holds", self.owner.run("grant", "web-1", SECRET, "--dry-run").err)
        self.owner.run("secret", "set", SECRET, "--rotate-after", "90d", stdin=b"hunter4")
        until("the rotation", lambda: mount.reads(SECRET, b"hunter4"))
        until("nothing to be overdue", lambda: "overdue" not in self.status(mount))
        self.world.kill_server()
        self.assertEqual(mount.read(SECRET), b"hunter4", "under a lease again")

    def test_kills_of_mount_and_vault_lose_no_record_and_double_none(self):
        mount = self.leased("--lease", "1h")
        opened, stop = [1], threading.Event()  # `leased` has read once, at least
        lock = threading.Lock()

        def read():
            while not stop.is_set():
                try:
                    with open(mount.file(SECRET), "rb") as secret:
                        with lock:
                            opened[0] += 1
                        secret.read()
                except OSError:
                    pass
        readers = [threading.Thread(target=read) for _ in range(3)]
        opened[0] = self.settled(mount)
        for reader in readers:
            reader.start()
        try:
            for turn in range(4):
                before = opened[0]
                until("reads", lambda: opened[0] > before + 50)
                if turn % 2 == 0:
                    self.world.kill_server()
                    before = opened[0]
                    until("reads with the vault away", lambda: opened[0] > before + 50)
                    self.world.serve()
                else:
                    mount.process.kill()
                    mount.process.wait()
                    mount = self.mounted_again(mount)
        finally:
            stop.set()
            for reader in readers:
                reader.join()
        # What a reader did not see succeed because the mount was killed in between may be recorded: at most one a
        # reader and kill. `mounted_again` reads too.
        # A mount that has just started looks for what the one before it has left within a second.
        until("all to be told", lambda: "to be told" not in self.status(mount) and self.recorded() >= opened[0], 60)
        recorded = self.recorded()
        self.assertLessEqual(recorded, opened[0] + self.extra + 2 * len(readers))
        ids = [json.loads(one["body"])["open"] for one in self.records()]
        self.assertEqual(len(ids), len(set(ids)), "an open was recorded twice")
        self.owner.run("audit", "verify")

    extra = 0

    def settled(self, mount):
        until("all to be told", lambda: "to be told" not in self.status(mount))
        return self.recorded()

    def mounted_again(self, mount):
        """The same mount point; counts the reads that wait for it as extra ones."""
        mount.start(wait=False)

        def reads():
            self.extra += 1
            return mount.alive() and mount.mounted() and mount.reads(SECRET, b"hunter2")
        until("the mount to be back", reads, 60)
        return mount

    def test_reads_that_are_counted_survive_a_kill(self):
        mount = self.leased("--lease", "1h", "--record", "aggregate")
        before = self.settled(mount)
        for _ in range(100):
            self.assertEqual(mount.read(SECRET), b"hunter2")
        mount.process.kill()
        mount.process.wait()
        self.mounted_again(mount)
        until("the counted reads to be told", lambda: self.recorded() >= before + 100, 60)
        self.assertLess(len(self.records()), 50)
        self.assertRegex(self.owner.run("audit", "list", "--object", SECRET).text, "done [0-9]+ times? from .* under a lease")

    def test_reads_that_a_restored_vault_has_lost_are_named_and_the_rest_is_told(self):
        mount = self.leased("--lease", "1h")
        for _ in range(5):
            mount.read(SECRET)
        before = self.settled(mount)
        self.world.kill_server(signal.SIGTERM)
        copy = os.path.join(self.world.dir, "copy")
        shutil.copytree(self.world.data, copy)
        self.world.serve()
        for _ in range(7):
            mount.read(SECRET)
        until("what will be lost to be told", lambda: self.settled(mount) == before + 7)
        self.world.kill_server(signal.SIGTERM)
        shutil.rmtree(self.world.data)
        shutil.copytree(copy, self.world.data)
        self.world.serve()
        for _ in range(3):
            self.assertEqual(mount.read(SECRET), b"hunter2")
        until("the rest to be told", lambda: self.settled(mount) >= before + 3, 60)
        for _ in range(2):
            self.assertEqual(mount.read(SECRET), b"hunter2")
        until("what came later to be told", lambda: self.settled(mount) == before + 5, 60)
        said = self.owner.json("audit", "list", "--actor", "web-1", "--limit", "0")["records"]
        gaps = [json.loads(one["body"]) for one in said if one["action"] == "journal.gap" and one["severity"] == "critical"]
        self.assertEqual(len(gaps), 1, gaps)
        self.assertEqual(gaps[0]["gap"]["to"] - gaps[0]["gap"]["from"] + 1, 7)
        self.assertEqual(gaps[0]["object"], "web-1")
        self.assertIn("put back to an older copy", self.owner.run("audit", "list").text)

    def test_a_machine_starts_offline_with_what_it_kept(self):
        mount = self.leased("--offline", "24h", "--record", "sync")
        kept = os.path.join(self.web1.path, "offline")
        whole = lambda names: len(names) == 2 and "contact.json" in names and all(name.endswith(".json") for name in names)
        until("the file that is kept", lambda: os.path.isdir(kept) and whole(os.listdir(kept)))
        for name in os.listdir(kept):
            self.assertEqual(os.stat(os.path.join(kept, name)).st_mode & 0o777, 0o600)
            with open(os.path.join(kept, name), "rb") as file:
                self.assertNotIn(b"hunter2", file.read())
        mount.stop(signal.SIGKILL)
        self.world.kill_server()
        mount = self.mounted()
        before = self.recorded_after_return(mount)
        self.owner.run("revoke", "web-1", SECRET)
        until("what was kept to go", lambda: os.listdir(kept) == ["contact.json"] or not os.listdir(kept))
        self.assertGreaterEqual(before, 2)

    def recorded_after_return(self, mount):
        self.world.serve()
        until("the vault's return", lambda: "to be told" not in self.status(mount) and "not connected" not in self.status(mount))
        return self.recorded()

    def test_a_full_disk_refuses_the_read_and_says_why(self):
        mount = self.leased("--lease", "1h")
        libc = ctypes.CDLL(None, use_errno=True)
        journal = os.path.join(self.web1.path, "journal")
        mount.stop()
        os.makedirs(journal, mode=0o700, exist_ok=True)
        self.assertEqual(libc.mount(b"none", journal.encode(), b"tmpfs", 0, b"size=64k,mode=0700"), 0)
        try:
            mount = self.mounted()
            with open(os.path.join(journal, "filler"), "wb", buffering=0) as filler:
                with self.assertRaises(OSError):
                    while True:
                        filler.write(b"x" * 4096)

            def refusal():  # the file's last page has room for some; what was told makes room again
                try:
                    mount.read(SECRET)
                except OSError as error:
                    return error.errno
            self.assertEqual(until("a refusal", refusal), errno.EIO)
            self.assertIn("the disk is full", mount.log())
            os.remove(os.path.join(journal, "filler"))
            until("reads with room again", lambda: mount.reads(SECRET, b"hunter2"))
            mount.stop()
        finally:
            libc.umount2(journal.encode(), 2)

    def test_the_last_room_on_the_vaults_disk_is_not_for_leased_reads(self):
        mount = self.leased("--lease", "1h")
        before = self.settled(mount)
        self.world.kill_server(signal.SIGTERM)
        small = os.path.join(self.world.dir, "small")
        os.mkdir(small)
        libc = ctypes.CDLL(None, use_errno=True)
        self.assertEqual(libc.mount(b"none", small.encode(), b"tmpfs", 0, b"size=40m,mode=0755"), 0)
        self.addCleanup(lambda: libc.umount2(small.encode(), 2))
        shutil.copytree(self.world.data, small + "/data", ignore=shutil.ignore_patterns("*.lock"))
        os.chmod(small + "/data", 0o700)
        self.world.serve(data=small + "/data")
        self.addCleanup(self.world.kill_server)
        disk = os.statvfs(small)
        with open(small + "/filler", "wb") as filler:
            os.posix_fallocate(filler.fileno(), 0, disk.f_bavail * disk.f_frsize - (3 << 20))  # a tenth is 4 MiB
        for _ in range(3):
            self.assertEqual(mount.read(SECRET), b"hunter2")
        until("the refusal in the status", lambda: "disk is nearly full" in self.status(mount))
        self.assertRegex(self.status(mount), "to be told +3 reads under leases or offline, since the vault's disk is nearly full")
        self.assertEqual(self.web1.run("read", SECRET).out, b"hunter2")
        self.owner.set("shop/prod/more", b"more")
        os.unlink(small + "/filler")
        until("all to be told", lambda: "to be told" not in self.status(mount), 40)
        self.assertEqual(self.recorded(), before + 4)

    def test_granting_says_the_terms(self):
        self.owner = self.world.init().owner
        self.world.machine("web-1")
        self.owner.set(SECRET, b"hunter2")
        grant = ("grant", "web-1", SECRET, "--only-user", "0", "--lease", "10m", "--offline", "24h", "--record", "sync", "--wait", "1s")
        said = "(1 version), only for user=0, lease 10m, offline 1d, sync\n"
        self.assertIn("would grant %s to web-1 %s" % (SECRET, said), self.owner.run(*grant, "--dry-run").text)
        self.assertIn("granted %s to web-1 %s" % (SECRET, said), self.owner.run(*grant).text)
        told = self.owner.json(*grant)
        self.assertEqual((told["lease"], told["offline"], told["record"]), (600, 86400, "sync"))
        plain = ("grant", "web-1", SECRET, "--wait", "1s")
        self.assertIn("(1 version, replaces its grant)\n", self.owner.run(*plain).text)
        told = self.owner.json(*plain)
        self.assertEqual((told["lease"], told["offline"], told["record"]), (0, 0, "each"))

    def test_what_makes_no_sense_is_refused(self):
        self.owner = self.world.init().owner
        self.refused(self.owner.run("grant", "web-1", SECRET, "--record", "sync", expect=None), USAGE, "--lease")
        self.refused(self.owner.run("grant", "web-1", SECRET, "--lease", "8d", expect=None), USAGE, "7d")


if __name__ == "__main__":
    main()
