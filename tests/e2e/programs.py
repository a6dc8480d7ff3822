"""What the tests with other people's programs stand on: finding the programs, and starting servers that end with the test."""

import glob
import os
import pwd
import re
import shutil
import socket
import subprocess
import unittest

from harness import *

PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin",
                        *sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)])

EXAMPLES = os.path.realpath(os.path.join(os.path.dirname(__file__), "../../examples"))


def need(*programs):
    """Their paths; skips the test where one is missing."""
    found = [shutil.which(program, path=PATH) for program in programs]
    if None in found:
        raise unittest.SkipTest("not installed: " + ", ".join(p for p, path in zip(programs, found) if path is None))
    return found if len(found) > 1 else found[0]


def need_user(name):
    """The passwd entry; skips the test where there is no such user."""
    try:
        return pwd.getpwnam(name)
    except KeyError:
        raise unittest.SkipTest("there is no user " + name)


class ProgramCase(Case):
    """An owner, an enrolled machine `web-1`, and files of the test's own below `self.dir`."""

    def setUp(self):
        super().setUp()
        self.dir = self.world.dir

    def begin(self):
        """After `need`, so that a skipped test costs nothing."""
        self.owner = self.world.init().owner
        self.web1 = self.world.machine("web-1")

    def give(self, name, value, *terms):
        self.owner.set("shop/prod/" + name, value)
        self.owner.run("grant", "web-1", "shop/prod/" + name, *terms)

    def rotate(self, name, value):
        """Sets a new version, and returns when the mounts show it: a moment later, as another inode."""
        files = [mount.file(name) for mount in self.world.mounts]
        before = {file: os.stat(file).st_ino for file in files}
        self.owner.set("shop/prod/" + name, value)
        until("the mounts to show the new " + name, lambda: all(os.stat(file).st_ino != before[file] for file in files))

    def mount(self, *names):
        """The environment's files at the top of a mount, once these are there."""
        mount = Mount(self.web1, "secrets", "--root", "shop/prod").start()
        for name in names:
            until(name + " to be listed", lambda: os.path.exists(mount.file(name)))
        return mount

    def assert_read_by(self, program, name, uid=0):
        """The audit log says that such a program of this user has read it."""
        records = self.owner.json("audit", "list", "--object", "shop/prod/" + name, "--limit", "0")["records"]
        callers = {record["caller"] for record in records if record["type"] == "secret.read" and record["outcome"] == "done"}
        self.assertTrue(any(re.fullmatch(r"uid %d pid \d+ /.*/%s" % (uid, program), caller) for caller in callers), callers)

    def write(self, name, text, mode=0o600, user=None):
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        os.chmod(path, mode)
        if user:
            os.chown(path, user.pw_uid, user.pw_gid)
        return path

    def example(self, name, changes):
        """The text of an example with what cannot be the same here; each change must fit."""
        with open(os.path.join(EXAMPLES, name), encoding="utf-8") as example:
            text = example.read()
        for there, here in changes.items():
            self.assertIn(there, text)
            text = text.replace(there, here)
        return text

    def directory(self, name, user=None, mode=0o700):
        path = os.path.join(self.dir, name)
        os.mkdir(path, mode)
        if user:
            os.chown(path, user.pw_uid, user.pw_gid)
        return path

    def run_ok(self, *command, **more):
        """What a program prints; fails with all that it said if it fails."""
        done = self.run_any(*command, **more)
        self.assertEqual(done.returncode, 0, "%s: %s%s" % (" ".join(command), done.stdout, done.stderr))
        return done.stdout

    def run_any(self, *command, env=None, **more):
        return subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=60 * SLOWNESS,
                              env={**self.world.environ, "PATH": PATH, **(env or {})}, **more)

    def server(self, what, command, ready, **more):
        """A program in the foreground that the world ends; waits until `ready()`."""
        log_path = os.path.join(self.dir, what + ".log")
        with open(log_path, "ab") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.dir,
                                       env={**self.world.environ, "PATH": PATH}, **more)
        self.world.more.append(process)

        def up():
            if process.poll() is not None:
                with open(log_path, errors="replace") as log:
                    raise AssertionError("%s ended with %d: %s" % (what, process.returncode, log.read()))
            return ready()

        until(what + " to be ready", up)
        return process


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def certificate(directory, name):
    """A self-signed certificate for 127.0.0.1 whose subject is `name`: (key, certificate) as PEM."""
    key, cert = os.path.join(directory, "key.pem"), os.path.join(directory, "cert.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
                    "2", "-subj", "/CN=" + name, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
                   check=True, capture_output=True)
    with open(key, "rb") as one, open(cert, "rb") as other:
        pair = one.read(), other.read()
    os.unlink(key)
    os.unlink(cert)
    return pair
