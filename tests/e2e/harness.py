"""What the end-to-end tests stand on: a real vault process, real homes, real mounts, all in one temporary directory.

Each test file is a program: it runs its TestCase classes and speaks TAP, so that every test is counted. Nothing waits by
sleeping: `until` polls with a deadline.
"""

import ctypes
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import unittest

BINARY = os.environ["GRANTFS_BINARY"]
READER = os.environ.get("GRANTFS_READER", "")
SLOWNESS = float(os.environ.get("GRANTFS_SLOWNESS", "1"))  # a sanitizer's build takes longer to do the same

DONE, FAILED, USAGE, DENIED, NOT_FOUND, UNREACHABLE, CONFLICT, INTEGRITY = range(8)


def until(what, condition, seconds=20):
    """Polls `condition` until it is true, and returns what it gave; fails after the deadline."""
    end = time.monotonic() + seconds * SLOWNESS
    pause = threading.Event()
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("did not happen in time: " + what)
        pause.wait(0.02)


class Run:
    """A finished command."""

    def __init__(self, args, status, out, err):
        self.args, self.status, self.out, self.err = args, status, out, err

    @property
    def text(self):
        return self.out.decode()

    @property
    def json(self):
        return json.loads(self.out)

    def __str__(self):
        return "%s: exit %d\n%s%s" % (" ".join(self.args), self.status, self.out[:2000].decode(errors="replace"), self.err)


class Home:
    """One identity's home, and the commands that act with it."""

    def __init__(self, world, name):
        self.world, self.path = world, os.path.join(world.dir, "home-" + name)
        self.name = name

    def run(self, *args, stdin=b"", expect=DONE, timeout=60):
        command = [BINARY, *args, "--home", self.path]
        done = subprocess.run(command, input=stdin, capture_output=True, timeout=timeout * SLOWNESS, env=self.world.environ)
        run = Run(command, done.returncode, done.stdout, done.stderr.decode(errors="replace"))
        self.world.said.append(run)
        if expect is not None and run.status != expect:
            raise AssertionError("expected exit %d of %s" % (expect, run))
        return run

    def json(self, *args, **more):
        return self.run(*args, "--json", **more).json

    def set(self, name, value, **more):
        return self.run("secret", "set", name, *([] if value else ["--empty"]), stdin=value, **more)


