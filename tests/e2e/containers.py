"""Containers that see a mount from inside: what the tests with podman, bubblewrap and systemd have in common."""

import ctypes
import glob
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
PASSWORD = "shop/prod/db-password"  # what the examples read
APPLETS = ("sh", "cat", "ls", "id", "true", "sleep")
CONTAINERS_CONF = """
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
exit_command_delay = 0
infra_image = "localhost/shop:latest"
runtime = "runc"
tmp_dir = "{state}/tmp"
"""
STORAGE_CONF = """
[storage]
driver = "vfs"
graphroot = "{state}/root"
runroot = "{state}/run"
"""

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

    def start(self, name, user, *options):
        container = Container(name, user, self.command(user, options, "/bin/sh"), {**self.world.environ, "PATH": PATH})
        self.containers.append(container)
        self.addCleanup(container.close)
        return container

    def need_it_to_run(self, what):
        for user in (0, APP):
            done = self.run_any(*self.command(user, (), "/bin/true"), stdin=subprocess.DEVNULL)
            if done.returncode != 0:
                reason = (done.stderr.strip() or "no reason given").split("\n")[-1]
                self.skipTest("%s cannot run here as user %d: %s" % (what, user, reason))

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
            self.assertEqual(container.ask("id -u"), "%d\n" % container.user)
            if container.user == APP:
                self.assertIn("Permission denied", container.ask("cat /run/grantfs/secrets/" + ROOTS))
            self.assertIn("Read-only file system", container.ask("echo x > /run/grantfs/secrets/" + APPS))
            self.assertIn("Read-only file system", container.ask("echo x > /run/grantfs/x"))
        self.assert_read_by("busybox", "of-root", 0)
        self.assert_read_by("busybox", "of-app", APP)
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
            until(container.name + ": to see its end", lambda: "Transport endpoint is not connected" in container.ask(self.cat(container)))
        mount.start()
        for name in (ROOTS, APPS):
            self.owner.set(name, b"three")
        self.all_read("three")
        self.owner.run("revoke", "web-1", APPS)
        for container in self.containers:
            if container.user == APP:
                self.assertIn("No such file", container.ask(self.cat(container)))

    def follow_a_single_file(self, bind):
        """A bind of the file itself, which names an inode: it follows rotations all the same."""
        self.begin()
        self.owner.set(APPS, b"turn 0")
        self.owner.run("grant", "web-1", APPS, "--owner", str(APP))
        mount = Mount(self.web1, "parent/secrets").start()
        self.addCleanup(mount.stop)
        until("the listing", lambda: os.path.exists(mount.file(APPS)))
        open(os.path.join(self.root, "password"), "wb").close()
        container = self.start("a single file", APP, *bind(mount.file(APPS), "/password"))
        for turn in range(4):
            value = "turn %d" % turn + "." * turn
            self.owner.set(APPS, value.encode())
            until("the bind to show " + value, lambda: container.ask("cat /password") == value)

    def all_read(self, value):
        for container in self.containers:
            until("%s: to read %s" % (container.name, value), lambda: container.ask(self.cat(container)) == value)

    def cat(self, container):
        return "cat /run/grantfs/secrets/" + (APPS if container.user == APP else ROOTS)


def podman_groups():
    return {group for root in ("/sys/fs/cgroup", "/sys/fs/cgroup/*") for below in ("", "/*")
            for group in glob.glob(root + "/libpod_parent" + below) if os.path.isdir(group)}


class PodmanCase(ContainerCase):
    """podman with storage and settings of its own, through the environment: so that examples run as they stand."""

    def setUp(self):
        super().setUp()
        self.podman, _, _ = need("podman", "runc", "conmon")
        self.state = self.directory("podman")
        self.world.environ["CONTAINERS_CONF"] = self.write("containers.conf", CONTAINERS_CONF.format(state=self.state))
        self.world.environ["CONTAINERS_STORAGE_CONF"] = self.write("storage.conf", STORAGE_CONF.format(state=self.state))
        self.world.environ["GRANTFS_PARENT"] = self.parent
        self.groups = podman_groups()
        self.addCleanup(self.remove_groups)
        self.addCleanup(lambda: until("podman's processes to end", self.none_left))

    def command(self, user, options, *inside):
        return [os.path.join(EXAMPLES, "podman/run"), "-i", "--network", "none", "--log-driver", "none", "--user",
                "%d:%d" % (user, user), *options, "--rootfs", self.root, *inside]

    def remove_groups(self):
        """podman leaves its control groups, which are in use by nobody now."""
        for group in podman_groups() - self.groups:
            for directory, _, _ in os.walk(group, topdown=False):
                try:
                    os.rmdir(directory)
                except OSError:
                    pass  # somebody else's, or removed already

    def none_left(self):
        """conmon outlives podman by a moment."""
        mark = (self.state + "/").encode()
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/cmdline" % pid, "rb") as line:
                    if mark in line.read():
                        return False
            except OSError:
                pass
        return True
