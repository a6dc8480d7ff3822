"""Containers that bind the mount's parent `ro,rslave` see the secrets, whichever came first, and through restarts."""

import ctypes
import os
import shutil
import signal
import subprocess
import threading

from harness import *
from processes import tree
from programs import *

MS_SHARED, MNT_DETACH = 1 << 20, 2
ROOTS, APPS = "shop/prod/of-root", "shop/prod/of-app"  # readable by root alone, and by the app's user
APP = 1234
APPLETS = ("sh", "cat", "ls", "id", "true", "stat")

libc = ctypes.CDLL(None, use_errno=True)


class Container:
    """A shell inside, which is asked line by line."""

    def __init__(self, name, user, command, environ):
        self.name, self.user = name, user
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        env=environ, text=True, bufsize=1)

    def ask(self, command):
        """What a command says."""
        self.process.stdin.write("(%s) 2>&1; echo; echo ==\n" % command)
        lines = []
        while True:
            line = self.process.stdout.readline()
            if not line:
                raise AssertionError("%s ended: %s" % (self.name, "".join(lines)))
            if line.startswith("=="):
                return "".join(lines)[:-1]
            lines.append(line)

    def close(self):
        self.process.stdin.close()
        timer = threading.Timer(20 * SLOWNESS, self.process.kill)
        timer.start()
        self.process.stdout.read()
        self.process.stdout.close()
        self.process.wait()
        timer.cancel()


class ContainerCase(ProgramCase):
    """The host's side: a shared directory, of which `secrets` is the mount point, and a root with a shell in it."""

    def setUp(self):
        super().setUp()
        self.busybox = need("busybox")
        with open(self.busybox, "rb") as program:
            if b"/ld-linux" in program.read(4096):
                self.skipTest("this busybox needs libraries; the package busybox-static has one that does not")
        self.containers = []
        self.parent = self.directory("parent", mode=0o755)
        if libc.mount(b"tmpfs", self.parent.encode(), b"tmpfs", 0, b"mode=755,size=1m") != 0 or \
                libc.mount(None, self.parent.encode(), None, MS_SHARED, None) != 0:
            self.skipTest("cannot mount a tmpfs: " + os.strerror(ctypes.get_errno()))
        self.addCleanup(lambda: libc.umount2(self.parent.encode(), MNT_DETACH))
        os.mkdir(self.parent + "/secrets")
        self.root = self.directory("root", mode=0o755)
        for name in ("bin", "dev", "etc", "proc", "run", "run/grantfs", "sys", "tmp"):
            os.mkdir(os.path.join(self.root, name))
        shutil.copy(self.busybox, self.root + "/bin/busybox")
        for applet in APPLETS:
            os.symlink("busybox", self.root + "/bin/" + applet)

    def start(self, name, user):
        container = Container(name, user, self.command(user, "/bin/sh"), {**self.world.environ, "PATH": PATH})
        self.containers.append(container)
        self.addCleanup(container.close)
        self.assertEqual(container.ask("id -u"), "%d\n" % user)
        return container

    def need_it_to_run(self, what):
        done = self.run_any(*self.command(0, "/bin/true"), stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            self.skipTest("%s cannot run here: %s" % (what, (done.stderr.strip() or "no reason given").split("\n")[-1]))

    def live_through_it(self):
        """What every container must see while vault and mount come and go."""
        self.begin()
        for name, user in ((ROOTS, 0), (APPS, APP)):
            self.owner.set(name, b"one")
            self.owner.run("grant", "web-1", name, "--owner", str(user), "--group", str(user))
        before = [self.start("before the mount, as %d" % user, user) for user in (0, APP)]
        for container in before:
            self.assertEqual(container.ask("ls /run/grantfs/secrets"), "")
        mount = Mount(self.web1, "parent/secrets").start()
        self.addCleanup(mount.stop)  # before what it is mounted on goes
        for user in (0, APP):
            self.start("after the mount, as %d" % user, user)
        self.all_read("one")
        for container in self.containers:
            if container.user == APP:
                self.assertIn("Permission denied", container.ask("cat /run/grantfs/secrets/" + ROOTS))
            self.assertIn("Read-only file system", container.ask("echo x > /run/grantfs/secrets/" + APPS))
            self.assertIn("Read-only file system", container.ask("echo x > /run/grantfs/x"))
        for name in (ROOTS, APPS):
            self.owner.set(name, b"two, and longer")
        self.all_read("two, and longer")

        self.world.kill_server()
        for container in self.containers:
            self.assertIn("Input/output error", container.ask(self.cat(container)))
            self.assertIn("of-app", container.ask("ls /run/grantfs/secrets/shop/prod"))
        self.world.serve()
        self.all_read("two, and longer")

        mount.stop()
        for container in self.containers:
            self.assertEqual(container.ask("ls /run/grantfs/secrets"), "", container.name)
        mount.start()
        self.all_read("two, and longer")
        for pid in tree(mount.process.pid):
            os.kill(pid, signal.SIGKILL)
        mount.process.wait()
        for container in self.containers:
            self.assertIn("Transport endpoint is not connected", container.ask(self.cat(container)), container.name)
        mount.start()
        for name in (ROOTS, APPS):
            self.owner.set(name, b"three")
        self.all_read("three")
        self.owner.run("revoke", "web-1", APPS)
        for container in self.containers:
            if container.user == APP:
                self.assertIn("No such file", container.ask(self.cat(container)))

    def all_read(self, value):
        for container in self.containers:
            until("%s: to read %s" % (container.name, value), lambda: container.ask(self.cat(container)) == value)

    def cat(self, container):
        return "cat /run/grantfs/secrets/" + (APPS if container.user == APP else ROOTS)


class PodmanTest(ContainerCase):
    def setUp(self):
        super().setUp()
        self.podman, _, _ = need("podman", "runc", "conmon")

    def command(self, user, *inside):
        state = self.dir + "/podman"
        return [self.podman, "--root", state + "/root", "--runroot", state + "/run", "--tmpdir", state + "/tmp", "--runtime", "runc",
                "--cgroup-manager", "cgroupfs", "--events-backend", "none", "run", "--rm", "-i", "--network", "none", "--user",
                "%d:%d" % (user, user), "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096", "--log-driver", "none",
                "-v", self.parent + ":/run/grantfs:ro,rslave", "--rootfs", self.root, *inside]

    def none_left(self):
        """conmon outlives podman by a moment."""
        mark = (self.dir + "/podman/").encode()
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/cmdline" % pid, "rb") as line:
                    if mark in line.read():
                        return False
            except OSError:
                pass
        return True

    def test_secrets_in_a_container(self):
        self.addCleanup(lambda: until("podman's processes to end", self.none_left))
        self.need_it_to_run("podman")
        self.live_through_it()


class BubblewrapTest(ContainerCase):
    """As root, and as a user who has nothing but user namespaces."""

    def setUp(self):
        super().setUp()
        self.bwrap, self.setpriv = need("bwrap", "setpriv")

    def command(self, user, *inside):
        become = [self.setpriv, "--reuid=%d" % user, "--regid=%d" % user, "--clear-groups"] if user else []
        return [*become, self.bwrap, "--ro-bind", self.root, "/", "--dev", "/dev", "--proc", "/proc", "--ro-bind", self.parent,
                "/run/grantfs", "--unshare-pid", "--unshare-net", "--die-with-parent", *inside]

    def test_secrets_in_a_sandbox(self):
        self.need_it_to_run("bubblewrap")
        self.live_through_it()


if __name__ == "__main__":
    main()
