"""The audit log: what it records, and that tampering with it is found. And that no plaintext is left anywhere."""

import os
import shutil
import signal
import sqlite3
import subprocess

from harness import *

SECRET = "shop/prod/db-password"


class AuditTest(Case):
    def setUp(self):
        super().setUp()
        self.grant_to_web1(SECRET, b"hunter2")

    def test_a_read_is_recorded_once_with_its_reader(self):
        mount = Mount(self.web1).start()
        until("the listing", lambda: os.path.exists(mount.file(SECRET)))
        reads = lambda: [r for r in self.owner.json("audit", "list", "--object", SECRET)["records"] if "read" in r["type"]]
        before = len(reads())
        cat = subprocess.Popen(["cat", mount.file(SECRET)], stdout=subprocess.PIPE)
        self.assertEqual(cat.communicate()[0], b"hunter2")
        after = reads()
        self.assertEqual(len(after), before + 1)
        self.assertEqual(after[0]["actor"], "web-1")
        self.assertIn(str(cat.pid), str(after[0]))
        self.assertIn("cat", str(after[0]))

    def test_verify_on_the_live_vault_and_on_a_copy(self):
        for _ in range(5):
            self.web1.run("read", SECRET)
        self.owner.run("audit", "verify")
        self.world.kill_server(signal.SIGTERM)
        copy = os.path.join(self.world.dir, "copy.db")
        shutil.copy(os.path.join(self.world.data, "vault.db"), copy)
        self.owner.run("audit", "verify", "--database", copy)
        stranger = Home(self.world, "nobody")
        run = stranger.run("audit", "verify", "--database", copy, expect=None)
        self.assertEqual(run.status, DONE, str(run))
        self.assertIn("not authenticated", run.text + run.err)

    def test_tampering_is_found_and_the_first_bad_record_named(self):
        for _ in range(5):
            self.web1.run("read", SECRET)
        self.owner.run("audit", "verify")
        self.world.kill_server(signal.SIGTERM)
        original = os.path.join(self.world.data, "vault.db")
        copy = os.path.join(self.world.dir, "copy.db")
        database = sqlite3.connect(original)
        tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type='table'")}
        bodies = next(t for t in sorted(tables) if "bod" in t)
        last = database.execute("SELECT max(sequence) FROM " + bodies).fetchone()[0]
        database.close()
        for change in ("UPDATE %s SET body = replace(body, 'web-1', 'web-2')" % bodies,
                       "UPDATE %s SET body = body || ' ' WHERE sequence = %d" % (bodies, last - 1)):
            shutil.copy(original, copy)
            database = sqlite3.connect(copy)
            database.execute(change)
            database.commit()
            database.close()
            run = self.owner.run("audit", "verify", "--database", copy, expect=None)
            self.assertEqual(run.status, INTEGRITY, str(run))
            self.assertRegex(run.text + run.err, r"record \d+|#\d+|sequence \d+", str(run))

    def test_the_marker_is_nowhere(self):
        """After set, grant and 100 reads of a marked value, it is in no database file, log or error output."""
        marker = b"MARKER-" + os.urandom(12).hex().encode()
        self.owner.set(SECRET, marker)
        mount = Mount(self.web1).start()
        until("the first read", lambda: mount.reads(SECRET, marker))
        for _ in range(100):
            self.assertEqual(mount.read(SECRET), marker)
        self.assertEqual(self.owner.run("secret", "get", SECRET).out, marker)
        self.assertEqual(self.web1.run("read", SECRET).out, marker)
        mount.stop()
        self.world.kill_server(signal.SIGTERM)
        for folder, _, files in os.walk(self.world.dir):
            for name in files:
                with open(os.path.join(folder, name), "rb") as file:
                    self.assertNotIn(marker, file.read(), name)
        for run in self.world.said:
            self.assertNotIn(marker.decode(), run.err, str(run.args))

    def test_the_audit_log_of_a_whole_session_names_every_act(self):
        self.owner.run("revoke", "web-1", SECRET)
        actions = " ".join(r["type"] for r in self.owner.json("audit", "list")["records"])
        for act in ("secret.create", "version.publish", "grant.add", "grant.revoke", "machine.approve", "invitation.create"):
            self.assertIn(act, actions)


if __name__ == "__main__":
    main()
