"""A secret's life through a real mount: versions that are rolled back, tried first and promoted; what is deleted, destroyed and expires."""

import errno
import os
import unittest

from harness import *

NAME = "shop/prod/db-password"


class LifeTest(Case):
    """An owner, a machine that reads what is current, and one that tries what is next."""

    def setUp(self):
        super().setUp()
        self.owner = self.world.init().owner
        self.web1 = self.world.machine("web-1")
        self.owner.set(NAME, b"one")
        self.owner.run("grant", "web-1", NAME)
        self.mount = Mount(self.web1).start()
        self.mount.reads(NAME, b"one")

    def gone(self, mount=None):
        path = (mount or self.mount).file(NAME)
        until(path + " to be gone", lambda: not os.path.exists(path))
        with self.assertRaises(OSError) as failed:
            open(path, "rb")
        self.assertEqual(failed.exception.errno, errno.ENOENT)

    def refusal(self, path):
        try:
            open(path, "rb").close()
        except OSError as error:
            return error.errno
        return 0

    def history(self):
        return {v["version"]: v for v in self.owner.json("secret", "history", NAME)["versions"]}

    def test_a_rollback_shows_at_once_and_an_open_file_keeps_its_version(self):
        self.owner.set(NAME, b"two!")
        self.mount.reads(NAME, b"two!")
        node = os.stat(self.mount.file(NAME)).st_ino
        with open(self.mount.file(NAME), "rb", buffering=0) as held:
            said = self.owner.run("secret", "rollback", "--reason", "refused", NAME)
            self.assertIn("version 1 is current (it was version 2)", said.text)
            self.mount.reads(NAME, b"one")
            self.assertEqual(held.read(), b"two!")
        self.assertNotEqual(os.stat(self.mount.file(NAME)).st_ino, node, "another version is another file")
        self.assertEqual(os.stat(self.mount.file(NAME)).st_size, 3)
        self.owner.run("secret", "rollback", NAME)
        self.mount.reads(NAME, b"two!")
        self.assertEqual(self.history()[2]["labels"], ["current"])
        self.assertEqual(self.history()[1]["labels"], ["previous"])
        events = self.owner.json("secret", "history", "--all", NAME)["events"]
        self.assertEqual([e["action"] for e in events[:2]], ["label.move", "label.move"])
        self.assertEqual(events[1]["reason"], "refused")
        self.assertEqual(events[1]["signer"], self.owner.json("whoami")["name"])
        self.refused(self.owner.run("secret", "rollback", "--to", "2", NAME, expect=CONFLICT), CONFLICT, "current already")
        self.refused(self.owner.run("secret", "rollback", "--to", "9", NAME, expect=NOT_FOUND), NOT_FOUND, "secret history")

    def test_one_host_tries_the_next_version_first(self):
        web2 = self.world.machine("web-2")
        self.owner.run("grant", "web-2", NAME, "--label", "next")
        canary = Mount(web2, "mnt2").start()
        canary.reads(NAME, b"one")
        self.owner.run("secret", "set", "--label", "next", NAME, stdin=b"two")
        canary.reads(NAME, b"two")
        self.assertEqual(self.mount.read(NAME), b"one")
        self.owner.run("secret", "rollback", "--label", "next", NAME)
        canary.reads(NAME, b"one")
        self.owner.run("secret", "set", "--label", "next", NAME, stdin=b"three")
        canary.reads(NAME, b"three")
        self.owner.run("secret", "promote", NAME)
        self.mount.reads(NAME, b"three")
        self.assertEqual(canary.read(NAME), b"three")
        self.assertEqual(self.owner.run("secret", "get", "--label", "previous", NAME).out, b"one")
        self.refused(self.owner.run("secret", "promote", NAME, expect=NOT_FOUND), NOT_FOUND, "--label next")

    def test_what_is_deleted_is_not_there_until_it_is_undeleted(self):
        self.owner.run("secret", "delete", NAME)
        self.gone()
        self.refused(self.owner.run("secret", "get", NAME, expect=NOT_FOUND), NOT_FOUND, "undelete")
        self.refused(self.owner.run("secret", "set", NAME, stdin=b"x", expect=NOT_FOUND), NOT_FOUND, "undelete")
        self.assertTrue(self.owner.json("secret", "list", "shop/prod")["secrets"][0]["deleted"])
        self.mount.stop()
        again = Mount(self.web1).start()
        self.gone(again)
        self.owner.run("secret", "undelete", NAME)
        again.reads(NAME, b"one")

    def test_destroyed_versions_and_secrets_are_erased_and_the_name_is_free(self):
        self.owner.set(NAME, b"two")
        self.mount.reads(NAME, b"two")
        self.refused(self.owner.run("secret", "destroy", NAME, "--version", "1", expect=USAGE), USAGE, "--yes")
        self.refused(self.owner.run("secret", "destroy", NAME, "--version", "2", "--yes", expect=USAGE), USAGE, "roll back")
        self.owner.run("secret", "destroy", NAME, "--version", "1", "--yes", "--reason", "it leaked")
        self.assertTrue(self.history()[1]["destroyed"])
        self.refused(self.owner.run("secret", "get", "--version", "1", NAME, expect=NOT_FOUND), NOT_FOUND, "destroyed")
        self.assertEqual(self.mount.read(NAME), b"two")
        number = self.owner.json("secret", "list", "shop/prod")["secrets"][0]["number"]
        self.owner.run("secret", "destroy", NAME, "--yes")
        self.gone()
        self.assertEqual(self.owner.json("secret", "list", "shop/prod")["secrets"], [])
        made = self.owner.json("secret", "set", NAME, stdin=b"another")
        self.assertEqual((made["created"], made["version"]), (True, 1))
        self.assertGreater(made["number"], number)
        self.owner.run("grant", "web-1", NAME)
        self.mount.reads(NAME, b"another")
        self.assertIn("secret.destroy", self.owner.run("audit", "list", "--object", NAME).text)

    def test_a_machine_that_was_away_takes_the_new_secret_of_an_old_name(self):
        self.mount.stop()
        self.owner.run("secret", "destroy", NAME, "--yes")
        self.owner.set(NAME, b"another")
        self.owner.run("grant", "web-1", NAME)
        Mount(self.web1).start().reads(NAME, b"another")

    def test_what_has_expired_is_not_read_and_no_lease_reaches_past_that(self):
        self.owner.run("grant", "web-1", NAME, "--lease", "1h")
        self.owner.run("secret", "set", "--expires", "4s", NAME, stdin=b"short")
        self.mount.reads(NAME, b"short")
        path = self.mount.file(NAME)
        until("its end", lambda: self.refusal(path) == errno.EKEYEXPIRED)
        self.assertIn("expired: " + NAME, self.owner.run("status").err)
        self.owner.run("secret", "set", "--expires", "never", NAME, stdin=b"long")
        self.mount.reads(NAME, b"long")

    def test_old_versions_are_purged_by_rule(self):
        for value in (b"2", b"3", b"4", b"5"):
            self.owner.set(NAME, value)
        self.refused(self.owner.run("secret", "purge", NAME, expect=USAGE), USAGE, "--keep")
        planned = self.owner.json("secret", "purge", NAME, "--keep", "1", "--dry-run")
        self.assertEqual(planned["secrets"][0]["destroyed"], [1, 2, 3], "previous stays")
        self.assertFalse(any(v["destroyed"] for v in self.history().values()))
        self.assertEqual(self.owner.json("secret", "purge", NAME, "--keep", "1", "--older-than", "1h")["secrets"][0]["destroyed"], [])
        self.owner.run("secret", "purge", "shop/prod/*", "--keep", "1")
        self.assertEqual([v for v, one in sorted(self.history().items()) if one["destroyed"]], [1, 2, 3])
        self.mount.reads(NAME, b"5")

    def test_values_are_compared_and_not_shown(self):
        self.owner.set("shop/prod/app.ini", b"a=1\nsecret=hunter2\nc=3\n")
        self.owner.set("shop/prod/app.ini", b"a=1\nsecret=hunter3\nc=3\nd=4\n")
        said = self.owner.run("secret", "diff", "shop/prod/app.ini@1", "shop/prod/app.ini@2")
        self.assertIn("line 2 of the first became line 2 of the second\n", said.text)
        self.assertIn("line 4 of the second is new", said.text)
        self.assertNotIn("hunter", said.text + said.err)
        self.refused(self.owner.run("secret", "diff", "--show", "shop/prod/app.ini", expect=USAGE), USAGE, "--to-anything")
        shown = self.owner.run("secret", "diff", "--show", "--to-anything", "shop/prod/app.ini").text
        self.assertIn("-secret=hunter2\n+secret=hunter3\n", shown)
        self.owner.run("env", "create", "shop/staging")
        self.owner.set("shop/staging/db-password", b"six")
        self.owner.set("shop/staging/only", b"x")
        compared = self.owner.json("secret", "diff", "shop/prod", "shop/staging")
        self.assertEqual(compared, {"only_first": ["shop/prod/app.ini"], "only_second": ["shop/staging/only"],
                                    "different": ["db-password"], "same": 0})
        self.owner.set("shop/staging/db-password", b"one")
        self.assertEqual(self.owner.json("secret", "diff", "shop/prod", "shop/staging")["same"], 1)

    def test_words_and_descriptions(self):
        made = self.owner.run("secret", "set", "shop/prod/phrase", "--words", "5")
        self.assertIn("80 bits", made.err)
        value = self.owner.run("secret", "get", "shop/prod/phrase").out.decode()
        self.assertRegex(value, r"^([bdfghjklmnprstvz][aiou][bdfghjklmnprstvz][aiou][bdfghjklmnprstvz]-?){5}$")
        self.refused(self.owner.run("secret", "set", "shop/prod/phrase", "--words", "3", expect=USAGE), USAGE, "4 to 64")
        self.owner.run("secret", "describe", NAME, "--owner", "the shop team")
        self.owner.run("secret", "describe", NAME, "--description", "of the orders")
        info = self.owner.json("secret", "list", "shop/prod")["secrets"][0]
        self.assertEqual((info["owner"], info["description"]), ("the shop team", "of the orders"))


if __name__ == "__main__":
    main()
