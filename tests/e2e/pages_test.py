"""What the page cache has of a secret, and that a strict grant keeps it out altogether."""

import ctypes
import errno
import mmap
import os
import signal
import subprocess
import sys

from harness import *

SECRET = "shop/prod/paged"
PAGES = 5
SYS_CACHESTAT = 451
TOUCH = """
import mmap, sys
with open(sys.argv[1], "rb") as secret:
    kind = getattr(mmap, sys.argv[2])
    mmap.mmap(secret.fileno(), 0, flags=kind, prot=mmap.PROT_READ)[0]
"""

libc = ctypes.CDLL(None, use_errno=True)


def pages_of(descriptor):
    """How many of a file's pages the page cache holds."""
    whole, stat = (ctypes.c_uint64 * 2)(0, 0), (ctypes.c_uint64 * 5)()
    if libc.syscall(SYS_CACHESTAT, descriptor, whole, stat, 0) != 0:
        raise OSError(ctypes.get_errno(), "cachestat")
    return stat[0]


def map_privately(descriptor):
    return mmap.mmap(descriptor, 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ)


class PagesTest(Case):
    def setUp(self):
        super().setUp()
        try:
            with open(os.devnull, "rb") as null:
                pages_of(null.fileno())
        except OSError as error:
            if error.errno == errno.ENOSYS:
                self.skipTest("this kernel has no cachestat(2), which Linux 6.5 has")
        self.value = os.urandom(PAGES * mmap.PAGESIZE)

    def mounted(self, *terms):
        owner = self.owner = self.world.init().owner
        web1 = self.world.machine("web-1")
        owner.set(SECRET, self.value)
        owner.run("grant", "web-1", SECRET, *terms)
        self.mount = Mount(web1).start()
        self.path = self.mount.file(SECRET)
        until("the listing", lambda: os.path.exists(self.path))
        self.watch = os.open(self.path, os.O_RDONLY)  # stays open, and reads nothing itself
        self.addCleanup(os.close, self.watch)

    def gone(self, of):
        until("the pages of %s to go" % of, lambda: pages_of(self.watch) == 0)

    def test_pages_are_gone_after_the_close(self):
        self.mounted()
        with open(self.path, "rb") as secret, open(os.devnull, "wb") as out:
            self.assertEqual(secret.read(), self.value)
            self.assertEqual(pages_of(self.watch), 0, "read(2) goes past the page cache")
            with map_privately(secret.fileno()) as mapped:
                self.assertEqual(mapped[:], self.value)
                self.assertEqual(pages_of(self.watch), PAGES)
        self.gone("a mapping")
        with open(self.path, "rb") as secret, open(os.devnull, "wb") as out:
            os.sendfile(out.fileno(), secret.fileno(), 0, len(self.value))
        self.gone("sendfile")
        with open(self.path, "rb") as secret:
            self.splice(secret)
        self.gone("splice")

    def test_a_mapping_outlives_a_rotation_and_its_pages_do_not_outlive_it(self):
        self.mounted()
        with open(self.path, "rb") as secret:
            mapped = map_privately(secret.fileno())
        self.assertEqual(mapped[:1], self.value[:1])
        self.owner.set(SECRET, b"rotated")
        self.assertEqual(self.mount.read(SECRET), b"rotated")
        self.assertEqual(mapped[:], self.value)
        mapped.close()
        self.gone("a rotated mapping")

    def test_strict_refuses_what_needs_pages(self):
        """read(2) works. mmap(2) cannot be refused by a filesystem in user space: touching the mapping is."""
        self.mounted("--strict")
        with open(self.path, "rb") as secret, open(os.devnull, "wb") as out:
            self.assertEqual(secret.read(), self.value)
            self.errno_of(errno.EACCES, lambda: os.sendfile(out.fileno(), secret.fileno(), 0, mmap.PAGESIZE))
            self.errno_of(errno.EACCES, lambda: self.splice(secret))
            for kind in ("MAP_PRIVATE", "MAP_SHARED"):
                touched = subprocess.run([sys.executable, "-c", TOUCH, self.path, kind], check=False, capture_output=True,
                                         text=True)
                refused = touched.returncode == -signal.SIGBUS or "No such device" in touched.stderr
                self.assertTrue(refused, "%s: %d %s" % (kind, touched.returncode, touched.stderr))
            self.assertEqual(os.pread(secret.fileno(), len(self.value), 0), self.value)
        self.gone("what was refused")

    def splice(self, secret):
        reading, writing = os.pipe()
        try:
            self.assertGreater(os.splice(secret.fileno(), writing, mmap.PAGESIZE, offset_src=0), 0)
        finally:
            os.close(reading)
            os.close(writing)


if __name__ == "__main__":
    main()
