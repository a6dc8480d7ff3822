"""Operators ask and owners approve; and an environment where two owners sign."""

import os
import unittest

from harness import *

NAME = "shop/prod/db-password"


class RequestCase(Case):
    def setUp(self):
        super().setUp()
        self.owner = self.world.init().owner
        self.web1 = self.world.machine("web-1")
        self.owner.set(NAME, b"one")

    def person(self, name, role, kind="user"):
        """Invites, enrols and approves one, and gives it the role."""
        line = self.owner.run("invite", name, "--kind", kind).out
        home = Home(self.world, name)
        home.run("enroll", stdin=line)
        self.owner.run("approve", name)
        home.run("enroll")
        self.owner.run("member", "add", "shop/prod", name, "--role", role)
        return home


class AskTest(RequestCase):
    def test_an_agent_asks_an_owner_approves_a_machine_reads(self):
        ops = self.person("ops", "operator", "agent")
        self.refused(ops.run("grant", "web-1", NAME, expect=DENIED), DENIED, "only owners")
        asked = ops.json("request", "grant", "web-1", NAME, "--mode", "0444", "--reason", "the new web server")
        self.assertEqual((asked["type"], asked["by"], asked["state"]), ("grant", "ops", "open"))
        waiting = self.owner.json("status")["requests"]
        self.assertEqual([one["asks"] for one in waiting], ["grant web-1 " + NAME])
        self.assertIn("ops asks: grant web-1 " + NAME, self.owner.run("status").err)
        shown = self.owner.run("request", "show", asked["id"][:12]).text
        self.assertIn("the new web server", shown)
        self.assertIn("approved, it would grant %s to web-1 (%s" % (NAME, self.owner.json("identity", "show", "web-1")["fingerprint"]), shown)
        self.assertEqual(self.owner.json("grants")["grants"], [])
        said = self.owner.run("request", "approve", asked["id"][:12])
        self.assertIn("done: grant " + NAME + " to web-1", said.text)
        mount = Mount(self.web1).start()
        mount.reads(NAME, b"one")
        self.assertEqual(os.stat(mount.file(NAME)).st_mode & 0o777, 0o444, "on the terms that were asked for")
        mine = ops.json("request", "list", "--mine")["requests"]
        self.assertEqual([(one["state"], one["settled_by"]) for one in mine], [("fulfilled", self.owner.json("whoami")["name"])])
        self.refused(self.owner.run("request", "approve", asked["id"], expect=CONFLICT), CONFLICT, "settled already")
        records = self.owner.json("audit", "list", "--limit", "50")["records"]
        of_request = [r["type"] for r in records if asked["id"] in str(r)]
        for kind in ("request.asked", "grant.add", "request.fulfilled"):
            self.assertIn(kind, of_request)

    def test_a_refusal_reaches_who_asked_and_a_rotation_is_fulfilled_by_whoever_sets_it(self):
        ops = self.person("ops", "operator")
        asked = ops.json("request", "revoke", "web-1", NAME)
        self.owner.run("request", "refuse", asked["id"], "--reason", "it is needed")
        self.assertIn("refused by", ops.run("request", "list", "--mine").text)
        self.assertIn("it is needed", ops.run("request", "list", "--mine").text)
        rotation = ops.json("request", "rotation", NAME)
        self.refused(self.owner.run("request", "approve", rotation["id"], expect=USAGE), USAGE, "grantfs secret set")
        writer = self.person("wim", "writer", "agent")
        writer.run("secret", "set", NAME, stdin=b"two")
        generated = ops.json("request", "rotation", NAME, "--generate", "24", "--alphabet", "hex")
        self.owner.run("request", "approve", generated["id"])
        value = self.owner.run("secret", "get", NAME).out
        self.assertRegex(value.decode(), "^[0-9a-f]{24}$")
        states = {one["id"]: one["state"] for one in ops.json("request", "list", "--mine")["requests"]}
        self.assertEqual(states, {asked["id"]: "refused", rotation["id"]: "fulfilled", generated["id"]: "fulfilled"})
        taken_back = ops.json("request", "rotation", NAME)
        ops.run("request", "withdraw", taken_back["id"][:10])
        self.assertEqual(self.owner.json("request", "list")["requests"], [])
        self.person("bea", "auditor")
        self.refused(ops.run("request", "member", "shop/prod", "bea", "--role", "ruler", expect=USAGE), USAGE, "a role is")

    def test_a_request_expires(self):
        ops = self.person("ops", "operator")
        asked = ops.json("request", "grant", "web-1", NAME, "--for", "1s")
        until("the request to expire", lambda: self.owner.json("request", "list")["requests"] == [])
        self.assertEqual(ops.json("request", "list", "--mine")["requests"][0]["state"], "expired")
        self.refused(self.owner.run("request", "approve", asked["id"], expect=DENIED), DENIED, "expired")


