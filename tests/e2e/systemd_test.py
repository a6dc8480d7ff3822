"""The units of contrib/ and examples/ under a real systemd, which is the first process of a container."""

import os
import shutil
import subprocess

from containers import APP, PASSWORD, PodmanCase
from harness import *
from programs import *

USR = ("bin", "lib", "lib64", "sbin", "share")
# What systemd's own units would pull in is no matter of these tests, and takes seconds.
TARGETS = ("basic", "multi-user", "network", "shutdown", "sysinit", "umount")
PROBE = "[Service]\nExecStart=/bin/sh -c 'echo it runs; exec sleep infinity'\nStandardOutput=truncate:/out/probe\n"
# What a program would do: it says what it reads, each time that it reads it.
SHOP = """[Service]
ExecStart=
ExecStart=/bin/sh -c 'while :; do cat "$$DB_PASSWORD_FILE" && echo; sleep 0.2; done'
StandardOutput=append:/out/%s
"""
# It keeps what it opened, and says what is in it.
HOLDS = """[Service]
ExecStart=/usr/bin/perl -e '$$| = 1; open(my $$f, "<", "/run/grantfs/secrets/%s") or die $$!; \
  my $$b; while (1) { sysseek($$f, 0, 0); print sysread($$f, $$b, 100) ? "$$b\\n" : "failed: $$!\\n"; select(undef, undef, undef, 0.2) }'
StandardOutput=append:/out/holds
StandardError=append:/out/holds
""" % PASSWORD
# What the command leaves running does not end when it is asked to.
MOUNT = """[Service]
ExecStart=
ExecStart=/usr/local/bin/grantfs mount --foreground --on-change "trap '' TERM; setsid sleep 300 > /dev/null 2>&1 & echo left"
StandardOutput=append:/out/mount
StandardError=append:/out/mount
"""
MOUNTED, WENT_ON = " info mounted ", " goes on with the mount "


class SystemdCase(PodmanCase):
    """A root with this machine's programs and the units of the test alone."""

    def setUp(self):
        super().setUp()
        self.systemd = "/lib/systemd/systemd"
        if not os.path.exists(self.systemd) or not os.path.islink("/lib"):
            self.skipTest("systemd is not installed")
        shutil.rmtree(self.root)
        for name in ("dev", "etc/systemd/system", "etc/grantfs", "out", "proc", "root", "run", "sys", "tmp", "usr/local/bin", "var/lib",
                     "var/tmp", *("usr/" + name for name in USR)):
            os.makedirs(os.path.join(self.root, name))
        for name in ("bin", "lib", "lib64", "sbin"):
            os.symlink("usr/" + name, os.path.join(self.root, name))
        self.put("etc/passwd", "root:x:0:0::/root:/bin/sh\nshop:x:%d:%d::/:/bin/sh\n" % (APP, APP))
        self.put("etc/group", "root:x:0:\nshop:x:%d:\n" % APP)
        self.put("etc/machine-id", "")
        self.put("usr/local/bin/grantfs", "", 0o755)
        for target in TARGETS:
            self.unit(target + ".target", "[Unit]\nDescription=%s\n" % target)
        self.unit("probe.service", PROBE)
        self.unit("test.target", "[Unit]\nWants=probe.service\n")
        self.out = self.directory("out")

    def put(self, name, text, mode=0o644):
        path = os.path.join(self.root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        os.chmod(path, mode)

    def unit(self, name, text):
        self.put("etc/systemd/system/" + name, text)

    def boot(self, home):
        binds = [("/usr/" + name, "/usr/" + name, "ro") for name in USR if os.path.isdir("/usr/" + name)]
        binds += [(BINARY, "/usr/local/bin/grantfs", "ro"), (home, "/etc/grantfs", "rw"), (self.out, "/out", "rw")]
        volumes = [part for source, target, mode in binds for part in ("--volume", "%s:%s:%s" % (source, target, mode))]
        command = [self.podman, "run", "--rm", "--name", "machine", "--systemd", "always", "--cgroupns", "private", "--network", "host",
                   "--log-driver", "none", "--device", "/dev/fuse", "--cap-add", "SYS_ADMIN,SYS_PTRACE,DAC_READ_SEARCH", "--ulimit",
                   "nofile=20000:20000", "--ulimit", "nproc=4096:4096", "--env", "SYSTEMD_UNIT_PATH=/etc/systemd/system", *volumes, "--rootfs", self.root, "/bin/sh", "-c",
                   'mount --make-rshared / && exec "$@"', "sh", self.systemd, "--unit=test.target"]  # shared, as on a host
        with open(os.path.join(self.dir, "machine.log"), "wb") as log:
            machine = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                       env={**self.world.environ, "PATH": PATH})
        self.world.more.append(machine)
        self.addCleanup(self.run_any, self.podman, "rm", "--force", "--ignore", "machine")
        self.addCleanup(self.run_any, self.podman, "kill", "machine")  # there is no unit that would halt it
        try:
            until("systemd to start a service", lambda: self.said("probe") == "it runs\n" or machine.poll() is not None)
        except AssertionError:
            pass
        if self.said("probe") != "it runs\n":
            with open(os.path.join(self.dir, "machine.log"), errors="replace") as log:
                self.skipTest("systemd cannot run here: " + (log.read().strip() or "no reason given").split("\n")[-1])

    def said(self, name):
        try:
            with open(os.path.join(self.out, name), encoding="utf-8", errors="replace") as out:
                return out.read()
        except FileNotFoundError:
            return ""

    def inside(self, *command):
        return self.run_any(self.podman, "exec", "machine", *command)

    def systemctl(self, *command):
        return self.inside("/bin/systemctl", *command)


