"""Machines that come in numbers: standing invitations, requests without an invitation, lives that end."""

import json
import os
import subprocess
import time

import fleet
from harness import BINARY, CONFLICT, DENIED, DONE, NOT_FOUND, UNREACHABLE, USAGE, Case, Home, Mount, main, until


class Fleet(Case):
    def setUp(self):
        super().setUp()
        self.owner = self.world.init().owner

    def home(self, name):
        return Home(self.world, name)

    def request(self, name, *more):
        home = self.home(name)
        return home, home.run("enroll", "--request", "--name", name, *more).out

    def standing(self, pattern="web-*", uses=5, *more):
        return self.owner.run("invite", "--standing", pattern, "--uses", str(uses), *more).out

    def names(self):
        return [one["name"] for one in self.owner.json("identity", "list")["identities"] if one["kind"] == "machine"]


class RequestTest(Fleet):
    def test_many_machines_ask_without_an_invitation(self):
        asked = dict(self.request("web-%d" % i) for i in range(1, 6))
        self.assertEqual([line.count(b"\n") for line in asked.values()], [1] * 5)
        before = self.owner.json("audit", "list", "--limit", "1")["records"][0]["sequence"]
        done = self.owner.run("approve", "-", "--yes", "--lives", "1h", "--reason", "the new rack", stdin=b"".join(asked.values()))
        self.assertIn("web-3", done.err)
        for row in self.owner.json("identity", "list")["identities"]:
            if row["kind"] == "machine":
                self.assertIn(row["fingerprint"], done.err)
                self.assertGreater(row["not_after"], 0)
        lines = dict(line.split(" ", 1) for line in done.text.splitlines())
        self.assertEqual(sorted(lines), ["web-%d" % i for i in range(1, 6)])
        new = [r for r in self.owner.json("audit", "list", "--limit", "50")["records"] if r["sequence"] > before]
        self.assertEqual(len([r for r in new if r["action"] == "machine.admit"]), 5, "each use stands in the log")
        # Until it has the line, a machine knows no vault.
        home = next(iter(asked))
        self.refused(home.run("read", "shop/prod/db-password", expect=None), CONFLICT, "--accept")
        self.assertEqual(home.json("whoami")["vault"], "")
        self.owner.set("shop/prod/db-password", b"hunter2")
        for home in asked:
            accepted = home.json("enroll", "--accept", stdin=lines[home.name].encode())
            self.assertTrue(accepted["approved"])
            self.assertGreater(accepted["not_after"], time.time())
            self.owner.run("grant", home.name, "shop/prod/db-password")
            self.assertEqual(home.run("read", "shop/prod/db-password").out, b"hunter2")

    def test_each_wrong_request_is_refused_and_none_is_let_in(self):
        good, line = self.request("web-1")
        other, second = self.request("web-2")

        def none(stdin, status, *words):
            run = self.owner.run("approve", "-", "--yes", stdin=stdin, expect=None)
            self.refused(run, status, "nobody was let in")
            for word in words:
                self.assertIn(word, run.err)
            self.assertEqual(self.names(), [])

        none(line + second + line, CONFLICT, "line 3", "stands there twice")
        _, same_name = Home(self.world, "copy"), None
        copy = self.home("copy")
        same_name = copy.run("enroll", "--request", "--name", "web-1").out
        none(line + same_name, CONFLICT, "line 2", "same name")
        none(line + b"\n" + second[:-20] + b"\n", USAGE, "line 2", "mistyped")
        none(line + b"grantfs-invite-1.AAAA\n", USAGE, "line 2")
        _, brief = self.request("web-3", "--ttl", "1s")
        until("the request to expire", lambda: time.time() > json.loads(self.expiry(brief)))
        none(second + brief, CONFLICT, "line 2", "expired")
        self.refused(self.owner.run("approve", "-", "--yes", stdin=b"\n", expect=None), USAGE, "no request")
        self.refused(self.owner.run("approve", "-", stdin=line, expect=None), USAGE, "--yes")
        self.assertEqual(self.names(), [])
        # What was right is let in, once; and its line is to be had again.
        first = self.owner.run("approve", "-", "--yes", "--json", stdin=line).json["approved"][0]
        self.refused(self.owner.run("approve", "-", "--yes", stdin=line + second, expect=None), CONFLICT, "nobody was let in")
        self.assertEqual(self.names(), ["web-1"])
        again = self.owner.run("identity", "show", "--line", "web-1").text.strip()
        self.assertEqual(again, first["line"])
        self.owner.run("identity", "remove", "web-1")
        run = self.owner.run("approve", "-", "--yes", stdin=line, expect=None)
        self.refused(run, CONFLICT)
        self.assertIn("never returns", run.err)
        self.refused(good.run("enroll", "--accept", stdin=first["line"].encode(), expect=None), DENIED, "does not accept this key")

    @staticmethod
    def expiry(line):
        import base64
        text = line.decode().strip().split(".", 1)[1]
        return str(json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))[:-4])["expires"])

    def test_a_machine_trusts_the_line_that_answers_it_and_no_other(self):
        web1, first = self.request("web-1")
        web2, second = self.request("web-2")
        answers = self.owner.run("approve", "-", "--yes", "--json", stdin=first + second).json["approved"]
        one, two = (answer["line"].encode() for answer in answers)
        self.refused(web1.run("enroll", "--accept", stdin=two, expect=None), CONFLICT, "another machine")
        self.refused(web1.run("enroll", "--accept", stdin=one[:-8], expect=None), USAGE, "mistyped")
        self.refused(web1.run("enroll", "--accept", stdin=first, expect=None), USAGE, "another kind")
        self.refused(web1.run("enroll", "--accept", stdin=one + b"\n" + two, expect=None), USAGE, "one line")
        self.refused(self.home("nobody").run("enroll", "--accept", stdin=one, expect=None), NOT_FOUND, "--request")
        # Another vault that knows the key neither, at the same address.
        self.world.kill_server()
        self.refused(web1.run("enroll", "--accept", stdin=one, expect=None), UNREACHABLE)
        self.assertEqual(web1.json("whoami")["state"], "requesting")
        self.world.serve()
        web1.run("enroll", "--accept", stdin=one)
        self.refused(web1.run("enroll", "--accept", stdin=one, expect=None), CONFLICT, "has an identity")
        self.refused(web1.run("enroll", "--request", expect=None), CONFLICT, "has an identity")
        self.refused(web2.run("enroll", stdin=self.owner.run("invite", "web-9").out, expect=None), CONFLICT, "--accept")
        # The same keys, asked again; new ones under another name.
        key = web2.json("whoami")["id"]
        web2.run("enroll", "--request", "--name", "web-2")
        self.assertEqual(web2.json("whoami")["id"], key)
        web2.run("enroll", "--request", "--name", "web-3")
        self.assertNotEqual(web2.json("whoami")["id"], key)
        self.refused(web2.run("enroll", "--accept", stdin=two, expect=None), CONFLICT, "another machine")


