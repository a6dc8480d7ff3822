"""Groups through real mounts: machines that come and go, prefixes, agents that write, and what a machine keeps of it all."""

import errno
import json
import os
import sqlite3
import unittest

from harness import *

NAME = "shop/prod/db-password"


class GroupTest(Case):
    """An owner, two machines in @web, and one that is in no group."""

    def setUp(self):
        super().setUp()
        self.owner = self.world.init().owner
        self.web1, self.web2 = self.world.machine("web-1"), self.world.machine("web-2")
        self.owner.set(NAME, b"one")
        self.owner.run("group", "create", "shop/prod", "web", "web-1")

    def mount(self, home, name):
        return Mount(home, name).start()

    def shows(self, mount, name, value):
        until("%s to show %s" % (mount.path, name), lambda: mount.reads(name, value))

    def gone(self, mount, name):
        path = mount.file(name)
        until(path + " to be gone", lambda: not os.path.exists(path))
        self.errno_of(errno.ENOENT, lambda: open(path, "rb"))

    def test_a_group_is_granted_a_secret_and_its_machines_come_and_go(self):
        first, second = self.mount(self.web1, "one"), self.mount(self.web2, "two")
        said = self.owner.run("grant", "@web", NAME, "--mode", "0440")
        self.assertIn("granted %s to @web (1 version)" % NAME, said.text)
        self.assertIn("1 of 1 machine of @web has followed", said.err)
        self.assertTrue(first.reads(NAME, b"one"), "the command returns when it is shown")
        self.assertEqual(os.stat(first.file(NAME)).st_mode & 0o777, 0o440)
        self.assertFalse(os.path.exists(second.file(NAME)))
        self.owner.run("group", "add", "shop/prod", "web", "web-2")
        self.assertTrue(second.reads(NAME, b"one"), "a machine that is added sees the files at once")
        self.owner.set(NAME, b"two")
        for mount in (first, second):
            self.shows(mount, NAME, b"two")
        self.owner.run("group", "remove", "shop/prod", "web", "web-1", "--reason", "broken")
        self.errno_of(errno.ENOENT, lambda: open(first.file(NAME), "rb"))
        self.assertTrue(second.reads(NAME, b"two"), "the others read on with the group's next key")
        self.owner.set(NAME, b"three")
        self.shows(second, NAME, b"three")
        self.gone(first, NAME)
        self.assertEqual(self.owner.json("group", "list", "shop/prod")["groups"][0]["machines"], ["web-2"])
        self.owner.run("group", "add", "shop/prod", "web", "web-1")
        self.shows(first, NAME, b"three")
        self.owner.run("revoke", "@web", NAME)
        for mount in (first, second):
            self.gone(mount, NAME)

    def test_an_open_file_ends_when_its_machine_leaves_the_group(self):
        mount = self.mount(self.web1, "one")
        self.owner.run("grant", "@web", NAME)
        self.shows(mount, NAME, b"one")
        with open(mount.file(NAME), "rb", buffering=0) as held:
            self.owner.run("group", "remove", "shop/prod", "web", "web-1")
            self.errno_of(errno.EACCES, lambda: held.read())

    def test_a_prefix_covers_what_comes_later_and_an_agent_writes_it(self):
        mount = self.mount(self.web1, "one")
        line = self.owner.run("invite", "certs", "--kind", "agent").out
        agent = Home(self.world, "certs")
        agent.run("enroll", stdin=line)
        self.owner.run("approve", "certs")
        agent.run("enroll")
        self.owner.run("member", "add", "shop/prod", "certs", "--role", "writer", "--prefix", "tls/")
        self.owner.set("shop/prod/tls/old.key", b"old")
        dry = self.owner.run("grant", "@web", "shop/prod/tls/", "--dry-run")
        self.assertIn("would grant whatever is or will be below shop/prod/tls/ to @web", dry.text)
        self.assertFalse(os.path.exists(mount.file("shop/prod/tls/old.key")))
        self.owner.run("grant", "@web", "shop/prod/tls/", "--mode", "0444")
        self.assertTrue(mount.reads("shop/prod/tls/old.key", b"old"))
        agent.set("shop/prod/tls/new.key", b"made by the agent")
        self.shows(mount, "shop/prod/tls/new.key", b"made by the agent")
        agent.set("shop/prod/tls/new.key", b"turned by the agent")
        self.shows(mount, "shop/prod/tls/new.key", b"turned by the agent")
        self.assertFalse(os.path.exists(mount.file(NAME)), "it is not below the prefix")
        listed = {g["secret"]: g for g in self.web1.json("grants")["grants"]}
        self.assertEqual(listed["shop/prod/tls/new.key"]["by"], "@web shop/prod/tls/")
        with open(mount.file(".grantfs/grants")) as report:
            self.assertIn("@web shop/prod/tls/", report.read())
        rows = self.owner.json("grants", "--machine", "web-1")["grants"]
        self.assertEqual([(g["secret"], g["type"], g["machine"]) for g in rows], [("shop/prod/tls/", "prefix", "@web")])
        # The machine's own grant counts before its group's.
        self.owner.run("grant", "web-1", "shop/prod/tls/new.key", "--mode", "0400")
        until("the own grant to count", lambda: os.stat(mount.file("shop/prod/tls/new.key")).st_mode & 0o777 == 0o400)
        self.owner.run("revoke", "web-1", "shop/prod/tls/new.key")
        until("the group's to count", lambda: os.stat(mount.file("shop/prod/tls/new.key")).st_mode & 0o777 == 0o444)
        self.assertTrue(mount.reads("shop/prod/tls/new.key", b"turned by the agent"))
        self.owner.run("revoke", "@web", "shop/prod/tls/")
        self.gone(mount, "shop/prod/tls/new.key")

    def test_leases_offline_use_and_a_start_without_the_vault(self):
        self.owner.run("grant", "@web", NAME, "--lease", "1h", "--offline", "1h")
        mount = self.mount(self.web1, "one")
        self.shows(mount, NAME, b"one")
        kept = os.path.join(self.web1.path, "offline")
        until("the secret and the contact to be kept", lambda: os.path.isdir(kept) and len(os.listdir(kept)) == 2)
        self.world.kill_server()
        self.assertTrue(mount.reads(NAME, b"one"))
        mount.stop()
        again = self.mount(self.web1, "again")
        self.assertTrue(again.reads(NAME, b"one"), "what is kept was sealed to the machine itself")
        self.world.serve()
        self.owner.run("group", "remove", "shop/prod", "web", "web-1")
        self.gone(again, NAME)

    def test_a_machine_that_is_removed_leaves_its_groups(self):
        mount = self.mount(self.web2, "two")
        self.owner.run("group", "add", "shop/prod", "web", "web-2")
        self.owner.run("grant", "@web", NAME)
        self.assertTrue(mount.reads(NAME, b"one"))
        self.owner.run("identity", "remove", "web-1")
        group = self.owner.json("group", "list", "shop/prod")["groups"][0]
        self.assertEqual((group["machines"], group["epoch"]), (["web-2"], 2))
        self.assertEqual(self.owner.json("status")["owed"], [])
        self.owner.set(NAME, b"two")
        self.shows(mount, NAME, b"two")

    def test_a_version_costs_one_copy_and_old_copies_of_keys_are_gone(self):
        self.owner.run("group", "add", "shop/prod", "web", "web-2")
        self.owner.run("grant", "@web", NAME)
        self.owner.run("grant", "@web", "shop/prod/")
        self.owner.set(NAME, b"two")
        self.owner.run("group", "remove", "shop/prod", "web", "web-1")
        self.owner.set(NAME, b"three")
        self.world.kill_server(signal.SIGTERM)
        database = sqlite3.connect(os.path.join(self.world.data, "vault.db"))
        copies = database.execute("SELECT version, kind, epoch FROM copies ORDER BY version, kind").fetchall()
        self.assertEqual(copies, [(1, 0, 1), (1, 2, 1), (2, 0, 1), (2, 2, 1), (3, 0, 1), (3, 2, 2)])
        keys = database.execute("SELECT kind, epoch FROM group_copies ORDER BY kind").fetchall()
        self.assertEqual(keys, [(0, 2), (1, 2)])
        database.close()

    def test_a_reader_who_becomes_a_writer_has_the_groups_next_key_no_more(self):
        mount = self.mount(self.web1, "one")
        self.owner.run("grant", "@web", NAME)
        line = self.owner.run("invite", "rita", "--kind", "user").out
        rita = Home(self.world, "rita")
        rita.run("enroll", stdin=line)
        self.owner.run("approve", "rita")
        rita.run("enroll")
        self.owner.run("member", "add", "shop/prod", "rita", "--role", "reader")
        self.owner.run("member", "add", "shop/prod", "rita", "--role", "writer")
        self.assertEqual(self.owner.json("group", "list", "shop/prod")["groups"][0]["epoch"], 2)
        rita.set(NAME, b"two")
        self.shows(mount, NAME, b"two")

    def test_reports_name_who_reads_by_a_group_or_prefix(self):
        self.owner.run("group", "add", "shop/prod", "web", "web-2")
        self.owner.set("shop/prod/tls/key", b"k")
        self.owner.run("grant", "@web", NAME)
        self.owner.run("grant", "@web", "shop/prod/tls/")
        self.web1.run("read", NAME)
        readers = self.owner.json("audit", "readers", NAME)["readers"]
        self.assertEqual([(r["who"], r["by"], r["granted"], r["reads"]) for r in readers], [("web-1", "@web", True, 1), ("web-2", "@web", True, 0)])
        self.assertIn("@web shop/prod/tls/", self.owner.run("audit", "readers", "shop/prod/tls/key").text)
        unused = self.owner.json("review", "--days", "0")
        self.assertEqual(unused["unjudged"], [])
        self.assertLessEqual({(g["secret"], g["machine"]) for g in unused["grants"]}, {(NAME, "@web"), ("shop/prod/tls/", "@web")})
        listed = self.owner.json("audit", "list", "--object", NAME)
        self.assertEqual(listed["groups_recorded_of"], "shop/prod")
        said = self.owner.run("audit", "list", "--object", "shop/prod/tls/key")
        self.assertIn("grantfs audit list --object shop/prod", said.err)
        of_environment = {r["action"] for r in self.owner.json("audit", "list", "--object", "shop/prod")["records"]}
        self.assertLessEqual({"prefix.grant", "group-machines.add"}, of_environment)
        self.assertEqual(self.owner.json("audit", "list", "--actor", "web-1")["groups_recorded_of"], "", "a machine's acts are its own")
        self.refused(self.owner.run("audit", "list", "--actor", "@web", expect=USAGE), USAGE, "group list")
        view = Mount(self.owner, "view", "--admin").start()
        grants = os.path.join(view.path, "machines/web-2/grants/shop/prod")
        self.assertEqual(sorted(os.listdir(grants)), ["db-password", "db-password.json", "tls"])
        with open(os.path.join(grants, "tls/key")) as file:
            self.assertIn("@web shop/prod/tls/, a group that it is in", file.read())
        with open(view.file("projects/shop/prod/tls/key/readers.json")) as file:
            told = json.load(file)["readers"]
        self.assertEqual([(r["machine"], r["by"]) for r in told], [("web-1", "@web shop/prod/tls/"), ("web-2", "@web shop/prod/tls/")])
        self.owner.run("group", "remove", "shop/prod", "web", "web-2")
        until("the machine's grants to be gone", lambda: not os.path.exists(grants))

    def test_what_cannot_be(self):
        self.refused(self.owner.run("grant", "@db", NAME, expect=NOT_FOUND), NOT_FOUND, "no such group")
        self.refused(self.owner.run("grant", "web-1", "shop/prod/", expect=USAGE), USAGE, "granted to a group")
        self.refused(self.owner.run("group", "create", "shop/prod", "web", expect=CONFLICT), CONFLICT, "exists already")
        self.refused(self.owner.run("group", "add", "shop/prod", "web", "web-9", expect=NOT_FOUND), NOT_FOUND, "web-9")
        self.refused(self.owner.run("group", "remove", "shop/prod", "web", "web-2", expect=NOT_FOUND), NOT_FOUND,
                     "not in the group")
        self.refused(self.owner.run("revoke", "@web", "shop/prod/tls/", expect=NOT_FOUND), NOT_FOUND, "not granted")
        self.owner.run("grant", "@web", NAME)
        mount = self.mount(self.web1, "one")
        self.shows(mount, NAME, b"one")
        self.owner.run("group", "delete", "shop/prod", "@web")
        self.gone(mount, NAME)
        self.owner.run("group", "create", "shop/prod", "web", "web-1")
        self.assertFalse(os.path.exists(mount.file(NAME)), "a new group of that name is granted nothing")


if __name__ == "__main__":
    main()
