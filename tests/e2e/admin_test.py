"""The admin view: what an owner's client has verified, as a tree of reports; and never a value."""

import errno
import json
import os
import signal
import subprocess

from harness import *

SECRET = "shop/prod/db-password"
VALUE = b"qZ7-the-value-of-the-secret"


class AdminView(Mount):
    """The view of an owner's home."""

    def __init__(self, home, name="vault"):
        super().__init__(home, name, "--admin")

    def raw(self, path):
        return self.read(path).decode()

    def text(self, path):
        """A text that is current: on a slow machine one may say for a moment that it is not."""
        found = []

        def current():
            found[:] = [self.raw(path)]
            return not found[0].startswith("stale: ") and '"stale":"this' not in found[0]
        until(path + " to be current", current)
        return found[0]

    def lines(self, path):
        return {line.split("  ")[0]: line.split("  ", 1)[1].strip() for line in self.text(path).splitlines() if "  " in line}

    def json(self, path):
        return json.loads(self.text(path))

    def names(self, path):
        return sorted(os.listdir(self.file(path)))

    def has(self, path):
        return os.path.exists(self.file(path))

    def walk(self):
        """path -> content of every file."""
        found = {}
        for folder, _, names in os.walk(self.path):
            for name in names:
                path = os.path.join(folder, name)
                size = os.lstat(path).st_size
                with open(path, "rb") as file:
                    assert os.fstat(file.fileno()).st_mode & 0o7777 == 0o400
                    content = file.read()
                    if os.fstat(file.fileno()).st_size != len(content):
                        raise AssertionError("%s has %d bytes and says %d" % (path, len(content), size))
                found[os.path.relpath(path, self.path)] = content
        return found