class StandingTest(Fleet):
    def test_machines_let_themselves_in(self):
        line = self.standing("web-*", 2, "--ttl", "30d")
        for name in ("web-1", "web-2"):
            self.assertTrue(self.home(name).json("enroll", "--name", name, stdin=line)["approved"])
        self.assertEqual(self.names(), ["web-1", "web-2"])
        self.assertEqual(self.owner.json("invitation", "list")["invitations"], [], "used up")
        third = self.home("web-3")
        self.refused(third.run("enroll", "--name", "web-3", stdin=line, expect=None), DENIED, "used or has expired")
        self.assertFalse(os.path.exists(os.path.join(third.path, "identity.json")), "nothing half done")
        self.owner.set("shop/prod/db-password", b"hunter2")
        self.owner.run("grant", "web-2", "shop/prod/db-password")
        self.assertEqual(Home(self.world, "web-2").run("read", "shop/prod/db-password").out, b"hunter2")

    def test_who_does_not_fit_is_refused_and_may_try_again(self):
        line = self.standing("web-*", 5)
        home = self.home("x")
        self.refused(home.run("enroll", "--name", "db-1", stdin=line, expect=None), USAGE, "pattern")
        self.refused(home.run("enroll", stdin=line, expect=None), USAGE, "--name")
        self.home("web-1").run("enroll", "--name", "web-1", stdin=line)
        self.refused(home.run("enroll", "--name", "web-1", stdin=line, expect=None), DENIED, "name is enrolled")
        home.run("enroll", "--name", "web-2", stdin=line)
        self.refused(home.run("enroll", "--name", "web-3", stdin=line, expect=None), CONFLICT, "has an identity")
        one = self.owner.json("invitation", "list")["invitations"][0]
        self.assertEqual((one["name"], one["standing"], one["uses"], one["used"]), ("web-*", True, 5, 2))
        self.assertIn("2 of 5", self.owner.run("invitation", "list").text)
        for wrong in (["--standing", "web"], ["--standing", "web-*", "x"], ["--standing", "web-*", "--uses", "10001"],
                      ["--standing", "web-*", "--uses", "0"], ["--standing", "web-*", "--kind", "user"],
                      ["--standing", "web-*", "--ttl", "31d"], ["web-1x", "--uses", "2"], []):
            self.refused(self.owner.run("invite", *wrong, expect=None), USAGE)

    def test_withdrawal_names_whom_it_let_in(self):
        line = self.standing("web-*", 5)
        for name in ("web-1", "web-2"):
            self.home(name).run("enroll", "--name", name, stdin=line)
        done = self.owner.run("invitation", "withdraw", "web-*", "--json").json
        self.assertEqual((done["withdrawn"], done["let_in"]), (1, ["web-1", "web-2"]))
        self.refused(self.home("web-3").run("enroll", "--name", "web-3", stdin=line, expect=None), DENIED)
        self.assertEqual(self.names(), ["web-1", "web-2"])

    def test_removing_a_machine_that_came_by_it_withdraws_it(self):
        line = self.standing("web-*", 5)
        for name in ("web-1", "web-2"):
            self.home(name).run("enroll", "--name", name, stdin=line)
        done = self.owner.run("identity", "remove", "web-1", "--json").json
        self.assertEqual((done["withdrawn"], done["let_in"]), (1, ["web-2"]))
        self.refused(self.home("web-3").run("enroll", "--name", "web-3", stdin=line, expect=None), DENIED)

    def test_many_at_the_same_moment_all_get_in(self):
        line = self.standing("web-*", 8)
        homes = [self.home("web-%d" % i) for i in range(8)]
        running = [subprocess.Popen([BINARY, "enroll", "--name", home.name, "--home", home.path], stdin=subprocess.PIPE,
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.world.environ) for home in homes]
        for process in running:
            process.stdin.write(line)
            process.stdin.close()
        for process in running:
            err = process.stderr.read()
            self.assertEqual(process.wait(), DONE, err)
        self.assertEqual(sorted(self.names()), sorted(home.name for home in homes))


