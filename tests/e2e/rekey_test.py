"""A person's key is replaced: the one before is refused everywhere, the new one does what that one did."""

import os
import shutil

from harness import *

SECRET = "shop/prod/db-password"


class RekeyTest(Case):
    def setUp(self):
        super().setUp()
        self.grant_to_web1(SECRET, b"hunter2")

    def person(self, name, kind="user"):
        """Invited, enrolled, approved."""
        home = Home(self.world, name)
        home.run("enroll", stdin=self.owner.run("invite", name, "--kind", kind).out)
        self.owner.run("approve", name)
        home.run("enroll")
        return home

    def copy_of(self, home, name):
        stolen = Home(self.world, name)
        shutil.copytree(home.path, stolen.path)
        return stolen

    def test_a_writers_key_is_replaced(self):
        ci = self.person("ci", "agent")
        self.owner.run("member", "add", "shop/prod", "ci", "--role", "writer")
        ci.set(SECRET, b"by the key before")
        stolen = self.copy_of(ci, "stolen")
        mount = Mount(self.web1).start()
        until("the value", lambda: mount.reads(SECRET, b"by the key before"))
        before = ci.json("whoami")

        self.refused(self.owner.run("invite", "ci", "--kind", "agent", expect=None), CONFLICT, "--rekey")
        self.refused(self.owner.run("invite", "--rekey", "ci", "--kind", "user", expect=None), USAGE, "same kind")
        self.refused(self.owner.run("invite", "--rekey", "web-1", expect=None), NOT_FOUND)
        self.refused(self.web1.run("identity", "rekey", stdin=b"x", expect=None), USAGE, "removed", "enrolled anew")
        line = self.owner.run("invite", "--rekey", "ci")
        self.assertIn("grantfs identity rekey", line.err)
        self.assertIn("grantfs approve --rekey ci", ci.run("identity", "rekey", stdin=line.out).err)
        self.refused(self.owner.run("approve", "ci", expect=None), CONFLICT, "--rekey")
        self.refused(self.owner.run("approve", "--rekey", "ci", "--fingerprint", "aaaa", expect=None), INTEGRITY)
        ci.run("status")
        done = self.owner.json("approve", "--rekey", "ci", "--reason", "seen on a forum")
        self.assertEqual((done["before"], done["environments"], done["problems"]), (before["id"], ["shop/prod"], []))
        again = ci.json("identity", "rekey")
        self.assertTrue(again["approved"])
        self.assertEqual(ci.json("whoami")["fingerprint"], done["fingerprint"])
        self.assertFalse(os.path.exists(os.path.join(ci.path, "next")))

        for words in (["status"], ["secret", "list", "shop/prod"], ["env", "list"]):
            self.refused(stolen.run(*words, expect=None), DENIED, "replaced by a new one")
        self.refused(stolen.run("secret", "set", SECRET, stdin=b"x", expect=None), DENIED, "replaced by a new one")
        self.assertTrue(mount.reads(SECRET, b"by the key before"), "what it set stays good")
        ci.set(SECRET, b"by the new one")
        until("the new key's value", lambda: mount.reads(SECRET, b"by the new one"))
        self.assertEqual(self.owner.run("secret", "get", SECRET).out, b"by the new one")
        record = [one for one in self.owner.json("audit", "list", "--severity", "critical")["records"]
                  if one["type"] == "identity.replace"]
        self.assertEqual([(one["object"], one["severity"]) for one in record], [("ci", "critical")])
        self.owner.run("audit", "verify")

    def test_an_owners_key_is_replaced_and_others_follow(self):
        bea, dan = self.person("bea"), self.person("dan")
        self.owner.run("member", "add", "shop/prod", "bea", "--role", "owner")
        for name in ("bea", "dan"):
            self.owner.run("owner", "add", name)
        dan.run("env", "create", "blog/prod")
        dan.set("blog/prod/a", b"of the blog")
        dan.run("member", "add", "blog/prod", "bea", "--role", "reader")
        stolen = self.copy_of(bea, "stolen")

        # Her laptop is gone: a new home, on another computer.
        home = Home(self.world, "bea-2")
        home.run("enroll", stdin=self.owner.run("invite", "--rekey", "bea").out)
        said = self.owner.run("approve", "--rekey", "bea", "--reason", "laptop lost")
        self.assertIn("owns the vault by it; its role in shop/prod", said.text)
        self.assertIn("grantfs member rekey blog/prod bea", said.err)
        home.run("enroll")
        self.refused(stolen.run("secret", "get", SECRET, expect=None), DENIED, "replaced by a new one")
        self.assertEqual(home.run("secret", "get", SECRET).out, b"hunter2")
        home.set(SECRET, b"hers")
        self.assertEqual(self.owner.run("secret", "get", SECRET).out, b"hers")
        home.run("grant", "web-1", SECRET)
        self.assertEqual(self.web1.run("read", SECRET).out, b"hers")

        self.assertNotEqual(home.run("secret", "get", "blog/prod/a", expect=None).status, DONE)
        owed = dan.run("status")
        self.assertIn("grantfs member rekey blog/prod bea", owed.err)
        listed = dan.json("member", "list", "blog/prod")["members"]
        self.assertEqual([one["replaced_by"] for one in listed if one["name"] == "bea"], [home.json("whoami")["fingerprint"]])
        self.refused(self.owner.run("member", "rekey", "blog/prod", "bea", expect=None), DENIED)
        dan.run("member", "rekey", "blog/prod", "bea")
        self.assertEqual(home.run("secret", "get", "blog/prod/a").out, b"of the blog")
        self.assertNotIn("rekey", dan.run("status").err)
        self.refused(dan.run("member", "rekey", "blog/prod", "bea", expect=None), NOT_FOUND)

        # Nobody does it for himself; and not at the cost of an environment that would have no owner.
        self.refused(self.owner.run("invite", "--rekey", self.owner.json("whoami")["name"], expect=None), USAGE, "grantfs recover")
        late = Home(self.world, "dan-2")
        late.run("enroll", stdin=self.owner.run("invite", "--rekey", "dan").out)
        self.refused(self.owner.run("approve", "--rekey", "dan", expect=None), CONFLICT, "blog/prod", "--lost")
        dan.run("member", "add", "blog/prod", "bea", "--role", "owner")
        self.assertEqual(self.owner.json("approve", "--rekey", "dan")["others"], ["blog/prod"])
        home.run("member", "rekey", "blog/prod", "dan")
        late.run("enroll")
        self.assertEqual(late.run("secret", "get", "blog/prod/a").out, b"of the blog")


if __name__ == "__main__":
    main()