class AdminTest(Case):
    def setUp(self):
        super().setUp()
        self.grant_to_web1(SECRET, VALUE)

    def view(self):
        return AdminView(self.owner).start()

    def test_the_tree_and_its_texts(self):
        self.owner.set("shop/prod/tls/server.key", VALUE)
        self.owner.set(SECRET, VALUE + b"2")
        self.owner.run("env", "create", "shop/empty")
        self.owner.run("grant", "web-1", "shop/prod/tls/server.key", "--owner", "app", "--mode", "0440", "--expires", "12h", "--strict")
        self.world.machine("web-2")
        self.web1.run("read", SECRET)
        view = self.view()
        self.assertEqual(view.names(""), ["audit", "info", "info.json", "machines", "projects"])
        self.assertEqual(view.names("machines"), ["web-1", "web-2"])
        self.assertEqual(view.names("machines/web-1/grants/shop/prod"), ["db-password", "db-password.json", "tls"])
        self.assertEqual(view.names("machines/web-2/grants"), [])
        self.assertEqual(view.names("projects/shop"), ["empty", "prod"])
        reports = ["info", "info.json", "readers", "readers.json", "versions", "versions.json"]
        self.assertEqual(view.names("projects/shop/prod/db-password"), reports)
        self.assertEqual(view.names("projects/shop/prod/tls/server.key"), reports)
        self.assertEqual(view.names("audit"), ["critical", "critical.json", "recent", "recent.json"])

        grant = view.lines("machines/web-1/grants/shop/prod/tls/server.key")
        self.assertEqual(grant["machine"], "web-1")
        self.assertEqual(grant["may read"], "shop/prod/tls/server.key")
        self.assertEqual(grant["label"], "current, now version 1")
        self.assertEqual((grant["mode"], grant["owner"], grant["group"]), ("0440", "app", "whoever mounts"))
        self.assertEqual(grant["granted by"], self.owner.json("whoami")["name"])
        listed = {one["secret"]: one for one in self.owner.json("grants")["grants"]}
        stated = view.json("machines/web-1/grants/shop/prod/tls/server.key.json")
        for name, value in listed["shop/prod/tls/server.key"].items():
            self.assertEqual(stated[name], value, name)
        self.assertEqual(stated["stale"], "")
        self.assertEqual(view.lines("machines/web-1/info")["granted"], "2 secrets, as grants/ here lists them")
        self.assertEqual(view.json("machines/web-1/info.json")["fingerprint"],
                         self.owner.json("identity", "show", "web-1")["fingerprint"])

        self.assertEqual(view.lines("projects/shop/prod/db-password/info")["version"], "2")
        self.assertEqual(view.json("projects/shop/prod/db-password/info.json")["size"], len(VALUE) + 1)
        self.assertEqual(view.text("projects/shop/prod/db-password/versions"), self.owner.run("secret", "history", SECRET).text)
        self.assertEqual(view.json("projects/shop/prod/db-password/versions.json")["versions"],
                         self.owner.json("secret", "history", SECRET)["versions"])
        self.assertIn("web-1", view.text("projects/shop/prod/db-password/readers"))
        self.assertEqual([one["machine"] for one in view.json("projects/shop/prod/db-password/readers.json")["readers"]], ["web-1"])

        until("the same records", lambda: view.text("audit/recent") == self.owner.run("audit", "list").text)
        self.assertIn("secret.read", view.text("audit/recent"))
        critical = view.json("audit/critical.json")["records"]
        self.assertEqual([one["action"] for one in critical], ["vault.create"])

        for path, content in view.walk().items():
            self.assertNotIn(VALUE[:12], content, path)
        self.errno_of(errno.EROFS, lambda: open(view.file("info"), "w"))
        copied = os.path.join(self.world.dir, "copied")
        subprocess.run(["cp", "-r", view.path, copied], check=True, timeout=60 * SLOWNESS)
        with open(os.path.join(copied, "projects/shop/prod/db-password/versions")) as file:
            self.assertTrue(file.read().endswith(view.text("projects/shop/prod/db-password/versions")))
        self.assertEqual(view.stop(), 0)

    def test_it_follows(self):
        view = self.view()
        grant = "machines/web-1/grants/shop/prod/db-password"
        kept = open(view.file("projects/shop/prod/db-password/versions"), "rb")
        self.owner.run("revoke", "web-1", SECRET)
        until("the grant to be gone", lambda: not view.has(grant))
        until("the reader to be gone", lambda: view.text("projects/shop/prod/db-password/readers") == "no machine may read it\n")
        self.owner.run("grant", "web-1", SECRET, "--mode", "0444")
        until("the grant to be there", lambda: view.has(grant) and "0444" in view.text(grant))
        self.owner.set(SECRET, b"another")
        until("the version", lambda: len(view.json("projects/shop/prod/db-password/versions.json")["versions"]) == 2)
        with kept:  # who has it open keeps it whole
            content = kept.read()
            self.assertEqual(os.fstat(kept.fileno()).st_size, len(content))
            self.assertIn(b"\n1  ", content)
            self.assertNotIn(b"\n2  ", content)
        self.owner.set("shop/prod/new", b"new")
        until("the new secret", lambda: view.has("projects/shop/prod/new/info"))
        self.world.machine("web-2")
        until("the new machine", lambda: view.has("machines/web-2/info"))
        self.owner.run("identity", "remove", "web-1")
        until("the removed machine to be gone", lambda: view.names("machines") == ["web-2"])

    def test_the_vault_is_down(self):
        view = self.view()
        info = "projects/shop/prod/db-password/info"
        before = view.text(info)
        self.world.kill_server(signal.SIGTERM)
        down = until("it says so", lambda: "127.0.0.1" in view.raw(info).split("\n")[0] and view.raw(info))
        self.assertTrue(down.startswith("stale: this is of 20"), down)
        self.assertEqual(down.split("\n", 1)[1], before)
        until("the JSON says so", lambda: json.loads(view.raw(info + ".json"))["stale"])
        self.assertIn("web-1", view.names("machines"))
        self.world.serve()
        self.assertEqual(view.text(info), before)
        self.world.server.send_signal(signal.SIGSTOP)  # a vault that takes requests and says nothing
        try:
            until("it says so again", lambda: view.raw(info).startswith("stale: "))
            self.assertIn("web-1", view.names("machines"))
        finally:
            self.world.server.send_signal(signal.SIGCONT)
        self.assertEqual(view.text(info), before)

    def test_names_that_look_like_reports(self):
        names = ["info", "info~", "x/versions", "x/readers.json/y", "a.json", "a", "b.json/c", "b", "dots../..x", "sp ace 'q' \"d\" $x",
                 "-rf", "gr\u00f6\u00dfe", "n" * 250, "m" * 255, "\u00e4" * 127]
        for name in names:
            self.owner.set("shop/prod/" + name, name.encode() or b"x")
        self.owner.run("grant", "web-1", *("shop/prod/" + name for name in names))
        view = self.view()
        found = view.walk()
        told = {json.loads(content)["name"] for path, content in found.items()
                if path.startswith("projects/") and path.endswith("/info.json")}
        self.assertEqual(told, {"shop/prod/" + name for name in names} | {SECRET})
        granted = [json.loads(content)["secret"] for path, content in found.items()
                   if "/grants/" in path and path.endswith(".json") and content.startswith(b"{")]
        self.assertEqual(sorted(granted), sorted(["shop/prod/" + name for name in names] + [SECRET]))
        texts = [path for path, content in found.items() if "/grants/" in path and not content.startswith(b"{")]
        self.assertEqual(len(texts), len(granted))
        for path in ("info", "info~", "x/versions", "x/readers.json/y", "a.json"):
            self.assertEqual(view.lines("projects/shop/prod/" + path + "/info")["secret"], "shop/prod/" + path)
        for path, secret in (("a", "a"), ("a.json~", "a.json"), ("b.json~/c", "b.json/c"), ("info~~", "info~"), ("info", "info")):
            self.assertEqual(view.lines("machines/web-1/grants/shop/prod/" + path)["may read"], "shop/prod/" + secret)
        self.assertEqual(view.json("machines/web-1/grants/shop/prod/a.json")["secret"], "shop/prod/a")

    def test_who_may_not(self):
        point = os.path.join(self.world.dir, "no")
        self.web1.run("read", SECRET)
        self.refused(self.web1.run("mount", "--admin", point, expect=None), USAGE, "owner")
        self.refused(self.owner.run("mount", "--admin", expect=None), USAGE, "mount --admin DIR")
        self.refused(self.owner.run("mount", "--admin", point, "--root", "shop/prod", expect=None), USAGE, "--root")
        view = self.view()
        self.refused(self.owner.run("mount", "--admin", view.path, expect=None), CONFLICT, "mounted there already")
        subprocess.run([BINARY, "umount", view.path], check=True, timeout=60 * SLOWNESS, stdout=subprocess.DEVNULL)
        self.assertEqual(view.process.wait(30 * SLOWNESS), 0)
        self.world.kill_server(signal.SIGTERM)
        self.refused(self.owner.run("mount", "--admin", point, expect=None), UNREACHABLE, "127.0.0.1")


if __name__ == "__main__":
    main()