class GroupTest(Case):
    def test_a_small_fleet_from_the_invitation_to_the_removal(self):
        self.assertEqual(fleet.Fleet(self.world, 5, 4).show(), [])

    def test_withdrawal_gives_its_groups_new_keys(self):
        small = fleet.Fleet(self.world, 3, 2)
        small.prepare()
        for home in small.homes[:2]:
            home.run("enroll", "--name", home.name, stdin=small.line)
        epoch = lambda: self.world.owner.json("group", "list", "shop/prod")["groups"][0]["epoch"]
        before = epoch()
        done = self.world.owner.json("invitation", "withdraw", "web-*")
        self.assertEqual((done["withdrawn"], done["groups"], done["let_in"]), (1, [fleet.GROUP], ["web-1", "web-2"]))
        self.assertEqual(epoch(), before + 1)
        self.world.owner.set(fleet.SECRET, b"two")
        self.assertEqual(small.reads(fleet.SECRET, b"two", small.homes[:2]), 2, "who came by it is in the group still")
        for wrong in ("web", "shop/prod", "shop/prod@Web", "@web"):
            run = self.world.owner.run("invite", "--standing", "web-*", "--group", wrong, expect=None)
            self.refused(run, USAGE, "shop/prod@web")
        run = self.world.owner.run("invite", "--standing", "web-*", "--group", "shop/prod@none", expect=None)
        self.refused(run, NOT_FOUND, "group list")


class LifeTest(Fleet):
    def test_a_life_ends_by_itself(self):
        self.owner.set("shop/prod/db-password", b"hunter2")
        home = self.home("build-7")
        home.run("enroll", stdin=self.owner.run("invite", "--lives", "8s", "build-7").out)
        self.refused(self.owner.run("approve", "build-7", "--lives", "9s", expect=None), USAGE, "shorter")
        end = self.owner.json("approve", "build-7")["not_after"]
        self.owner.run("grant", "build-7", "shop/prod/db-password", "--lease", "1h")
        mount = Mount(home).start()
        until("the secret", lambda: mount.reads("shop/prod/db-password", b"hunter2"))
        self.assertIn("in, until", self.owner.run("identity", "list").text)
        watches = lambda: self.owner.json("identity", "list")
        # Cut off from the vault, under a lease: its own clock ends it.
        self.world.kill_server()
        until("the end of its life", lambda: time.time() > end, 30)
        import errno
        self.errno_of(errno.EKEYEXPIRED, lambda: mount.read("shop/prod/db-password"))
        self.world.serve()
        self.refused(home.run("read", "shop/prod/db-password", expect=None), DENIED)
        self.assertIn("its life ended", self.owner.run("identity", "list").text)
        # Its name is free for the next one, whose invitation clears it away.
        self.refused(self.owner.run("grant", "build-7", "shop/prod/db-password", expect=None), DENIED, "expired")
        self.owner.run("invite", "build-7")
        listed = [one for one in self.owner.json("identity", "list")["identities"] if one["name"] == "build-7"]
        self.assertTrue(listed[0]["removed"])
        self.assertTrue(watches())

    def test_a_standing_invitation_survives_the_end_of_those_that_it_let_in(self):
        line = self.standing("ci-*", 3, "--lives", "2s")
        home = self.home("ci-1")
        end = home.json("enroll", "--name", "ci-1", stdin=line)["not_after"]
        self.assertLess(end - time.time(), 3)
        until("the end of its life", lambda: time.time() > end, 10)
        self.refused(home.run("read", "shop/prod/x", expect=None), DENIED)
        self.owner.run("identity", "remove", "ci-1")
        again = Home(self.world, "ci-1-again")
        again.run("enroll", "--name", "ci-1", stdin=line)
        self.assertEqual(self.owner.json("invitation", "list")["invitations"][0]["used"], 2)

    def test_a_person_has_none(self):
        self.refused(self.owner.run("invite", "--kind", "user", "--lives", "1h", "bea", expect=None), USAGE, "machine")


if __name__ == "__main__":
    main()
