"""What programs read from a real mount of a real vault."""

import ctypes
import errno
import filecmp
import mmap
import os
import signal
import subprocess
import tarfile
import unittest

from harness import *

SECRET = "shop/prod/db-password"


class ReadingTest(Case):
    """Two machines, one of which is granted."""

    def setUp(self):
        super().setUp()
        self.owner = self.world.init().owner
        self.web1, self.web2 = self.world.machine("web-1"), self.world.machine("web-2")

    def granted(self, *names):
        self.owner.run("grant", "web-1", *(names or (SECRET,)))
        mount = Mount(self.web1).start()
        for name in names or (SECRET,):
            until(name + " to be listed", lambda: os.path.exists(mount.file(name)))
        return mount

    def test_ordinary_programs_read_the_same_bytes(self):
        values = {SECRET: b"hunter2 hunter2\n", "shop/prod/tls/server.key": os.urandom(64 * 1024),
                  "shop/prod/blob": os.urandom(1024 * 1024), "shop/prod/empty": b""}
        for name, value in values.items():
            self.owner.set(name, value)
        mount = self.granted(*values)
        copies = os.path.join(self.world.dir, "copies")
        os.mkdir(copies)
        for name, value in values.items():
            path = mount.file(name)
            self.assertEqual(os.stat(path).st_size, len(value))
            self.assertEqual(os.stat(path).st_mode & 0o7777, 0o400)
            self.assertEqual(subprocess.run(["cat", path], capture_output=True, check=True).stdout, value)
            subprocess.run(["cp", path, copies + "/cp"], check=True)
            subprocess.run(["dd", "if=" + path, "of=" + copies + "/dd", "bs=4k"], check=True, capture_output=True)
            for copy in ("cp", "dd"):
                with open(os.path.join(copies, copy), "rb") as got:
                    self.assertEqual(got.read(), value, copy)
            self.assertEqual(mount.read(name), value, "python")
            with open(path, "rb") as secret, open(copies + "/sendfile", "wb") as out:
                sent = 0
                while sent < len(value):
                    sent += os.sendfile(out.fileno(), secret.fileno(), sent, len(value) - sent)
            with open(copies + "/sendfile", "rb") as got:
                self.assertEqual(got.read(), value, "sendfile")
            if value:
                with open(path, "rb") as secret:
                    with mmap.mmap(secret.fileno(), 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ) as mapped:
                        self.assertEqual(mapped[:], value, "a private mapping")
        subprocess.run(["tar", "-cf", copies + "/all.tar", "-C", mount.path, "shop"], check=True)
        with tarfile.open(copies + "/all.tar") as archive:
            for name, value in values.items():
                self.assertEqual(archive.extractfile(name).read(), value, "tar of " + name)
        found = subprocess.run(["find", mount.file("shop"), "-type", "f"], capture_output=True, text=True, check=True).stdout.split()
        self.assertEqual(sorted(found), sorted(mount.file(name) for name in values))
        grep = subprocess.run(["grep", "-r", "-l", "hunter2", mount.file("shop")], capture_output=True, text=True, check=True)
        self.assertEqual(grep.stdout.split(), [mount.file(SECRET)])

    def test_the_other_machine_sees_nothing(self):
        self.owner.set(SECRET, b"hunter2")
        self.owner.run("grant", "web-1", SECRET)
        mount = Mount(self.web2).start()
        self.assertFalse(os.path.exists(mount.file("shop")))
        self.errno_of(errno.ENOENT, lambda: mount.read(SECRET))
        self.refused(self.web2.run("read", SECRET, expect=None), NOT_FOUND)
        self.assertEqual(self.web1.run("read", SECRET).out, b"hunter2")

    def test_nothing_can_be_written(self):
        self.owner.set(SECRET, b"hunter2")
        mount = self.granted()
        path = mount.file(SECRET)
        self.errno_of(errno.EROFS, lambda: open(path, "wb"))
        self.errno_of(errno.EROFS, lambda: os.unlink(path))
        self.errno_of(errno.EROFS, lambda: os.mkdir(mount.file("shop/x")))
        self.errno_of(errno.EROFS, lambda: os.chmod(path, 0o777))
        self.errno_of(errno.EROFS, lambda: os.rename(path, path + "2"))

    def test_owner_group_and_mode_are_the_grants(self):
        self.owner.set(SECRET, b"x")
        self.owner.run("grant", "web-1", SECRET, "--owner", "nobody", "--group", "12345", "--mode", "0440")
        mount = Mount(self.web1).start()
        until("the listing", lambda: os.path.exists(mount.file(SECRET)))
        info = os.stat(mount.file(SECRET))
        self.assertEqual((info.st_uid, info.st_gid, info.st_mode & 0o7777), (65534, 12345, 0o440))
        as_user = lambda uid: subprocess.run(["cat", mount.file(SECRET)], capture_output=True, user=uid, group=uid, extra_groups=[])
        self.assertEqual(as_user(65534).stdout, b"x")
        self.assertNotEqual(as_user(1).returncode, 0)

    def test_one_path_serves_every_environment(self):
        self.owner.set(SECRET, b"prod")
        self.owner.run("grant", "web-1", SECRET)
        mount = Mount(self.web1, "root", "--root", "shop/prod").start()
        until("the listing", lambda: mount.reads("db-password", b"prod"))
        self.assertNotIn("mind the spelling", mount.log())
        mistyped = Mount(self.web1, "mistyped", "--root", "shop/prd").start()
        self.assertIn("nothing of shop/prd is granted now; mind the spelling", mistyped.log())

    def test_a_revocation_and_a_new_version_are_seen_by_the_next_open(self):
        self.owner.set(SECRET, b"one")
        mount = self.granted()
        self.assertEqual(mount.read(SECRET), b"one")
        self.owner.set(SECRET, b"two, longer")
        self.assertEqual(mount.read(SECRET), b"two, longer")
        held = os.open(mount.file(SECRET), os.O_RDONLY)
        self.owner.run("revoke", "web-1", SECRET)
        self.errno_of(errno.ENOENT, lambda: mount.read(SECRET))
        until("the open file to be cut off", lambda: self.pread_errno(held) == errno.EACCES)
        os.close(held)
        until("the listing to follow", lambda: not os.path.exists(mount.file("shop")), 5)

    def pread_errno(self, descriptor):
        try:
            os.pread(descriptor, 10, 0)
        except OSError as error:
            return error.errno
        return 0

    def test_a_single_file_bind_follows_a_rotation(self):
        self.owner.set(SECRET, b"one")
        mount = self.granted()
        target = os.path.join(self.world.dir, "bound")
        open(target, "w").close()
        libc = ctypes.CDLL(None, use_errno=True)
        self.assertEqual(libc.mount(mount.file(SECRET).encode(), target.encode(), b"", 4096, None), 0)
        self.addCleanup(lambda: libc.umount2(target.encode(), 2))
        read = lambda: subprocess.run(["cat", target], capture_output=True).stdout
        self.assertEqual(read(), b"one")
        for turn in range(5):
            value = b"turn %d" % turn * (turn + 1)
            self.owner.set(SECRET, value)
            until("the bind to show turn %d" % turn, lambda: read() == value)

    def test_rotation_storm(self):
        """16 readers of each kind while the secret changes 200 times in content and length."""
        value = lambda n: subprocess.run([READER, "content", str(n)], capture_output=True, check=True).stdout
        self.owner.set(SECRET, value(1))
        mount = self.granted()
        stop = os.path.join(self.world.dir, "stop")
        readers = [(kind, subprocess.Popen([READER, kind, mount.file(SECRET), stop], stdout=subprocess.PIPE, text=True))
                   for kind in ("read", "mmap", "sendfile", "held") for _ in range(16)]
        self.world.more += [reader for _, reader in readers]
        for turn in range(2, 202):
            self.owner.set(SECRET, value(turn))
        open(stop, "w").close()
        for kind, reader in readers:
            out = reader.communicate(timeout=60 * SLOWNESS)[0]
            self.assertEqual(reader.returncode, 0, kind + ": " + out)
        self.owner.run("audit", "verify")

    def test_an_interrupted_reader_goes_at_once(self):
        self.owner.set(SECRET, b"x")
        mount = self.granted()
        os.kill(self.world.server.pid, signal.SIGSTOP)
        try:
            reader = subprocess.Popen(["cat", mount.file(SECRET)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.world.more.append(reader)
            wchan = lambda: open("/proc/%d/wchan" % reader.pid).read()
            until("the reader to wait", lambda: "fuse" in wchan() or "request_wait" in wchan() or reader.poll() is not None, 5)
            reader.kill()
            self.assertIsNotNone(reader.wait(10))
        finally:
            os.kill(self.world.server.pid, signal.SIGCONT)


if __name__ == "__main__":
    main()