class Mount:
    """A `grantfs mount --foreground` of a machine's home."""

    def __init__(self, home, name="mnt", *options):
        self.home = home
        self.path = os.path.join(home.world.dir, name)
        self.log_path = os.path.join(home.world.dir, name + ".log")
        self.options = options
        self.process = None

    def start(self, wait=True):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [BINARY, "mount", self.path, "--foreground", *self.options, "--home", self.home.path],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.home.world.environ)
        self.home.world.mounts.append(self)
        if wait:
            until("the mount of " + self.path, lambda: self.alive() and self.mounted())
        return self

    def alive(self):
        if self.process.poll() is not None:
            raise AssertionError("the mount ended with %d: %s" % (self.process.returncode, self.log()))
        return True

    def mounted(self):
        with open("/proc/self/mounts") as mounts:
            return any(line.split()[1] == self.path for line in mounts)

    def log(self):
        with open(self.log_path, errors="replace") as log:
            return log.read()

    def file(self, name):
        return os.path.join(self.path, name)

    def read(self, name):
        with open(self.file(name), "rb") as secret:
            return secret.read()

    def reads(self, name, value):
        try:
            return self.read(name) == value
        except OSError:
            return False

    def stop(self, how=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(20 * SLOWNESS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.mounted():
            ctypes.CDLL(None, use_errno=True).umount2(self.path.encode(), 2)
        return self.process.returncode if self.process else None


class World:
    """A vault, an owner, and what a test adds to them."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="grantfs-e2e-")
        os.chmod(self.dir, 0o755)  # other users must reach the mounts
        self.data = os.path.join(self.dir, "data")
        self.environ = {k: v for k, v in os.environ.items() if not k.startswith(("GRANTFS_", "XDG_"))}
        self.environ["HOME"] = self.dir
        self.said, self.mounts, self.server, self.more = [], [], None, []
        self.port = free_port()
        self.names = ["127.0.0.1:%d" % self.port]
        self.owner = Home(self, "owner")
        self.vault_log = os.path.join(self.dir, "vault.log")
        self.serve_options = []

    def serve(self, wait=True, data=None):
        names = [part for name in self.names for part in ("--name", name)]
        with open(self.vault_log, "ab") as log:
            self.server = subprocess.Popen(
                [BINARY, "serve", "--data", data or self.data, "--listen", "127.0.0.1:%d" % self.port, *names,
                 *self.serve_options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environ)
        if wait:
            until("the vault to listen", lambda: self.listening())
        return self.server

    def listening(self):
        if self.server.poll() is not None:
            with open(self.vault_log, errors="replace") as log:
                raise AssertionError("the vault ended with %d: %s" % (self.server.returncode, log.read()))
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill_server(self, how=signal.SIGKILL):
        self.server.send_signal(how)
        self.server.wait(30 * SLOWNESS)
        return self.server.returncode

    def claim(self):
        path = os.path.join(self.data, "claim")
        until("the claim", lambda: os.path.exists(path))
        with open(path, "rb") as claim:
            return claim.read()

    def init(self, environment="shop/prod"):
        """A served vault with its owner and an environment."""
        self.serve()
        self.owner.run("init", stdin=self.claim())
        if environment:
            self.owner.run("env", "create", environment)
        return self

    def machine(self, name):
        """Invited, enrolled, approved."""
        home = Home(self, name)
        line = self.owner.run("invite", name).out
        home.run("enroll", stdin=line)
        self.owner.run("approve", name)
        return home

    def close(self):
        for mount in reversed(self.mounts):
            mount.stop()
        for process in [self.server, *self.more]:
            if process and process.poll() is None:
                process.terminate()
                try:
                    process.wait(20 * SLOWNESS)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


def free_port():
    """A port that a server may take now and again after a restart: below those that the kernel gives to connections, any of
    which another test's connection could hold by then."""
    while True:
        with socket.socket() as probe:
            try:
                port = random.randrange(10_000, 32_768)
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class Case(unittest.TestCase):
    """A test with a world of its own."""

    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)

    def refused(self, run, status, *words):
        """A refusal: its exit code, one sentence on standard error that says these words, nothing on standard output."""
        self.assertEqual(run.status, status, str(run))
        self.assertTrue(run.err.rstrip().split("\n")[-1].startswith("grantfs: "), str(run))
        for word in words:
            self.assertIn(word.lower(), run.err.lower(), str(run))
        self.assertNotIn("terminate called", run.err)

    def grant_to_web1(self, secret, value):
        """The world with its owner, a secret, and a machine `web-1` that is granted it."""
        self.owner = self.world.init().owner
        self.web1 = self.world.machine("web-1")
        self.owner.set(secret, value)
        self.owner.run("grant", "web-1", secret)

    def errno_of(self, number, action):
        with self.assertRaises(OSError) as caught:
            action()
        self.assertEqual(caught.exception.errno, number, "%s instead of %s" % (caught.exception, os.strerror(number)))


class Tap(unittest.TestResult):
    """Prints one TAP line a test."""

    def __init__(self, total):
        super().__init__()
        self.number = 0
        print("1..%d" % total, flush=True)

    def line(self, good, test, detail=""):
        self.number += 1
        print("%s %d - %s%s" % ("ok" if good else "not ok", self.number, test.id().split(".", 1)[-1], detail), flush=True)

    def addSuccess(self, test):
        super().addSuccess(test)
        self.line(True, test)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.line(True, test, " # SKIP " + reason)

    def failed(self, test, error):
        for text in traceback.format_exception(*error):
            for one in text.rstrip().split("\n"):
                print("# " + one, flush=True)
        self.line(False, test)

    def addError(self, test, error):
        super().addError(test, error)
        self.failed(test, error)

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.failed(test, error)


def single(suite):
    """Its tests, each by itself."""
    for one in suite:
        yield from single(one) if isinstance(one, unittest.TestSuite) else (one,)


def chosen(words):
    """The calling file's tests that these words leave: --alone those of classes that say `alone = True`, which have the
    machine to themselves, --beside all others; --part=2/3 the second of three parts; names those that have them."""
    module = sys.modules["__main__"]
    loader = unittest.TestLoader()
    names = [word for word in words if not word.startswith("--")]
    tests = list(single(loader.loadTestsFromNames(names, module) if names else loader.loadTestsFromModule(module)))
    for word in words:
        if word in ("--alone", "--beside"):
            tests = [test for test in tests if getattr(test, "alone", False) == (word == "--alone")]
        elif word.startswith("--part="):
            part, parts = map(int, word[len("--part="):].split("/"))
            assert 1 <= part <= parts, word
            tests = tests[part - 1::parts]
        elif word.startswith("--"):
            sys.exit("unknown: " + word)
    return unittest.TestSuite(tests)


def main():
    """Runs the tests of the calling file that the command line chooses: all of them if it is empty."""
    suite = chosen(sys.argv[1:])
    if os.geteuid() != 0 or not os.path.exists("/dev/fuse"):
        print("1..0 # SKIP needs root and /dev/fuse")
        return
    result = Tap(suite.countTestCases())
    suite.run(result)
    sys.exit(0 if result.wasSuccessful() else 1)
