"""A vault on a small disk that fills up: told long before, then reads alone are refused."""

import errno
import os
import subprocess

from harness import *

SECRET = "shop/prod/db-password"


class DiskTest(Case):
    def leave(self, mebibytes):
        """Fills the disk up to so much."""
        filler = os.path.join(self.world.data, "filler")
        if os.path.exists(filler):
            os.unlink(filler)
        disk = os.statvfs(self.world.data)
        with open(filler, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(1, disk.f_bavail * disk.f_frsize - (mebibytes << 20)))

    def said(self, action):
        return [one for one in self.owner.json("audit", "list", "--limit", "0")["records"] if one["action"] == action]

    def test_it_is_told_early_and_its_reserve_is_for_those_who_mend(self):
        os.mkdir(self.world.data, 0o700)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100m,mode=700", "tmpfs", self.world.data], check=True)
        self.addCleanup(lambda: subprocess.run(["umount", "-l", self.world.data], check=False))
        self.grant_to_web1(SECRET, b"hunter2")
        mount = Mount(self.web1).start()
        until("a read", lambda: mount.reads(SECRET, b"hunter2"))
        self.leave(20)
        [record] = until("the warning", lambda: self.said("disk.low"))
        self.assertEqual(record["severity"], "critical")
        self.assertEqual(mount.read(SECRET), b"hunter2")
        self.leave(3)
        self.errno_of(errno.EIO, lambda: mount.read(SECRET))
        self.refused(self.owner.run("secret", "get", SECRET, expect=None), UNREACHABLE, "full but for its reserve")
        self.owner.run("freeze", "env", "shop/prod")
        self.owner.run("unfreeze", "env", "shop/prod")
        self.owner.run("revoke", "web-1", SECRET)
        self.owner.run("identity", "remove", "web-1")
        self.assertTrue(self.said("freeze.set"))
        until("the next warning", lambda: len(self.said("disk.low")) >= 2)
        os.unlink(os.path.join(self.world.data, "filler"))
        until("the end of it", lambda: self.said("disk.eased"))
        self.assertEqual(self.owner.run("secret", "get", SECRET).out.strip(), b"hunter2")
        self.owner.run("audit", "verify")


if __name__ == "__main__":
    main()
