"""A home's key under a passphrase: typed at a terminal, from a file, for a mount; a wrong one; nobody to ask."""

import pty
import select
import threading

from harness import *

SECRET = "shop/prod/db-password"
PHRASE = "correct horse battery"


def type_at_terminal(world, home, *args, lines, timeout=60):
    """Runs a command at a terminal of its own, and types a line whenever it asks. Returns its exit code and all it showed."""
    process, terminal = pty.fork()
    if process == 0:
        os.execve(BINARY, [BINARY, *args, "--home", home.path], world.environ)
    shown, lines, asked = b"", list(lines), 0
    end = time.monotonic() + timeout * SLOWNESS
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.05)[0]:
            try:
                got = os.read(terminal, 65536)
            except OSError:
                break
            if not got:
                break
            shown += got
        if shown.count(b"(not shown)") > asked and lines:
            asked += 1
            os.write(terminal, lines.pop(0).encode() + b"\n")
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), shown.decode(errors="replace")


class KeyTest(Case):
    def setUp(self):
        super().setUp()
        self.grant_to_web1(SECRET, b"hunter2")

    def file(self, name, text, mode=0o600):
        path = os.path.join(self.world.dir, name)
        with open(path, "w") as out:
            out.write(text)
        os.chmod(path, mode)
        return path

    def finding(self, home, *more):
        run = home.run("doctor", "--json", *more, expect=None)
        return [one for one in run.json["findings"] if one["check"] == "seed.passphrase"][0]

    def test_typed_twice_and_asked_for_once(self):
        done, shown = type_at_terminal(self.world, self.owner, "key", "protect", lines=[PHRASE, PHRASE])
        self.assertEqual(done, DONE, shown)
        self.assertNotIn(PHRASE, shown)
        done, shown = type_at_terminal(self.world, self.owner, "secret", "get", SECRET, lines=[PHRASE])
        self.assertEqual(done, DONE, shown)
        self.assertIn("hunter2", shown)
        done, shown = type_at_terminal(self.world, self.owner, "secret", "get", SECRET, lines=["something else"])
        self.assertEqual(done, DENIED, shown)
        self.assertIn("not the passphrase", shown)
        done, shown = type_at_terminal(self.world, self.owner, "key", "protect", lines=[PHRASE, "new phrase 1", "new phrase 2"])
        self.assertEqual(done, USAGE, shown)
        done, shown = type_at_terminal(self.world, self.owner, "key", "unprotect", lines=[PHRASE])
        self.assertEqual(done, DONE, shown)
        self.assertEqual(self.owner.run("secret", "get", SECRET).out.strip(), b"hunter2")

    def test_where_nobody_types_a_file_is_asked_for_and_read(self):
        phrase, other = self.file("phrase", PHRASE + "\n"), self.file("other", "another phrase\n")
        self.assertIn("no passphrase", self.finding(self.owner)["found"])
        self.owner.run("key", "protect", "--new-passphrase-file", phrase)
        refused = self.owner.run("secret", "get", SECRET, expect=DENIED)
        self.assertIn("--passphrase-file", refused.err)
        self.assertIn("LoadCredential", refused.err)
        self.owner.run("secret", "get", SECRET, "--passphrase-file", other, expect=DENIED)
        self.owner.run("secret", "get", SECRET, "--passphrase-file", self.file("open", PHRASE, 0o644), expect=DENIED)
        self.assertEqual(self.owner.run("secret", "get", SECRET, "--passphrase-file", phrase).out.strip(), b"hunter2")
        self.assertIn("is under a passphrase", self.finding(self.owner, "--passphrase-file", phrase)["found"])
        self.assertEqual(self.finding(self.owner)["level"], "warning")
        self.owner.run("key", "protect", "--passphrase-file", phrase, "--new-passphrase-file", other)
        self.owner.run("status", "--passphrase-file", phrase, expect=DENIED)
        self.owner.run("status", "--passphrase-file", other)
        self.owner.run("key", "unprotect", "--passphrase-file", other)
        self.owner.run("status")

    def test_a_mount_of_a_protected_key(self):
        phrase = self.file("phrase", PHRASE + "\n")
        self.web1.run("key", "protect", "--new-passphrase-file", phrase)
        refused = self.web1.run("mount", os.path.join(self.world.dir, "mnt"), "--foreground", expect=DENIED)
        self.assertIn("--passphrase-file", refused.err)
        mount = Mount(self.web1, "mnt", "--passphrase-file", phrase).start()
        until("the first read", lambda: mount.reads(SECRET, b"hunter2"))
        self.assertEqual(self.web1.run("read", SECRET, "--passphrase-file", phrase).out, b"hunter2")

    def test_typed_for_a_mount_that_goes_to_the_background(self):
        phrase = self.file("phrase", PHRASE + "\n")
        self.web1.run("key", "protect", "--new-passphrase-file", phrase)
        path = os.path.join(self.world.dir, "mnt")
        done, shown = type_at_terminal(self.world, self.web1, "mount", path, lines=[PHRASE])
        self.addCleanup(lambda: subprocess.run([BINARY, "umount", path], capture_output=True, env=self.world.environ))
        self.assertEqual(done, DONE, shown)
        with open(os.path.join(path, SECRET), "rb") as secret:
            self.assertEqual(secret.read(), b"hunter2")


if __name__ == "__main__":
    main()