class TwoOwnersTest(RequestCase):
    def groups_wait_too(self, bob):
        said = self.owner.run("group", "create", "shop/prod", "batch", "web-2")
        self.assertIn("made @batch of shop/prod", said.text)
        self.assertIn("signed for a second owner: put web-2 into @batch", said.text)
        invited = self.owner.run("invite", "--standing", "db-*", "--uses", "3", "--group", "shop/prod@batch")
        self.assertIn("another owner adds his with grantfs request approve", invited.err)
        db1 = Home(self.world, "db-1")
        db1.run("enroll", "--name", "db-1", stdin=invited.out)
        self.assertEqual(db1.json("grants")["grants"], [], "it is in, and in no group yet")
        waiting = [one["id"] for one in bob.json("status")["requests"]]
        self.assertEqual(len(waiting), 2)
        self.assertIn("db-* (3 times until ", bob.run("request", "show", waiting[0]).text + bob.run("request", "show", waiting[1]).text)
        bob.run("request", "approve", *waiting)
        self.assertEqual(self.owner.json("group", "list", "shop/prod", "batch")["groups"][0]["machines"], ["web-2", "db-1"])
        grant = self.owner.json("grant", "@batch", NAME)["waiting"]
        bob.run("request", "approve", *grant)
        self.assertEqual(db1.run("read", NAME).out, b"four", "what led there later is for who came before too")
        self.assertEqual(self.owner.json("status")["owed"], [])
        revoked = self.owner.run("revoke", "@batch", NAME)
        self.assertIn("revoked", revoked.text)

    def test_two_owners_sign_with_a_busy_writer_between(self):
        self.owner.run("grant", "web-1", NAME)
        mount = Mount(self.web1).start()
        mount.reads(NAME, b"one")
        self.refused(self.owner.run("env", "rules", "shop/prod", "--two-owners", "on", expect=USAGE), USAGE, "a second one first")
        bob = self.person("bob", "owner")
        writer = self.person("wim", "writer", "agent")
        ids = self.owner.json("env", "rules", "shop/prod", "--two-owners", "on")["waiting"]
        self.assertEqual(len(ids), 2, "the standing grants, and the rule")
        self.refused(bob.run("request", "approve", ids[1], expect=CONFLICT), CONFLICT, "lack a second signature")
        bob.run("request", "approve", *ids)
        self.assertIn("two owners sign", self.owner.run("env", "rules", "shop/prod").text)
        self.assertEqual(mount.read(NAME), b"one")
        web2 = self.world.machine("web-2")
        said = self.owner.run("grant", "web-2", NAME)
        self.assertIn("signed for a second owner", said.text)
        waiting = bob.json("status")["requests"]
        self.assertEqual(len(waiting), 1)
        for value in (b"two", b"three", b"four"):
            writer.run("secret", "set", NAME, stdin=value)
        self.refused(self.owner.run("request", "approve", waiting[0]["id"], expect=DENIED), DENIED, "signed it yourself")
        self.assertEqual(self.owner.json("status")["requests"], [], "one's own is not to be approved")
        bob.run("request", "approve", waiting[0]["id"])
        second = Mount(web2, "mnt2").start()
        second.reads(NAME, b"four")
        bob.run("revoke", "web-2", NAME)
        until("the file to be gone", lambda: not os.path.exists(second.file(NAME)))
        self.refused(bob.run("request", "approve", waiting[0]["id"], expect=CONFLICT), CONFLICT, "settled already")
        self.groups_wait_too(bob)
        off = bob.json("env", "rules", "shop/prod", "--two-owners", "off")["waiting"]
        self.owner.run("request", "approve", *off)
        self.owner.run("grant", "web-2", NAME)
        second.reads(NAME, b"four")


if __name__ == "__main__":
    main()
