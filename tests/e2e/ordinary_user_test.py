"""A mount without root, through fusermount3: for the user who made it, and for nobody else."""

import ctypes
import os
import pwd
import resource
import shutil
import signal
import stat
import subprocess
import tempfile

from harness import *

OWN, OTHERS, OPEN = "shop/prod/own", "shop/prod/others", "shop/prod/open"
USER = pwd.getpwnam("nobody").pw_uid  # fusermount3 wants a name
STRANGER, NAMELESS = pwd.getpwnam("daemon").pw_uid, 60124
EIGHT_MIB = 8 << 20


def few_locked_pages():
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (EIGHT_MIB, EIGHT_MIB))


class User(Home):
    """An ordinary user's own machine: a home below XDG_CONFIG_HOME, a directory for what runs, and no right at all."""

    def __init__(self, world):
        super().__init__(world, "user")
        self.base = os.path.join(world.dir, "user")
        self.config, self.runtime = os.path.join(self.base, "config"), os.path.join(self.base, "run")
        for directory in (self.base, self.config, self.runtime):
            os.mkdir(directory, 0o755)
            os.chown(directory, USER, USER)
        self.point = os.path.join(self.runtime, "grantfs/secrets")
        self.binary = shutil.copy(BINARY, os.path.join(world.dir, "grantfs"))  # where every user can reach it
        self.environ = dict(world.environ, HOME=self.base, XDG_CONFIG_HOME=self.config, XDG_RUNTIME_DIR=self.runtime)

    def run(self, *args, stdin=b"", expect=DONE, path=None, user=USER):
        environ = dict(self.environ, PATH=path) if path else self.environ
        done = subprocess.run([self.binary, *args], input=stdin, capture_output=True, timeout=60 * SLOWNESS, env=environ,
                              user=user, group=user, extra_groups=[], preexec_fn=few_locked_pages)
        run = Run(list(args), done.returncode, done.stdout, done.stderr.decode(errors="replace"))
        if expect is not None and run.status != expect:
            raise AssertionError("expected exit %d of %s" % (expect, run))
        return run

    def start(self, *args):
        log_path = os.path.join(self.world.dir, "user-mount.log")
        size = os.path.getsize(log_path) if os.path.exists(log_path) else 0
        with open(log_path, "ab") as log:
            process = subprocess.Popen([self.binary, "mount", "--foreground", *args], stdin=subprocess.DEVNULL, stdout=log,
                                       stderr=log, env=self.environ, user=USER, group=USER, extra_groups=[],
                                       preexec_fn=few_locked_pages)
        self.world.more.append(process)

        def mounted():
            with open(log_path) as log:
                if process.poll() is not None:
                    raise AssertionError("the mount ended with %d: %s" % (process.returncode, log.read()))
                return "\nmounted " in "\n" + log.read()[size:]
        until("the user's mount", mounted)
        return process

    def cat(self, name, user=USER):
        return subprocess.run(["cat", "--", os.path.join(self.point, name)], capture_output=True, user=user, group=user,
                              extra_groups=[], timeout=60 * SLOWNESS)


def open_fuse_to_all(directory):
    """Gives this process a mount namespace in which everybody may open /dev/fuse, as on any Debian with udev; says why not."""
    if os.stat("/dev/fuse").st_mode & 0o006 == 0o006:
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(0x00020000) != 0 or libc.mount(None, b"/", None, 0x44000, None) != 0:  # NEWNS; REC | PRIVATE
        return "only root may open /dev/fuse here, and no mount namespace can be had"
    node = os.path.join(directory, "fuse")
    if libc.mount(b"dev", directory.encode(), b"tmpfs", 0, b"mode=755") != 0:
        return "only root may open /dev/fuse here, and no tmpfs can be mounted"
    try:
        os.mknod(node, 0o666 | stat.S_IFCHR, os.stat("/dev/fuse").st_rdev)
        os.chmod(node, 0o666)
    except OSError:
        return "only root may open /dev/fuse here, and no other node of it can be made"
    if libc.mount(node.encode(), b"/dev/fuse", None, 0x1000, None) != 0:  # BIND
        return "only root may open /dev/fuse here"
    return None


def give(home, copy, user):
    """A copy of a home that is another user's."""
    shutil.copytree(home, copy)
    for folder, _, names in os.walk(copy):
        for path in (folder, *(os.path.join(folder, name) for name in names)):
            os.chown(path, user, user)
    return copy


def mount_line(point):
    with open("/proc/self/mounts") as mounts:
        return ([line.split() for line in mounts if line.split()[1] == point] or [None])[-1]


def gone(pid):
    try:
        with open("/proc/%d/stat" % pid) as state:
            return state.read().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


