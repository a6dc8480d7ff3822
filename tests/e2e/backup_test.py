"""Backups: a copy of a vault that is served, and a vault that moves to another host."""

import os
import shutil
import stat

from harness import *

SECRET = "shop/prod/db-password"


class BackupTest(Case):
    def begin(self):
        self.owner = self.world.init().owner
        self.web1 = self.world.machine("web-1")
        self.owner.set(SECRET, b"hunter2")
        self.owner.run("grant", "web-1", SECRET)

    def backup(self, name, **more):
        path = os.path.join(self.world.dir, name)
        return path, self.owner.run("backup", path, "--data", self.world.data, **more)

    def test_a_vault_that_is_served(self):
        self.begin()
        path, done = self.backup("copy.db")
        self.assertRegex(done.text, "copied the vault of .*, all whole")
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        self.assertEqual(sorted(os.listdir(self.world.dir).count(name) for name in ("copy.db", "copy.db-wal", "copy.db-shm")), [0, 0, 1])
        self.owner.set(SECRET, b"hunter3")  # the vault goes on
        records = self.owner.json("audit", "verify", "--database", path)
        self.assertTrue(records["good"])
        self.assertTrue(records["authenticated"])
        before = open(path, "rb").read()
        self.refused(self.backup("copy.db", expect=None)[1], CONFLICT, "exists already")
        self.assertEqual(open(path, "rb").read(), before)
        self.refused(self.owner.run("backup", path + "2", "--data", self.world.dir, expect=None), NOT_FOUND, "--data")
        self.refused(self.owner.run("backup", os.path.join(self.world.dir, "no", "dir"), "--data", self.world.data, expect=None), NOT_FOUND)
        self.assertEqual([name for name in os.listdir(self.world.dir) if name.startswith("copy.db")], ["copy.db"])

    def doctor(self, **more):
        return self.owner.run("doctor", "--data", self.world.data, **more).text

    def test_what_doctor_says_of_a_vault(self):
        self.begin()
        said = self.doctor()
        for check in "mode", "schema", "integrity", "log":
            self.assertRegex(said, "good +data.%s " % check)
        os.chmod(os.path.join(self.world.data, "vault.db"), 0o640)
        self.assertRegex(self.doctor(expect=None), "failure +data.mode .*\n.*mend: chmod 0600 .*vault.db")
        os.chmod(self.world.data, 0o755)
        self.assertRegex(self.doctor(expect=None), "failure +data.mode .*\n.*mend: chmod 0700 ")
        os.chmod(self.world.data, 0o700)
        os.chmod(os.path.join(self.world.data, "vault.db"), 0o600)
        self.doctor()

    def test_a_vault_that_moves(self):
        self.begin()
        mount = Mount(self.web1).start()
        until("the first read", lambda: mount.reads(SECRET, b"hunter2"))
        early, _ = self.backup("early.db")
        self.owner.set(SECRET, b"hunter3")
        until("the new value", lambda: mount.reads(SECRET, b"hunter3"))
        self.world.kill_server(signal.SIGTERM)
        late, _ = self.backup("late.db")
        self.assertNotIn("vault.db-wal", os.listdir(self.world.data), "a copy leaves nothing beside the vault")
        for name, copy in ("other", late), ("old", early):
            os.mkdir(os.path.join(self.world.dir, name), 0o700)
            shutil.copy(copy, os.path.join(self.world.dir, name, "vault.db"))
            os.chmod(os.path.join(self.world.dir, name, "vault.db"), 0o600)
        self.world.serve(data=os.path.join(self.world.dir, "other"))
        until("the mount to go on", lambda: mount.reads(SECRET, b"hunter3"))
        self.owner.set(SECRET, b"hunter4")
        until("the next value", lambda: mount.reads(SECRET, b"hunter4"))
        self.owner.run("audit", "verify")
        self.world.kill_server(signal.SIGTERM)
        self.world.serve(data=os.path.join(self.world.dir, "old"))
        self.refused(self.owner.run("secret", "list", "shop/prod", expect=None), INTEGRITY)

    def test_a_vault_that_was_killed(self):
        self.begin()
        self.world.kill_server(signal.SIGKILL)
        self.assertGreater(os.stat(os.path.join(self.world.data, "vault.db-wal")).st_size, 0)
        path, done = self.backup("copy.db")
        self.assertTrue(self.owner.json("audit", "verify", "--database", path)["good"])
        said = json.loads(self.owner.run("backup", path + "2", "--data", self.world.data, "--json").out)
        self.world.serve()
        self.assertEqual(self.owner.json("status")["audit_records"], said["records"])

    def test_a_damaged_log_is_not_copied(self):
        self.begin()
        self.world.kill_server(signal.SIGTERM)
        database = os.path.join(self.world.data, "vault.db")
        with open(database, "r+b") as file:
            content = file.read()
            at = content.rindex(b'"action":"secret.create"')
            file.seek(at + len(b'"action":"secret.'))
            file.write(b"f")
        path, done = self.backup("copy.db", expect=None)
        self.refused(done, INTEGRITY, "record ", "evidence")
        self.assertRegex(self.doctor(expect=None), "failure +data.log +its audit log is not what was written: record [0-9]+")
        with open(database, "r+b") as file:
            file.seek(4096)
            file.write(b"\0" * 4096)
        self.assertRegex(self.doctor(expect=None), "failure +data.integrity .*\n.*mend: keep .* as evidence, and start from the last grantfs backup")
        self.assertFalse([name for name in os.listdir(self.world.dir) if name.startswith("copy.db")])


if __name__ == "__main__":
    main()
