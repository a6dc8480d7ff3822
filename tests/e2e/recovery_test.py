"""The recovery code: the only owner's home is lost, another is made of the code; it is checked, and replaced. And the format level."""

import os
import re
import shutil

from harness import *

SECRET = "shop/prod/db-password"


class RecoveryTest(Case):
    def begin(self):
        self.world.serve()
        self.owner = self.world.owner
        made = self.owner.run("init", "--json", stdin=self.world.claim())
        self.code = made.json["recovery_code"].encode()
        self.line = re.search(r"grantfs (recover 127\S+ --vault \w+ --pin \w+)", made.err).group(1).split()
        self.owner.run("env", "create", "shop/prod")
        self.web1 = self.world.machine("web-1")
        self.owner.set(SECRET, b"one")
        self.owner.run("grant", "web-1", SECRET)
        self.owner.run("group", "create", "shop/prod", "web", "web-1")

    def group_epoch(self, owner):
        return owner.json("group", "list", "shop/prod")["groups"][0]["epoch"]

    def test_the_only_owners_home_is_lost(self):
        self.begin()
        mount = Mount(self.web1).start()
        until("the first read", lambda: mount.reads(SECRET, b"one"))
        name = self.owner.json("whoami")["name"]
        shutil.rmtree(self.owner.path)
        heir = Home(self.world, "heir")
        self.refused(heir.run(*self.line, "--name", "bea", stdin=self.code[:-3] + b"aaa", expect=None), USAGE, "mistyped")
        other = b"-".join([b"aaaa"] * 14) + b"-aa"
        self.refused(heir.run(*self.line, "--name", "bea", stdin=other, expect=None), USAGE, "mistyped")
        self.refused(heir.run(*self.line, self.code.decode(), expect=None), USAGE, "standard input")
        self.refused(heir.run(*self.line[:2], "--name", "bea", stdin=self.code, expect=None), USAGE, "grantfs recovery show")
        self.assertFalse(os.path.exists(os.path.join(heir.path, "identity.json")))
        done = heir.run(*self.line, "--name", "bea", stdin=self.code)
        self.assertIn("is an owner of the vault and of shop/prod", done.text)
        self.assertIn("grantfs offboard", done.err)
        self.refused(heir.run(*self.line, stdin=self.code, expect=None), CONFLICT)

        self.assertEqual(heir.run("secret", "get", SECRET).out, b"one")
        heir.run("offboard", name, "--reason", "laptop lost")
        self.assertEqual({one["name"] for one in heir.json("member", "list", "shop/prod")["members"]}, {"bea"})
        heir.set(SECRET, b"two!")
        until("the new owner's value", lambda: mount.reads(SECRET, b"two!"))
        self.world.owner = heir
        web2 = self.world.machine("web-2")
        heir.run("grant", "web-2", SECRET)
        self.assertEqual(web2.run("read", SECRET).out, b"two!")

        # The code was used: another takes its place, and opens what this one opened.
        said = heir.run("doctor", "--recovery-code", "-", stdin=self.code, expect=None).text
        self.assertIn("the code opens every key of shop/prod", said)
        path = os.path.join(self.world.dir, "code")
        heir.run("recovery", "replace", "--recovery-file", path)
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        self.assertIn("the code opens every key of shop/prod", heir.run("doctor", "--recovery-code", path, expect=None).text)
        self.assertIn("failure  recovery.code", re.sub(" +", "  ", heir.run("doctor", "--recovery-code", "-", stdin=self.code, expect=None).text))
        late = Home(self.world, "late")
        self.refused(late.run(*self.line, "--name", "eve", stdin=self.code, expect=None), DENIED, "not the recovery code")
        self.assertFalse(os.path.exists(os.path.join(late.path, "identity.json")))
        with open(path, "rb") as code:
            late.run(*heir.run("recovery", "show").text.split()[1:], "--name", "eve", stdin=code.read())
        self.assertEqual(late.run("secret", "get", SECRET).out, b"two!")
        until("the mount to stay", lambda: mount.reads(SECRET, b"two!"))

    def test_environments_of_others_follow(self):
        self.begin()
        home = Home(self.world, "eve")
        line = self.owner.run("invite", "eve", "--kind", "user").out
        home.run("enroll", stdin=line)
        self.owner.run("approve", "eve")
        home.run("enroll")
        self.owner.run("owner", "add", "eve")
        home.run("env", "create", "shop/test")
        home.run("group", "create", "shop/test", "web", "web-1")
        said = self.owner.run("recovery", "replace", "--json")
        self.assertEqual(self.group_epoch(self.owner), 2, "a group's key follows the environment's")
        self.assertEqual((said.json["followed"], said.json["others"]), (["shop/prod"], ["shop/test"]))
        code = said.json["recovery_code"].encode()
        found = self.owner.run("doctor", "--recovery-code", "-", stdin=code, expect=None).text
        self.assertIn("the code opens every key of shop/prod", found)
        self.assertIn("the keys of shop/test are not sealed to this code yet", found)
        self.assertIn("grantfs recovery follow", home.run("status").text + home.run("status").err)
        self.assertEqual(home.json("recovery", "follow")["followed"], ["shop/test"])
        self.assertEqual(home.json("recovery", "follow")["followed"], [])
        self.assertEqual(home.json("group", "list", "shop/test")["groups"][0]["epoch"], 2)
        found = self.owner.run("doctor", "--recovery-code", "-", stdin=code, expect=None).text
        self.assertIn("the code opens every key of shop/test", found)

    def test_the_level(self):
        self.begin()
        self.assertEqual(self.owner.json("level", "show"), {"level": 2, "program": 2})
        self.refused(self.owner.run("level", "raise", expect=None), CONFLICT, "as high")
        self.assertEqual(self.owner.json("status")["level"], 2)


if __name__ == "__main__":
    main()