class SystemdTest(SystemdCase):
    def test_services_get_their_secret_at_boot_and_after_a_rotation(self):
        self.begin()
        self.owner.set(PASSWORD, b"one")
        self.owner.run("grant", "web-1", PASSWORD, "--owner", "shop")
        with open(os.path.join(EXAMPLES, "../contrib/systemd/grantfs-mount.service"), encoding="utf-8") as unit:
            self.unit("grantfs-mount.service", unit.read())
        self.unit("grantfs-mount.service.d/test.conf", MOUNT)
        self.unit("holds.service", HOLDS)
        for name in ("shop", "shop-credential"):
            self.unit(name + ".service", self.example("systemd/%s.service" % name, {}))
            self.unit(name + ".service.d/test.conf", SHOP % name)
        self.unit("test.target", "[Unit]\nWants=probe.service shop.service shop-credential.service\n")
        self.boot(self.web1.path)
        for name in ("shop", "shop-credential"):
            until("%s to have read its secret; %s" % (name, self.said("mount")), lambda: "one\n" in self.said(name))
        self.owner.set(PASSWORD, b"two, and longer")
        until("shop to see the rotation", lambda: "two, and longer\n" in self.said("shop"))
        self.assertNotIn("two", self.said("shop-credential"))
        done = self.systemctl("restart", "shop-credential.service")
        self.assertEqual(done.returncode, 0, done.stderr)
        until("the credential to be the new one", lambda: "two, and longer\n" in self.said("shop-credential"))
        self.assert_read_by("cat", "db-password", APP)
        self.assert_read_by("systemd", "db-password")
        until("the command to have run", lambda: "on-change: left" in self.said("mount"))
        self.assertEqual(self.systemctl("start", "holds.service").returncode, 0)
        self.assert_stays_mounted()
        self.owner.set(PASSWORD, b"three")
        until("shop to read from the next mount", lambda: "three\n" in self.said("shop"))
        self.assertEqual(self.systemctl("is-active", "grantfs-mount.service", "shop.service").stdout, "active\nactive\n")
        done = self.systemctl("restart", "grantfs-mount.service")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.said("mount").count(MOUNTED), 2, self.said("mount"))
        self.assertEqual(self.systemctl("stop", "grantfs-mount.service").returncode, 0)
        self.assertEqual(self.inside("cat", "/proc/self/mounts").stdout.count("fuse.grantfs"), 0, self.said("mount"))

    def assert_stays_mounted(self):
        """Whatever of the unit is killed: shop's reader sees no error, a descriptor that it keeps goes on, and the mount is the same."""
        for who in ("main", "all", "main", "main", "all"):
            before = self.said("mount").count(WENT_ON)
            done = self.systemctl("kill", "--kill-who", who, "--signal", "KILL", "grantfs-mount.service")
            self.assertEqual(done.returncode, 0, done.stderr)
            until("the next process to go on: " + self.said("mount"), lambda: self.said("mount").count(WENT_ON) > before)
            read = self.said("holds").count("two, and longer\n")
            until("a read of what is open: " + self.said("holds")[-500:], lambda: self.said("holds").count("two, and longer\n") > read)
        self.assertEqual(self.said("mount").count(MOUNTED), 1, self.said("mount"))
        for name in ("shop", "holds"):
            self.assertEqual(set(self.said(name).splitlines()) - {"one", "two, and longer"}, set(), name)
        self.assertIn("and the service manager was asked to keep it", self.inside("cat", "/run/grantfs/secrets/.grantfs/status").stdout)
        self.assertEqual(self.systemctl("is-active", "grantfs-mount.service", "shop.service", "holds.service").stdout, "active\n" * 3)

    def test_the_vault_in_its_sandbox(self):
        """Its unit allows a vault all that it needs, and a restart: an owner, a secret, a machine that reads it."""
        with open(os.path.join(EXAMPLES, "../contrib/systemd/grantfs-vault.service"), encoding="utf-8") as unit:
            self.unit("grantfs-vault.service", unit.read())
        self.unit("grantfs-vault.service.d/test.conf", "[Service]\nStandardOutput=append:/out/vault\nStandardError=append:/out/vault\n")
        self.unit("test.target", "[Unit]\nWants=probe.service grantfs-vault.service\n")
        home = self.directory("vault-home")
        name = "127.0.0.1:%d" % self.world.port
        self.write("vault-home/grantfs.conf", "[serve]\nname = %s\nlisten = %s\n" % (name, name), 0o644)
        self.boot(home)
        claim = os.path.join(self.root, "var/lib/grantfs/claim")
        until("the claim", lambda: os.path.exists(claim))
        with open(claim, "rb") as line:
            self.world.owner.run("init", stdin=line.read())
        self.world.owner.run("env", "create", "shop/prod")
        self.world.owner.set(PASSWORD, b"one")
        web1 = self.world.machine("web-1")
        self.world.owner.run("grant", "web-1", PASSWORD)
        self.assertEqual(web1.run("read", PASSWORD).out, b"one")
        for how in (("restart",), ("kill", "--signal", "KILL")):
            done = self.systemctl(*how, "grantfs-vault.service")
            self.assertEqual(done.returncode, 0, done.stderr + self.said("vault"))
            until("the vault to be back after " + how[0], lambda: web1.run("read", PASSWORD, expect=None).out == b"one")
        self.world.owner.run("audit", "verify")


if __name__ == "__main__":
    main()
