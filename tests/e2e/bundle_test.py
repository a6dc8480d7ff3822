"""Files that the mount makes of several secrets: what programs read from them, and who sees and records what."""

import base64
import ctypes
import errno
import json
import mmap
import os
import subprocess
import threading
import unittest
import urllib.parse

from harness import *

ENV, JSON, SHELL = "shop/prod/app.env", "shop/prod/app.json", "shop/prod/app.sh"
PASSWORD, KEY = "shop/prod/db-password", "shop/prod/api-key"
# What quoting goes wrong with: quotes, a dollar, backslashes, newlines, other alphabets.
HARD = "it's \"so\" $HOME `id` \\n \\\\ {{ x }} &=% \u00e4\u20ac\nsecond line\n"


class BundleTest(Case):
    """Bundles of two secrets, and a machine that is granted them."""

    def setUp(self):
        super().setUp()
        self.owner = self.world.init().owner
        self.web1 = self.world.machine("web-1")
        self.owner.set(PASSWORD, HARD.encode())
        self.owner.set(KEY, b"k-1")

    def bundle(self, name, kind, *parts):
        return self.owner.run("secret", "bundle", name, "--as", kind, *(parts or ("db-password", "api-key")))

    def template(self, name, text, **more):
        return self.owner.run("secret", "set", name, "--template", stdin=text.encode(), **more)

    def mounted(self, *names, parts=True):
        self.owner.run("grant", "web-1", *names, *(["--with-parts"] if parts else []))
        mount = Mount(self.web1).start()
        for name in names:
            until(name + " to be listed", lambda: os.path.exists(mount.file(name)))
        return mount

    def grants(self, mount):
        return mount.read(".grantfs/grants").decode()

    def test_real_readers_find_the_values(self):
        for name, kind in ((ENV, "dotenv"), (JSON, "json"), (SHELL, "shell")):
            self.bundle(name, kind, "DB=db-password", "api-key")
        self.template("shop/prod/url", "postgres://app:{{ db-password | url }}@db/{{api-key}}?b={{ db-password | base64 }}\n")
        mount = self.mounted(ENV, JSON, SHELL, "shop/prod/url")
        with open(mount.file(JSON)) as made:
            self.assertEqual(json.load(made), {"DB": HARD, "API_KEY": "k-1"})
        for name in (ENV, SHELL):
            script = 'set -a; . "$1"; exec env -0'
            got = subprocess.run(["sh", "-c", script, "sh", mount.file(name)], capture_output=True, check=True).stdout
            found = dict(line.split(b"=", 1) for line in got.split(b"\0") if line)
            self.assertEqual((found[b"DB"], found[b"API_KEY"]), (HARD.encode(), b"k-1"), name)
        url = urllib.parse.urlsplit(mount.read("shop/prod/url").decode().rstrip("\n"))
        self.assertEqual(urllib.parse.unquote(url.netloc), "app:" + HARD + "@db")
        self.assertEqual(url.path, "/k-1")
        self.assertEqual(base64.b64decode(url.query[2:], validate=True), HARD.encode())
        self.assertEqual(self.web1.run("read", JSON).out, mount.read(JSON))

    def test_the_size_is_true_from_the_first_open_on(self):
        self.bundle(JSON, "json")
        mount = self.mounted(JSON)
        path = mount.file(JSON)
        before = os.stat(path).st_size
        self.assertIn("at most %d bytes" % before, self.grants(mount))
        with open(path, "rb") as made:
            size = os.fstat(made.fileno()).st_size
            value = made.read()
        self.assertEqual(size, len(value), "fstat after open")
        self.assertGreaterEqual(before, size, "what is said before is no less")
        self.assertEqual(os.stat(path).st_size, size, "stat from now on")
        copies = os.path.join(self.world.dir, "copy")
        for command in (["cp", path, copies], ["dd", "if=" + path, "of=" + copies], ["sh", "-c", 'cat "$0" > "$1"', path, copies]):
            subprocess.run(command, check=True, capture_output=True)
            with open(copies, "rb") as got:
                self.assertEqual(got.read(), value, command)

    def test_the_first_reader_of_each_kind_gets_all_of_it_and_no_more(self):
        """Nobody has opened the file before: the kernel was told of a larger one."""
        self.bundle(JSON, "json")
        mount = self.mounted(JSON)
        path, copy = mount.file(JSON), os.path.join(self.world.dir, "copy")

        def sendfile():
            with open(path, "rb") as made, open(copy, "wb") as out:
                while os.sendfile(out.fileno(), made.fileno(), None, 1 << 20):
                    pass

        def mapped():
            with open(path, "rb") as made, open(copy, "wb") as out:
                with mmap.mmap(made.fileno(), 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ) as pages:
                    out.write(pages[:])

        kinds = {"cat": lambda: subprocess.run(["sh", "-c", 'cat "$0" > "$1"', path, copy], check=True),
                 "cp": lambda: subprocess.run(["cp", path, copy], check=True), "sendfile": sendfile, "mmap": mapped}
        for turn, (kind, read) in enumerate(kinds.items()):
            key = "k" * (turn + 1)
            self.owner.set(KEY, key.encode())
            until("the new size", lambda: os.stat(path).st_size > len(HARD) * 2)  # looked at, not opened
            read()
            with open(copy, "rb") as got:
                self.assertEqual(json.loads(got.read()), {"DB_PASSWORD": HARD, "API_KEY": key}, kind)

    def test_a_new_version_of_a_part_or_of_the_template_changes_the_file(self):
        self.bundle(JSON, "json")
        mount = self.mounted(JSON)
        held = open(mount.file(JSON), "rb")
        self.addCleanup(held.close)
        self.owner.set(KEY, b"k-2, longer")
        self.assertEqual(json.loads(mount.read(JSON))["API_KEY"], "k-2, longer")
        self.assertEqual(json.loads(held.read())["API_KEY"], "k-1", "an open file keeps its version")
        self.bundle(JSON, "json", "ONLY=api-key")
        self.assertEqual(json.loads(mount.read(JSON)), {"ONLY": "k-2, longer"})

    def test_a_single_file_bind_follows_its_parts(self):
        self.bundle(JSON, "json", "api-key")
        mount = self.mounted(JSON)
        target = os.path.join(self.world.dir, "bound")
        open(target, "w").close()
        libc = ctypes.CDLL(None, use_errno=True)
        self.assertEqual(libc.mount(mount.file(JSON).encode(), target.encode(), b"", 4096, None), 0)
        self.addCleanup(lambda: libc.umount2(target.encode(), 2))

        def read():
            copy = subprocess.run(["cat", target], capture_output=True).stdout
            return json.loads(copy)["API_KEY"] if copy else ""

        self.assertEqual(read(), "k-1")
        for turn in range(4):
            value = "turn %d" % turn * (turn + 1)
            self.owner.set(KEY, value.encode())
            until("the bind to show turn %d" % turn, lambda: read() == value)
            with open(target, "rb") as made:
                self.assertEqual(os.fstat(made.fileno()).st_size, len(made.read()), turn)

    def test_each_read_of_a_part_is_recorded_by_itself(self):
        self.bundle(JSON, "json")
        mount = self.mounted(JSON)
        seen = lambda: sorted((line["object"], line["version"]) for line in self.owner.json("audit", "list", "--actor", "web-1")[
            "records"] if line["action"] == "secret.read")
        self.assertEqual(seen(), [])
        os.stat(mount.file(JSON))
        os.listdir(mount.file("shop/prod"))
        self.assertEqual(seen(), [], "looking is no reading")
        mount.read(JSON)
        self.assertEqual(seen(), [(KEY, 1), (JSON, 1), (PASSWORD, 1)])
        self.owner.run("audit", "verify")

    def test_without_one_of_its_parts_there_is_no_file(self):
        self.bundle(JSON, "json")
        granted = self.owner.run("grant", "web-1", JSON, PASSWORD)
        self.assertIn("next: grantfs grant web-1 " + KEY, granted.err)
        mount = Mount(self.web1).start()
        until("the part to be listed", lambda: os.path.exists(mount.file(PASSWORD)))
        self.assertFalse(os.path.exists(mount.file(JSON)))
        self.assertIn(JSON + "  hidden: it needs " + KEY + ", which is not granted", self.grants(mount))
        self.refused(self.web1.run("read", JSON, expect=None), NOT_FOUND, KEY, "not granted")
        self.assertIn("no file", self.web1.run("grants").text)
        self.owner.run("grant", "web-1", KEY)
        until("the file", lambda: os.path.exists(mount.file(JSON)))
        held = os.open(mount.file(JSON), os.O_RDONLY)
        self.addCleanup(os.close, held)
        self.assertEqual(json.loads(os.pread(held, 4096, 0))["API_KEY"], "k-1")
        self.owner.run("revoke", "web-1", KEY)
        self.errno_of(errno.ENOENT, lambda: mount.read(JSON))
        until("the open file to be cut off", lambda: self.pread_errno(held) == errno.EACCES)
        until("the file to go", lambda: not os.path.exists(mount.file(JSON)))

    def pread_errno(self, descriptor):
        try:
            os.pread(descriptor, 10, 0)
        except OSError as error:
            return error.errno
        return 0

    def test_what_was_published_as_one_is_never_mixed(self):
        """Readers of three kinds while both parts change together again and again."""
        turns = 40
        values = lambda n: json.dumps({"left": "%d-%s" % (n, "l" * (n % 7)), "right": "%d" % n}).encode()
        change = lambda n: self.owner.run("secret", "import", "shop/prod", "--format", "json", "--replace", stdin=values(n))
        change(0)
        self.template("shop/prod/pair", "{{ left }}\n{{ right }}\n")
        mount = self.mounted("shop/prod/pair")
        stop, wrong, counts = threading.Event(), [], [0] * 3
        path = mount.file("shop/prod/pair")

        def reader(index):
            newest = 0
            while not stop.is_set():
                try:
                    with open(path, "rb") as made:
                        size = os.fstat(made.fileno()).st_size
                        text = made.read()
                    left, right = text.decode().split("\n")[:2]
                    turn = int(right)
                    if left != "%d-%s" % (turn, "l" * (turn % 7)) or size != len(text) or turn < newest:
                        wrong.append("%r, of size %d, after turn %d" % (text, size, newest))
                    newest = turn
                except OSError as error:
                    wrong.append(str(error))
                counts[index] += 1

        threads = [threading.Thread(target=reader, args=(index,)) for index in range(len(counts))]
        for thread in threads:
            thread.start()
        try:
            for turn in range(1, turns):
                change(turn)
            until("each reader to have read", lambda: min(counts) > 2)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        self.assertEqual(wrong[:3], [], "%d wrong of %d" % (len(wrong), sum(counts)))
        self.assertTrue(mount.read("shop/prod/pair").startswith(b"%d-" % (turns - 1)))

    def test_a_bad_template_is_refused_when_it_is_set(self):
        name = "shop/prod/conf"
        for text, words in (("a\n{{ db-password", ("line 2", "not closed")), ("{{ }}", ("line 1", "no secret's name")),
                            ("{{ db-password | rot13 }}", ("no such filter", "base64")), ("nothing", ("names no secret",)),
                            ("{{ nowhere }}", ()), ("{{ conf }}", ("names itself",))):
            status = NOT_FOUND if text == "{{ nowhere }}" else USAGE
            self.refused(self.template(name, text, expect=None), status, *words)
        self.refused(self.template(PASSWORD, "{{ api-key }}", expect=None), USAGE, "stays one")
        self.bundle(JSON, "json")
        self.refused(self.owner.set(JSON, b"x", expect=None), USAGE, "is a template")
        self.refused(self.template(name, "{{ app.json }}", expect=None), USAGE, "is a template too")
        self.refused(self.owner.run("secret", "bundle", ENV, "--as", "dotenv", "A=api-key", "A=db-password", expect=None), USAGE, "twice")
        self.assertNotIn("conf", self.owner.run("secret", "list", "shop/prod").text)

    def test_what_cannot_be_quoted_is_an_error_that_says_which(self):
        self.owner.set(PASSWORD, b"\xff\xfe binary")
        self.bundle(JSON, "json")
        self.template("shop/prod/safe", '{"password": "{{ db-password | base64 }}"}')
        mount = self.mounted(JSON, "shop/prod/safe")
        self.errno_of(errno.EIO, lambda: mount.read(JSON))
        until("the reason", lambda: "no UTF-8" in mount.log())
        self.assertIn("app.json, db-password", mount.log())
        self.refused(self.web1.run("read", JSON, expect=None), FAILED, "app.json, db-password", "no UTF-8")
        self.assertNotIn("binary", mount.log())
        self.assertEqual(json.loads(mount.read("shop/prod/safe")), {"password": "//4gYmluYXJ5"})


if __name__ == "__main__":
    main()
