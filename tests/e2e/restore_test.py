"""A restored backup: yesterday's on a new host, clients that have seen more, and one owner's command after which all go on."""

import os
import shutil

from harness import *

SECRET, OTHER, NEW = "shop/prod/db-password", "shop/prod/api-key", "shop/prod/later"


class RestoreTest(Case):
    def person(self, name, role, *more):
        home = Home(self.world, name)
        line = self.owner.run("invite", name, "--kind", "user").out
        home.run("enroll", stdin=line)
        self.owner.run("approve", name)
        home.run("enroll")
        self.owner.run("member", "add", "shop/prod", name, "--role", role, *more)
        return home

    def begin(self):
        self.grant_to_web1(SECRET, b"one")
        self.web2 = self.world.machine("web-2")
        self.owner.set(OTHER, b"key")
        for machine in "web-1", "web-2":
            self.owner.run("grant", machine, OTHER)
        self.mount = Mount(self.web1).start()
        until("the first read", lambda: self.mount.reads(SECRET, b"one") and self.mount.reads(OTHER, b"key"))

    def backup(self, name="yesterday"):
        path = os.path.join(self.world.dir, name + ".db")
        self.owner.run("backup", path, "--data", self.world.data)
        return path

    def bring_up(self, copy, name):
        """The vault's host is lost; what is copied is served in its place."""
        self.world.kill_server()
        data = os.path.join(self.world.dir, name)
        os.mkdir(data, 0o700)
        shutil.copy(copy, os.path.join(data, "vault.db"))
        os.chmod(os.path.join(data, "vault.db"), 0o600)
        self.world.serve(data=data)

    def refusal(self, path):
        try:
            with open(path, "rb") as file:
                file.read()
        except OSError as error:
            return error.errno
        return 0

    def goes_on(self, value):
        """The mount, by itself."""
        try:
            until("the mount to go on", lambda: self.mount.reads(SECRET, value))
        except AssertionError as error:
            raise AssertionError("%s: %s" % (error, self.mount.read(".grantfs/grants").decode()))

    def test_yesterdays_backup_on_a_new_host(self):
        self.begin()
        wim, rita = self.person("wim", "writer"), self.person("rita", "reader")
        bea = self.person("bea", "reader")
        mount2 = Mount(self.web2, "mnt2").start()
        until("web-2 to read", lambda: mount2.reads(OTHER, b"key"))
        bea.run("secret", "get", SECRET)
        copy = self.backup()
        wim.set(SECRET, b"two!")
        self.owner.set(NEW, b"later")
        self.owner.run("grant", "web-1", NEW)
        self.owner.run("revoke", "web-2", OTHER)
        self.owner.run("member", "remove", "shop/prod", "bea")
        web3 = self.world.machine("web-3")
        self.assertEqual(rita.run("secret", "get", SECRET).out, b"two!")
        self.owner.run("secret", "list", "shop/prod")
        self.owner.run("audit", "verify")
        until("the mounts to see it", lambda: self.mount.reads(SECRET, b"two!") and self.mount.reads(NEW, b"later") and
              not os.path.exists(mount2.file(OTHER)))

        self.bring_up(copy, "new-host")
        for home in self.owner, wim, rita:
            self.refused(home.run("secret", "list", "shop/prod", expect=None), INTEGRITY, "older state", "grantfs restore")
        until("the mount to refuse it", lambda: self.refusal(self.mount.file(SECRET)) != 0)
        until("the mount to say why", lambda: b"grantfs restore" in self.mount.read(".grantfs/grants"))
        self.assertFalse(os.path.exists(mount2.file(OTHER)), "a grant that was revoked")
        self.refused(rita.run("restore", expect=None), DENIED, "owner")

        would = self.owner.json("restore", "--dry-run")
        again = self.owner.json("restore", "--dry-run")
        self.assertEqual(would["lost"], again["lost"], "nothing was changed")
        lost = {(one["where"], one["what"]): one for one in would["lost"]}
        for where, what, by, repeated in (SECRET, "version 2", "wim", False), (NEW, "version 1", "root", False), \
                (OTHER, "revoked from web-2", "root", True), ("shop/prod", "bea removed as a member", "root", True), \
                ("its machines", "web-3 approved", "root", False):
            self.assertIn((where, what), lost, would)
            self.assertEqual(lost[where, what]["again"], repeated, what)
            self.assertIn(lost[where, what]["by"], (by, self.owner.json("whoami")["name"]))
        done = self.owner.run("restore", "--reason", "disk lost")
        for words in "revoked from web-2", "done again", "go on from the backup", "new keys: shop/prod":
            self.assertIn(words, done.text + done.err)
        self.assertIn("no backup to accept", self.owner.run("restore").err)

        until("the mount to go on by itself", lambda: self.mount.reads(SECRET, b"one") and self.mount.reads(OTHER, b"key"))
        self.assertFalse(os.path.exists(mount2.file(OTHER)))
        self.assertFalse(os.path.exists(self.mount.file(NEW)))
        for home in self.owner, wim:
            self.assertEqual({one["name"] for one in home.json("secret", "list", "shop/prod")["secrets"]}, {SECRET, OTHER})
        self.assertEqual(rita.run("secret", "get", SECRET).out, b"one")
        self.assertNotEqual(bea.run("secret", "get", SECRET, expect=None).status, DONE)
        self.assertNotEqual(web3.run("read", SECRET, expect=None).status, DONE)
        self.assertTrue(self.owner.json("audit", "verify")["good"])

        wim.set(SECRET, b"three")
        until("the next value", lambda: self.mount.reads(SECRET, b"three"))
        self.assertGreater(self.owner.json("secret", "history", SECRET)["versions"][0]["version"], 2, "no number is used twice")
        self.owner.set(NEW, b"anew")
        self.owner.run("grant", "web-1", NEW)
        until("what was lost, made anew", lambda: self.mount.reads(NEW, b"anew"))
        self.owner.run("grant", "web-2", OTHER)
        until("what is granted anew", lambda: mount2.reads(OTHER, b"key"))
        records = [one for one in self.owner.json("audit", "list", "--limit", "1000")["records"] if one["action"] == "restore"]
        self.assertGreaterEqual(len(records), 4)
        self.assertIn("critical", {one["severity"] for one in records})

    def test_groups(self):
        """Whoever left one before the backup was brought up does not come back, nor does what was taken from one."""
        self.begin()
        rita, bea = self.person("rita", "owner"), self.person("bea", "reader")
        mount2 = Mount(self.web2, "mnt2").start()
        for name in "shop/prod/app/one", "shop/prod/tls/key":
            self.owner.set(name, b"first")
        self.owner.run("group", "create", "shop/prod", "web", "web-1", "web-2")
        self.owner.run("group", "create", "shop/prod", "old", "web-2")
        self.owner.run("grant", "@web", "shop/prod/app/one")
        self.owner.run("grant", "@web", "shop/prod/tls/")
        self.owner.run("grant", "@old", "shop/prod/tls/")
        for mount in self.mount, mount2:
            until("all to read", lambda: mount.reads("shop/prod/app/one", b"first") and mount.reads("shop/prod/tls/key", b"first"))
        copy = self.backup()
        self.owner.run("group", "remove", "shop/prod", "web", "web-2")
        self.owner.run("revoke", "@web", "shop/prod/tls/")
        self.owner.run("group", "delete", "shop/prod", "old")
        self.owner.run("member", "remove", "shop/prod", "bea")
        gone = lambda: not any(os.path.exists(mount2.file(name)) for name in ("shop/prod/app/one", "shop/prod/tls/key"))
        until("web-2 to lose all", gone)
        until("web-1 to lose the prefix", lambda: not os.path.exists(self.mount.file("shop/prod/tls/key")))
        rita.run("group", "list", "shop/prod")

        self.bring_up(copy, "new-host")
        self.refused(self.owner.run("group", "list", "shop/prod", expect=None), INTEGRITY, "older state")
        lost = {(one["where"], one["what"]): one["again"] for one in self.owner.json("restore", "--dry-run")["lost"]}
        for where, what in ("shop/prod@web", "taken out: web-2"), ("shop/prod", 'revoked from a group below "tls/"'), \
                ("shop/prod", "a group deleted"), ("shop/prod", "bea removed as a member"):
            self.assertIs(lost.get((where, what)), True, lost)
        self.owner.run("restore")
        until("web-1 to go on", lambda: self.mount.reads("shop/prod/app/one", b"first") and self.mount.reads(OTHER, b"key"))
        self.assertFalse(os.path.exists(self.mount.file("shop/prod/tls/key")), "a prefix that was revoked")
        until("web-2 to go on", lambda: mount2.reads(OTHER, b"key"))
        self.assertTrue(gone(), "a machine that left comes back")
        for home in self.owner, rita:
            groups = {one["group"]: one["machines"] for one in home.json("group", "list", "shop/prod")["groups"]}
            self.assertEqual(groups, {"web": ["web-1"]})
        self.assertEqual(self.owner.json("status")["owed"], [])
        self.assertIn("no backup to accept", self.owner.run("restore").err)
        rita.set("shop/prod/app/one", b"second")
        until("the next value", lambda: self.mount.reads("shop/prod/app/one", b"second"))
        self.assertTrue(gone(), "a machine that left reads the next value")
        self.owner.run("group", "add", "shop/prod", "web", "web-2")
        until("who is added anew", lambda: mount2.reads("shop/prod/app/one", b"second"))

    def test_two_restores_and_an_old_one_again(self):
        self.begin()
        first = self.backup("first")
        self.owner.set(SECRET, b"two!")
        until("the mount", lambda: self.mount.reads(SECRET, b"two!"))
        self.bring_up(first, "host1")
        self.owner.run("restore")
        self.goes_on(b"one")
        second = self.backup_of("host1", "second")
        self.owner.set(SECRET, b"three")
        until("the mount", lambda: self.mount.reads(SECRET, b"three"))
        # The same backup with its restore once more: that one says nothing about what came after it.
        self.bring_up(second, "host2")
        self.refused(self.owner.run("secret", "list", "shop/prod", expect=None), INTEGRITY, "older state")
        until("the mount to refuse it", lambda: self.refusal(self.mount.file(SECRET)) != 0)
        self.owner.run("restore")
        self.goes_on(b"one")
        # And the oldest, from before both.
        self.bring_up(first, "host3")
        self.refused(self.owner.run("secret", "list", "shop/prod", expect=None), INTEGRITY, "older state")
        until("the mount to refuse it", lambda: self.refusal(self.mount.file(SECRET)) != 0)
        self.owner.run("restore")
        self.goes_on(b"one")
        self.owner.set(SECRET, b"four")
        until("the next value", lambda: self.mount.reads(SECRET, b"four"))

    def backup_of(self, data, name):
        path = os.path.join(self.world.dir, name + ".db")
        self.owner.run("backup", path, "--data", os.path.join(self.world.dir, data))
        return path

    def test_a_client_that_has_seen_more_than_who_accepts(self):
        self.begin()
        second = self.person("eve", "owner")
        bea = self.person("bea", "reader")
        copy = self.backup()
        second.run("member", "remove", "shop/prod", "bea")
        second.run("revoke", "web-2", OTHER)
        second.set(SECRET, b"two!")
        until("the mount", lambda: self.mount.reads(SECRET, b"two!"))
        self.bring_up(copy, "new-host")
        self.assertIn("no backup to accept", self.owner.run("restore").err, "the owner has seen nothing of it")
        self.owner.run("restore", "--anyway")
        # Both saw what he did not, and do not let it come back.
        until("the mount to say who came back", lambda: b"bea in environment/shop/prod" in self.mount.read(".grantfs/grants"))
        self.assertNotEqual(self.refusal(self.mount.file(SECRET)), 0)
        self.owner.run("secret", "list", "shop/prod")
        self.refused(second.run("secret", "list", "shop/prod", expect=None), INTEGRITY, "bea", "came back", "grantfs restore")
        said = second.json("restore")
        self.assertEqual({one["what"] for one in said["lost"] if one["again"]}, {"bea removed as a member", "revoked from web-2"})
        second.run("secret", "list", "shop/prod")
        self.goes_on(b"one")
        self.assertNotEqual(bea.run("secret", "get", SECRET, expect=None).status, DONE)
        self.assertEqual({one["machine"] for one in self.owner.json("grants", "--secret", OTHER)["grants"]}, {"web-1"})

    def user(self, name):
        home = Home(self.world, name)
        home.run("enroll", stdin=self.owner.run("invite", name, "--kind", "user").out)
        self.owner.run("approve", name)
        home.run("enroll")
        return home

    def members(self, home):
        return {one["name"]: one["role"] for one in home.json("member", "list", "shop/prod")["members"]}

    def test_one_who_had_left_is_back_until_the_backup_is_accepted(self):
        """What he signs meanwhile would stay behind: it is shown, and accepted by nobody who does not say so."""
        self.begin()
        bob, eve = self.person("bob", "owner"), self.user("eve")
        copy = self.backup()
        self.owner.run("member", "remove", "shop/prod", "bob")
        self.bring_up(copy, "host1")
        self.refused(self.owner.run("secret", "list", "shop/prod", expect=None), INTEGRITY, "older state")
        bob.run("member", "add", "shop/prod", "eve", "--role", "owner")
        would = self.owner.json("restore", "--dry-run")
        self.assertEqual([(one["where"], one["what"], one["by"]) for one in would["since"]],
                         [("shop/prod", "eve became owner", "bob")])
        self.assertIn("BY ONE WHO HAD LEFT", self.owner.run("restore", "--dry-run").text)
        self.refused(self.owner.run("restore", expect=None), INTEGRITY, "eve became owner", "--vouch")
        self.refused(self.owner.run("secret", "list", "shop/prod", expect=None), INTEGRITY)
        # Anew, where he does not come first.
        self.bring_up(copy, "host2")
        self.owner.run("restore")
        self.assertEqual(set(self.members(self.owner)), {self.owner.json("whoami")["name"]})
        self.assertNotEqual(bob.run("secret", "get", SECRET, expect=None).status, DONE)
        self.assertNotEqual(eve.run("secret", "get", SECRET, expect=None).status, DONE)

    def test_what_one_who_had_left_has_signed_stays_where_an_owner_says_so(self):
        self.begin()
        bob, eve = self.person("bob", "owner"), self.user("eve")
        copy = self.backup()
        self.owner.run("member", "remove", "shop/prod", "bob")
        self.bring_up(copy, "host1")
        bob.run("member", "add", "shop/prod", "eve", "--role", "owner")
        self.owner.run("restore", "--vouch")
        self.assertEqual(set(self.members(self.owner)), {self.owner.json("whoami")["name"], "eve"})
        self.assertEqual(eve.run("secret", "get", SECRET).out, b"one")

    def test_one_who_had_left_accepts_the_backup_first(self):
        self.begin()
        bob = self.person("bob", "owner")
        copy = self.backup()
        self.person("tom", "reader")
        bob.run("member", "list", "shop/prod")
        self.owner.run("member", "remove", "shop/prod", "bob")
        self.bring_up(copy, "host1")
        bob.run("restore")
        self.owner.run("restore", "--vouch")
        self.assertEqual(set(self.members(self.owner)), {self.owner.json("whoami")["name"]})
        self.assertNotEqual(bob.run("secret", "get", SECRET, expect=None).status, DONE)
        self.assertIn("no backup to accept", self.owner.run("restore").err)

    def test_a_secret_made_meanwhile_under_a_number_that_is_lost(self):
        self.begin()
        wim = self.person("wim", "writer")
        copy = self.backup()
        self.owner.set(NEW, b"lost")
        self.bring_up(copy, "host1")
        wim.set("shop/prod/meanwhile", b"mine")
        wim.set(SECRET, b"two")
        said = self.owner.run("restore", "--json", expect=None)
        self.assertIn("shop/prod/meanwhile: wim made it", " ".join(said.json["problems"]))
        self.assertEqual({one["name"] for one in self.owner.json("secret", "list", "shop/prod")["secrets"]}, {SECRET, OTHER})
        self.assertEqual(self.owner.run("secret", "get", SECRET).out, b"two")
        wim.set("shop/prod/meanwhile", b"mine")
        self.assertEqual(self.owner.run("secret", "get", "shop/prod/meanwhile").out, b"mine")
        self.assertIn("no backup to accept", self.owner.run("restore").err)

    def test_the_two_owner_rule_holds_after_a_backup_from_before_it(self):
        self.begin()
        rita = self.person("rita", "owner")
        copy = self.backup()
        rita.run("request", "approve", *self.owner.json("env", "rules", "shop/prod", "--two-owners", "on")["waiting"])
        rules = lambda home: home.json("env", "rules", "shop/prod")["two_owners"]
        self.assertTrue(rules(self.owner) and rules(rita))
        self.bring_up(copy, "host1")
        said = self.owner.json("restore")
        self.assertIn("which holds again", " ".join(said["others"]))
        self.assertTrue(rules(self.owner))
        self.assertTrue(rules(rita), "who saw it goes on")
        waiting = self.owner.json("grant", "web-1", SECRET)["waiting"]
        self.assertEqual(len(waiting), 1)
        until("what one owner signed to be gone", lambda: self.refusal(self.mount.file(SECRET)) != 0)
        rita.run("request", "approve", *waiting)
        self.goes_on(b"one")

    def test_a_backup_from_before_the_servers_key_was_replaced(self):
        self.begin()
        copy = self.backup()
        before = self.owner.json("tls", "show")["shown"]
        self.owner.run("tls", "next")
        self.owner.run("tls", "switch", "--force")
        until("the mount to know the next key", lambda: self.mount.reads(SECRET, b"one"))
        self.bring_up(copy, "host1")
        self.refused(self.owner.run("restore", expect=None), INTEGRITY, "grantfs tls trust")
        self.refused(self.owner.run("restore", "--pin", "0" * 64, expect=None), INTEGRITY)
        said = self.owner.json("restore", "--pin", before)
        self.assertIn("grantfs tls trust " + before, " ".join(said["others"]))
        self.assertEqual([one["pin"] for one in self.owner.json("tls", "show")["listed"]], [before])
        self.mount.stop()
        self.web1.run("tls", "trust", before)
        self.mount.start()
        self.goes_on(b"one")


if __name__ == "__main__":
    main()