class OrdinaryUserTest(Case):
    @classmethod
    def setUpClass(cls):
        cls.devices = tempfile.mkdtemp(prefix="grantfs-e2e-dev-")
        cls.why_not = open_fuse_to_all(cls.devices)

    @classmethod
    def tearDownClass(cls):
        libc = ctypes.CDLL(None, use_errno=True)
        if os.path.ismount(cls.devices):
            libc.umount2(b"/dev/fuse", 2)
            libc.umount2(cls.devices.encode(), 2)
        os.rmdir(cls.devices)

    def setUp(self):
        super().setUp()
        if self.why_not:
            self.skipTest(self.why_not)
        if not shutil.which("fusermount3"):
            self.skipTest("needs fusermount3, of the package fuse3")
        self.owner = self.world.init().owner
        self.user = User(self.world)
        self.addCleanup(self.unmount)
        self.user.run("enroll", stdin=self.owner.run("invite", "laptop").out)
        self.owner.run("approve", "laptop")
        for name, value, terms in ((OWN, b"mine", []), (OTHERS, b"theirs", ["--owner", str(STRANGER)]),
                                   (OPEN, b"all", ["--owner", str(STRANGER), "--mode", "0444"])):
            self.owner.set(name, value)
            self.owner.run("grant", "laptop", name, *terms)

    def unmount(self):
        while mount_line(self.user.point):
            if ctypes.CDLL(None, use_errno=True).umount2(self.user.point.encode(), 2) != 0:
                break

    def test_it_is_a_mount_of_ones_own(self):
        linked = os.path.lexists("/run/secrets")
        out = self.user.run("mount")
        self.assertIn("yours alone", out.err)
        pid = int(out.text.split("(process ")[1].split(")")[0])
        self.assertTrue(os.path.exists(os.path.join(self.user.config, "grantfs/identity.json")))
        kind, options = mount_line(self.user.point)[2:4]
        self.assertEqual(kind, "fuse.grantfs")
        for option in ("ro", "nosuid", "nodev", "noexec", "noatime", "user_id=%d" % USER, "default_permissions"):
            self.assertIn(option, options.split(","))
        self.assertNotIn("allow_other", options)
        self.assertEqual(os.path.lexists("/run/secrets"), linked)
        self.assertEqual(self.user.cat(OWN).stdout, b"mine")
        self.assertEqual(self.user.cat(OPEN).stdout, b"all")
        self.assertIn(b"Permission denied", self.user.cat(OTHERS).stderr)  # the grant is to another user
        listed = subprocess.run(["ls", "-ln", os.path.join(self.user.point, "shop/prod")], capture_output=True, text=True,
                                user=USER, group=USER, extra_groups=[]).stdout
        self.assertRegex(listed, r"-r-------- 1 +%d +\d+ +6 .* others" % STRANGER)
        self.assertRegex(listed, r"-r-------- 1 +%d +\d+ +4 .* own" % USER)
        status = self.user.cat(".grantfs/status").stdout.decode()
        self.assertIn("user %d alone" % USER, status)
        self.assertIn("2 of other owners", status)
        for stranger in (STRANGER, 0):
            self.assertIn(b"Permission denied", self.user.cat(OPEN, stranger).stderr)
        self.owner.set(OWN, b"rotated")
        until("the new version", lambda: self.user.cat(OWN).stdout == b"rotated")
        self.assertIn("unmounted " + self.user.point, self.user.run("umount").text)
        until("the mount's process to end", lambda: gone(pid))
        self.assertIsNone(mount_line(self.user.point))

    def test_why_nobody_else_can_read_and_who_finds_out_more(self):
        process = self.user.start()
        path = os.path.join(self.user.point, OWN)
        why = lambda pid, **more: self.user.run("why", path, "--pid", str(pid), **more)
        of_roots = why(os.getpid(), user=0).text
        self.assertTrue(of_roots.startswith("it would be refused: "), of_roots)
        self.assertIn("REFUSED: grantfs is mounted at %s by user %d for himself" % (self.user.point, USER), of_roots)
        self.assertIn("--allow-other", of_roots)
        self.assertNotIn("no such path", of_roots)
        reader = subprocess.Popen(["sleep", "1000"], user=USER, group=USER, extra_groups=[])
        try:
            self.refused(why(reader.pid, user=0, expect=None), DENIED, "not even root", ".grantfs/why/")
            self.refused(why(reader.pid, expect=None), DENIED, "cat MOUNT/.grantfs/why/PATH")
        finally:
            reader.kill()
            reader.wait()
        own = self.user.cat(".grantfs/why/" + OWN).stdout.decode()
        self.assertTrue(own.startswith("it may read: "), own)
        others = self.user.cat(".grantfs/why/" + OTHERS).stdout.decode()
        self.assertIn("REFUSED: the file is %d:" % STRANGER, others)
        self.user.run("umount")
        self.assertEqual(process.wait(30 * SLOWNESS), 0)

    def test_unmounting(self):
        process = self.user.start()
        reader = subprocess.Popen(["tail", "-f", os.path.join(self.user.point, OWN)], stdout=subprocess.PIPE, user=USER,
                                  group=USER, extra_groups=[])
        self.assertEqual(reader.stdout.read(4), b"mine")
        self.refused(self.user.run("umount", expect=None), CONFLICT, "open there")
        reader.kill()
        reader.wait()
        reader.stdout.close()
        self.refused(self.user.run("umount", self.user.point, user=STRANGER, expect=None), DENIED, "not one of yours")
        process.send_signal(signal.SIGTERM)  # unmounts by itself
        self.assertEqual(process.wait(30 * SLOWNESS), 0)
        self.assertIsNone(mount_line(self.user.point))
        process = self.user.start()
        process.kill()
        process.wait()
        process = self.user.start()  # mends what the killed one left
        self.assertEqual(self.user.cat(OWN).stdout, b"mine")
        self.user.run("umount")
        self.assertEqual(process.wait(30 * SLOWNESS), 0)

    def test_an_owner_sees_the_vault(self):
        home = give(self.owner.path, os.path.join(self.world.dir, "owners"), USER)
        process = self.user.start("--admin", self.user.point, "--home", home)
        self.assertIn(b"may read    " + OWN.encode(), self.user.cat("machines/laptop/grants/" + OWN).stdout)
        self.assertIn(b"Permission denied", self.user.cat("info", 0).stderr)
        self.user.run("umount", self.user.point)
        self.assertEqual(process.wait(30 * SLOWNESS), 0)

    def test_what_is_missing_is_named(self):
        empty = os.path.join(self.world.dir, "empty")
        os.mkdir(empty)
        self.refused(self.user.run("mount", path=empty, expect=None), FAILED, "fusermount3", "install the package fuse3")
        plain = shutil.copy(shutil.which("fusermount3"), empty)
        os.chmod(plain, 0o755)
        refused = self.user.run("mount", path=empty, expect=None)
        self.assertNotEqual(refused.status, DONE, str(refused))
        self.refused(refused, refused.status, "root")
        roots = os.path.join(self.world.dir, "roots")
        os.mkdir(roots)
        self.refused(self.user.run("mount", roots, expect=None), DENIED, "of your own")
        nameless = give(os.path.join(self.user.config, "grantfs"), os.path.join(self.world.dir, "nameless"), NAMELESS)
        os.chown(roots, NAMELESS, NAMELESS)
        self.refused(self.user.run("mount", roots, "--home", nameless, user=NAMELESS, expect=None), FAILED, "getent passwd")
        del self.user.environ["XDG_RUNTIME_DIR"]
        self.refused(self.user.run("mount", expect=None), USAGE, "XDG_RUNTIME_DIR", "name the directory")

    def test_others_come_in_only_where_the_host_permits_it(self):
        """In a mount namespace with an /etc/fuse.conf of its own."""
        script = """
            set -e
            mount --bind "$CONF" /etc/fuse.conf
            as_user() { setpriv --reuid %d --regid %d --clear-groups "$@"; }
            as_user "$BINARY" mount --allow-other
            trap 'as_user "$BINARY" umount' EXIT
            cat "$POINT/shop/prod/open"
            setpriv --reuid %d --regid %d --clear-groups cat "$POINT/shop/prod/others" "$POINT/.grantfs/status"
        """ % (USER, USER, STRANGER, STRANGER)

        def run(conf):
            path = os.path.join(self.world.dir, "fuse.conf")
            with open(path, "w") as file:
                file.write(conf)
            environ = dict(self.user.environ, CONF=path, BINARY=self.user.binary, POINT=self.user.point)
            done = subprocess.run(["unshare", "--mount", "--propagation", "private", "bash", "-c", script], env=environ,
                                  capture_output=True, timeout=60 * SLOWNESS)
            return Run(["script"], done.returncode, done.stdout, done.stderr.decode(errors="replace"))
        self.refused(run("# nothing\n"), DENIED, "user_allow_other")
        permitted = run("user_allow_other\n")
        self.assertEqual(permitted.status, DONE, str(permitted))
        self.assertIn("alltheirs", permitted.text)
        self.assertNotIn("alone", permitted.text + permitted.err)


if __name__ == "__main__":
    main()
