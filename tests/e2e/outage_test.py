"""The vault away, killed, restarted, full; the mount killed, stale, stopped."""

import errno
import os
import shutil
import signal
import subprocess
import threading

from harness import *

SECRET = "shop/prod/db-password"


class OutageTest(Case):
    def setUp(self):
        super().setUp()
        self.grant_to_web1(SECRET, b"hunter2")

    def mounted(self):
        mount = Mount(self.web1).start()
        until("the first read", lambda: mount.reads(SECRET, b"hunter2"))
        return mount

    def test_a_mount_starts_with_the_vault_down(self):
        self.mounted().stop()
        self.world.kill_server()
        mount = Mount(self.web1, "later").start()
        self.assertEqual(os.listdir(mount.file("shop/prod")), ["db-password"])
        self.assertEqual(os.stat(mount.file(SECRET)).st_size, 7)
        self.errno_of(errno.EIO, lambda: mount.read(SECRET))
        with open(mount.file(".grantfs/status")) as status:
            self.assertIn("vault", status.read())
        self.world.serve()
        until("the vault's return to be noticed", lambda: mount.reads(SECRET, b"hunter2"))

    def test_a_vault_lost_in_the_middle_gives_eio_and_listings_go_on(self):
        mount = self.mounted()
        os.kill(self.world.server.pid, signal.SIGSTOP)
        try:
            self.errno_of(errno.EIO, lambda: mount.read(SECRET))
            self.assertEqual(os.listdir(mount.file("shop/prod")), ["db-password"])
        finally:
            os.kill(self.world.server.pid, signal.SIGCONT)
        until("reads to work again", lambda: mount.reads(SECRET, b"hunter2"))
        self.assertIn("in time", mount.log())

    def test_a_restarted_vault_needs_nobody(self):
        mount = self.mounted()
        for _ in range(3):
            self.world.kill_server(signal.SIGTERM)
            self.world.serve()
            until("reads after a restart", lambda: mount.reads(SECRET, b"hunter2"))
        self.owner.set(SECRET, b"after")
        until("a new version", lambda: mount.reads(SECRET, b"after"))

    def test_a_mount_ends_cleanly_on_term_and_int(self):
        for how in (signal.SIGTERM, signal.SIGINT):
            mount = self.mounted()
            self.assertEqual(mount.stop(how), 0, mount.log())
            self.assertFalse(mount.mounted())

    def test_a_stale_mount_is_mended_at_start(self):
        mount = self.mounted()
        mount.process.kill()
        mount.process.wait()
        self.assertTrue(mount.mounted(), "a killed mount leaves its mount point behind")
        until("its worker to end with it", lambda: self.listing_errno(mount) == errno.ENOTCONN)
        mount.start(wait=False)
        until("the mended mount", lambda: mount.alive() and mount.reads(SECRET, b"hunter2"))

    def listing_errno(self, mount):
        try:
            os.listdir(mount.path)
        except OSError as error:
            return error.errno
        return 0

    def test_umount(self):
        mount = self.mounted()
        run = subprocess.run([BINARY, "umount", mount.path], capture_output=True, text=True)
        self.assertEqual(run.returncode, DONE, run.stderr)
        until("the mount's process to end", lambda: mount.process.poll() is not None)
        self.assertEqual(mount.process.returncode, 0, mount.log())
        run = subprocess.run([BINARY, "umount", self.world.dir], capture_output=True, text=True)
        self.assertNotEqual(run.returncode, DONE)

    def test_kill_9_during_writes_loses_nothing_acknowledged(self):
        acknowledged = {}
        for turn in range(20):
            name = "shop/prod/turn-%d" % turn
            stop = threading.Event()

            def write():
                number = 0
                while not stop.is_set():
                    number += 1
                    value = b"%d of turn %d" % (number, turn)
                    if self.owner.set(name, value, expect=None).status == DONE:
                        acknowledged[name] = value
            writer = threading.Thread(target=write)
            writer.start()
            try:
                until("a write", lambda: name in acknowledged)
                self.world.kill_server()
            finally:
                stop.set()
                writer.join()
            self.world.serve()
        for name, value in acknowledged.items():
            got = self.owner.run("secret", "get", name).out
            self.assertGreaterEqual(int(got.split()[0]), int(value.split()[0]), "an acknowledged version of %s is lost" % name)
        self.owner.run("audit", "verify")
        listed = {one["name"] for one in self.owner.json("secret", "list", "shop/prod")["secrets"]}
        self.assertTrue(set(acknowledged) <= listed)

    def test_a_full_home_hides_no_revocation_from_who_has_the_file_open(self):
        home = self.on_a_disk_of_its_own(self.web1.path)
        mount = self.mounted()
        with open(mount.file(SECRET), "rb", buffering=0) as held:
            self.fill(home + "/filler")
            number = 0
            while b"disk is full" not in mount.read(".grantfs/status"):  # the database may still have free pages of its own
                number += 1
                self.assertLess(number, 50, "the disk is full and nobody says so")
                self.owner.set("shop/prod/more-%d" % number, b"more")
                self.owner.run("grant", "web-1", "shop/prod/more-%d" % number, "--wait", "1s")
            self.assertEqual(held.read(), b"hunter2")
            self.owner.run("revoke", "web-1", SECRET, "--wait", "1s")
            def refused():
                held.seek(0)
                try:
                    held.read()
                except OSError as error:
                    return error.errno
            self.assertEqual(until("the revocation of an open file", refused), errno.EACCES)
        os.unlink(home + "/filler")
        until("the rest of the list", lambda: os.listdir(mount.file("shop/prod")).count("more-%d" % number))

    def test_what_the_vault_took_is_not_called_undone_by_a_full_home(self):
        home = self.on_a_disk_of_its_own(self.owner.path)
        self.fill(home + "/filler")
        said = []
        for number in range(50):  # the home's database may still have free pages of its own
            said.append(self.owner.set(SECRET, b"value %d" % number, expect=None))
            if said[-1].status != DONE or said[-1].err:
                break
        self.assertIn("disk is full", said[-1].err, str(said[-1]))
        doctor = self.owner.run("doctor", expect=None)
        self.assertRegex(doctor.text, r"failure +home.disk +0 MiB are free", str(doctor))
        os.unlink(home + "/filler")
        done = [number for number, run in enumerate(said) if run.status == DONE]
        self.assertEqual(self.owner.run("secret", "get", SECRET).out, b"value %d" % done[-1])

    def test_a_full_home_lets_its_owner_revoke(self):
        """What must be noted first takes the room that the home has set aside for it."""
        home = self.on_a_disk_of_its_own(self.owner.path)
        self.assertGreaterEqual(os.stat(home + "/reserve").st_size, 1 << 20)
        self.owner.run("secret", "list", "shop/prod")
        self.fill(home + "/filler")
        for number in range(50):  # the home's database may still have free pages of its own
            said = self.owner.set(SECRET, b"value %d" % number, expect=None)
            if said.status != DONE:
                break
        self.refused(said, FAILED, "disk is full")
        self.assertIn("revoked", self.owner.run("revoke", "web-1", SECRET, "--wait", "1s").text)
        self.refused(self.web1.run("read", SECRET, expect=None), NOT_FOUND, "not granted")
        self.owner.run("identity", "remove", "web-1")
        self.assertTrue(os.path.exists(home + "/reserve"), "for the next time, as much as fits")
        os.unlink(home + "/filler")
        self.assertNotIn(SECRET, self.owner.run("grants").text)
        self.assertGreaterEqual(os.stat(home + "/reserve").st_size, 1 << 20, "the whole of it again")

    def test_a_home_that_may_only_be_read_is_told_before_the_vault_is_asked(self):
        home = self.owner.path
        subprocess.run(["mount", "--bind", home, home], check=True)
        self.addCleanup(lambda: subprocess.run(["umount", "-l", home]))
        subprocess.run(["mount", "-o", "remount,ro,bind", home], check=True)
        self.refused(self.owner.set(SECRET, b"other", expect=None), FAILED, "known.db", "may only be read")
        doctor = self.owner.run("doctor", expect=None)
        self.assertRegex(doctor.text, r"failure +known +.*may only be read", str(doctor))
        subprocess.run(["mount", "-o", "remount,rw,bind", home], check=True)
        self.assertEqual(self.owner.run("secret", "get", SECRET).out, b"hunter2")

    def on_a_disk_of_its_own(self, home):
        """The same home, where there is room for 2 MiB."""
        shutil.copytree(home, home + "-copy")
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs", home], check=True)
        self.addCleanup(lambda: subprocess.run(["umount", "-l", home]))
        shutil.copytree(home + "-copy", home, dirs_exist_ok=True)
        os.chmod(home, 0o700)
        return home

    def fill(self, path):
        """A file that leaves no byte of its disk."""
        with open(path, "wb", buffering=0) as filler:
            for block in (1 << 20, 4096, 1):
                try:
                    while True:
                        filler.write(b"\0" * block)
                except OSError as error:
                    self.assertEqual(error.errno, errno.ENOSPC)

    def test_a_full_disk_refuses_the_read_and_recovers(self):
        self.world.kill_server(signal.SIGTERM)
        small = os.path.join(self.world.dir, "small")
        os.mkdir(small)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", small], check=True)
        self.addCleanup(lambda: subprocess.run(["umount", "-l", small]))
        shutil.copytree(self.world.data, small + "/data", ignore=shutil.ignore_patterns("*.lock"))
        os.chmod(small + "/data", 0o700)
        self.world.serve(data=small + "/data")
        mount = self.mounted()
        self.fill(small + "/filler")
        last = OSError()
        for _ in range(2000):  # the database may still have free pages of its own
            try:
                mount.read(SECRET)
            except OSError as error:
                last = error
                break
        self.assertEqual(last.errno, errno.EIO)
        self.refused(self.web1.run("read", SECRET, expect=None), UNREACHABLE, "record")
        refused = self.owner.set("shop/prod/more", os.urandom(500_000), expect=None)
        self.refused(refused, UNREACHABLE, "the vault's disk is full")
        self.assertNotIn(small, refused.err, "a path of the server's is no business of a client's")
        doctor = self.owner.run("doctor", "--data", small + "/data", expect=None)
        self.assertRegex(doctor.text, r"failure +data.disk +0 MiB are free", str(doctor))
        os.unlink(small + "/filler")
        until("reads to work again", lambda: mount.reads(SECRET, b"hunter2"))
        self.owner.run("audit", "verify")


if __name__ == "__main__":
    main()
