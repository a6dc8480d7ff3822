"""The audit log as an auditor works with it: filters, readers, follow, proofs."""

import datetime
import os
import signal
import sqlite3
import subprocess

from background import Background
from harness import *

SECRET = "shop/prod/db-password"
OTHER = "shop/prod/tls/server.key"


class FilterTest(Case):
    def setUp(self):
        super().setUp()
        self.grant_to_web1(SECRET, b"hunter2")
        self.owner.set(OTHER, b"key")
        self.web1.run("read", SECRET)
        self.web1.run("read", OTHER, expect=None)
        self.owner.run("freeze", "env", "shop/prod")
        self.owner.run("secret", "get", SECRET, expect=DENIED)

    def found(self, *filters):
        return self.owner.json("audit", "list", "--limit", "0", *filters)["records"]

    def test_each_filter_chooses_what_it_says(self):
        everything = self.found()
        self.assertEqual([r["sequence"] for r in everything], list(range(len(everything)))[::-1])

        def expect(records, wanted, what):
            self.assertEqual([r["sequence"] for r in records], [r["sequence"] for r in everything if wanted(r)], what)
            self.assertTrue(records, what)

        expect(self.found("--object", SECRET), lambda r: r["object"] == SECRET, "object")
        expect(self.found("--object", "shop/prod/*"), lambda r: r["object"].startswith("shop/prod/"), "below")
        expect(self.found("--object", "shop/prod/tls/*"), lambda r: r["object"] == OTHER, "below a directory")
        expect(self.found("--object", "shop/*"), lambda r: r["object"].startswith("shop/"), "below a project")
        expect(self.found("--actor", "web-1"), lambda r: r["actor"] == "web-1", "actor")
        expect(self.found("--action", "secret.read"), lambda r: r["type"] == "secret.read", "action")
        expect(self.found("--action", "grant.add"), lambda r: r["type"] == "grant.add", "rare action")
        expect(self.found("--outcome", "refused"), lambda r: r["outcome"] == "refused", "outcome")
        expect(self.found("--outcome", "done"), lambda r: r["outcome"] == "done", "done")
        expect(self.found("--severity", "warning"), lambda r: r["severity"] in ("warning", "critical"), "severity")
        expect(self.found("--severity", "critical"), lambda r: r["severity"] == "critical", "critical")
        expect(self.found("--action", "secret.read", "--outcome", "refused", "--object", SECRET,
                          "--severity", "warning", "--since", "1h"),
               lambda r: r["type"] == "secret.read" and r["outcome"] == "refused", "all at once")

    def test_time_chooses_by_the_records_own_time(self):
        everything = self.found()
        self.assertEqual(len(self.found("--since", "1h")), len(everything))
        self.assertEqual(self.found("--until", "1h"), [])
        self.assertEqual(len(self.found("--since", "2026-01-01T00:00:00Z", "--until", "2999-01-01T00:00:00+01:00")), len(everything))
        middle = everything[len(everything) // 2]["time"]
        text = datetime.datetime.fromtimestamp(middle, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        expected = [r["sequence"] for r in everything if r["time"] >= middle]
        self.assertEqual([r["sequence"] for r in self.found("--since", text)], expected)
        self.assertEqual(len(self.found("--until", text)), len(everything) - len(expected))

    def test_what_is_no_filter_is_a_usage_error(self):
        for option, value in (("--since", "yesterday"), ("--since", "2026-02-30T00:00:00Z"), ("--until", "2h ago"),
                              ("--severity", "fatal"), ("--outcome", "maybe"), ("--action", "Secret Read"),
                              ("--environment", "shop"), ("--object", "/*"), ("--since", "0s"), ("--actor", "x" * 300)):
            self.refused(self.owner.run("audit", "list", option, value, expect=None), USAGE, option if option != "--environment" else "shop")
        self.refused(self.owner.run("audit", "list", "--since", "1h", "--until", "2h", expect=None), USAGE, "--until")


class ReadersTest(Case):
    def setUp(self):
        super().setUp()
        self.grant_to_web1(SECRET, b"one")
        self.web2, self.web3 = self.world.machine("web-2"), self.world.machine("web-3")
        for machine in ("web-2", "web-3"):
            self.owner.run("grant", machine, SECRET, *(["--lease", "10m"] if machine == "web-2" else []))

    def readers(self):
        report = self.owner.json("audit", "readers", SECRET)
        return report["version"], {(r["who"], os.path.basename(r["executable"])): r for r in report["readers"]}

    def test_who_has_picked_up_a_rotation_and_who_has_not(self):
        mount1, mount2 = Mount(self.web1, "mnt1").start(), Mount(self.web2, "mnt2").start()
        for mount in (mount1, mount2):
            until("the first read", lambda: mount.reads(SECRET, b"one"))
        for mount, count in ((mount1, 3), (mount2, 5)):
            for _ in range(count):
                subprocess.run(["cat", mount.file(SECRET)], check=True, capture_output=True)
        until("what was read under the lease to be told", lambda: self.readers()[1].get(("web-2", "cat"), {}).get("reads") == 5)
        version, readers = self.readers()
        self.assertEqual(version, 1)
        self.assertEqual(readers[("web-1", "cat")]["reads"], 3)
        self.assertTrue(readers[("web-1", "cat")]["current"])
        self.assertEqual(readers[("web-1", "cat")]["uid"], os.geteuid())
        self.assertEqual((readers[("web-3", "")]["version"], readers[("web-3", "")]["record"]), (0, None))

        self.owner.set(SECRET, b"two")
        until("the rotation in web-1", lambda: mount1.reads(SECRET, b"two"))
        subprocess.run(["cat", mount1.file(SECRET)], check=True, capture_output=True)
        version, readers = self.readers()
        self.assertEqual(version, 2)
        self.assertTrue(readers[("web-1", "cat")]["current"])
        self.assertEqual(readers[("web-1", "cat")]["reads"], 4)
        self.assertFalse(readers[("web-2", "cat")]["current"])
        self.assertEqual(readers[("web-2", "cat")]["version"], 1)
        shown = self.owner.run("audit", "readers", SECRET)
        self.assertRegex(shown.text, r"web-2 +- +\S*/cat +\d+ +1 +not yet")
        self.assertRegex(shown.text, r"web-3 .*never")
        self.assertRegex(shown.err, r"\d+ have not read version 2 yet")

        self.owner.run("revoke", "web-2", SECRET)
        self.assertFalse(self.readers()[1][("web-2", "cat")]["granted"])
        record = self.readers()[1][("web-1", "cat")]["record"]
        listed = [r for r in self.owner.json("audit", "list", "--object", SECRET)["records"] if r["sequence"] == record]
        self.assertEqual((listed[0]["type"], listed[0]["version"]), ("secret.read", 2))

    def test_counted_reads_count_and_refusals(self):
        self.owner.run("grant", "web-3", SECRET, "--lease", "10m", "--record", "aggregate")
        mount = Mount(self.web3, "mnt3").start()
        until("the first read", lambda: mount.reads(SECRET, b"one"))
        for _ in range(40):
            subprocess.run(["cat", mount.file(SECRET)], check=True, capture_output=True)
        mount.stop()
        again = Mount(self.web3, "mnt3").start()
        until("the counted reads to be told", lambda: self.readers()[1].get(("web-3", "cat"), {}).get("reads") == 40)
        again.stop()
        self.refused(self.owner.run("audit", "readers", "shop/prod/none", expect=None), NOT_FOUND)
        self.refused(self.owner.run("audit", "readers", "shop/none/x", expect=None), NOT_FOUND)
        self.refused(self.owner.run("audit", "readers", "shop", expect=None), USAGE)


class FollowTest(Case):
    def setUp(self):
        super().setUp()
        self.grant_to_web1(SECRET, b"hunter2")

    def test_each_record_comes_once_also_across_restarts_of_the_vault(self):
        following = Background(self.owner, "audit", "follow", "--from", "0", "--json")
        numbers = lambda: [json.loads(line)["sequence"] for line in following.lines()]
        for _ in range(3):
            for _ in range(4):
                self.web1.run("read", SECRET)
            self.world.kill_server()
            self.world.serve()
        self.web1.run("read", SECRET)
        newest = self.owner.json("audit", "list", "--limit", "1")["records"][0]["sequence"]
        until("the newest record", lambda: newest in numbers())
        self.assertEqual(following.end(), DONE, following.errors())
        self.assertEqual(numbers(), list(range(newest + 1)))

    def test_only_what_was_asked_for_and_from_now_on(self):
        self.web1.run("read", SECRET)
        before = self.owner.json("audit", "list", "--limit", "1")["records"][0]["sequence"]
        following = Background(self.owner, "audit", "follow", "--action", "secret.read", "--object", "shop/prod/*")
        self.owner.set(OTHER, b"key")  # is not shown

        def read_and_look():
            self.web1.run("read", SECRET)
            return len(following.lines()) >= 2

        until("two reads", read_and_look)
        self.assertEqual(following.end(signal.SIGTERM), DONE, following.errors())
        for line in following.lines():
            cells = line.split("  ")
            self.assertGreater(int(cells[0]), before)
            self.assertEqual(cells[2:4], ["web-1", "secret.read"])

    def test_a_reader_that_goes_ends_it(self):
        process = subprocess.Popen([BINARY, "audit", "follow", "--from", "0", "--home", self.owner.path], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=self.world.environ)
        self.world.more.append(process)
        process.stdout.readline()
        process.stdout.close()

        def ended():
            self.web1.run("read", SECRET)
            return process.poll() is not None

        until("the end", ended)
        self.refused(self.owner.run("audit", "follow", "--from", "-1", expect=None), USAGE, "--from")


class ProveTest(Case):
    def setUp(self):
        super().setUp()
        self.grant_to_web1(SECRET, b"hunter2")

    def test_a_log_that_grows_is_proved_across_many_tiles(self):
        first = self.owner.json("audit", "prove")
        self.assertEqual(first["before"], 0)
        mount = Mount(self.web1).start()
        until("the first read", lambda: mount.reads(SECRET, b"hunter2"))
        for _ in range(600):  # beyond two whole tiles
            mount.read(SECRET)
        proof = self.owner.json("audit", "prove", "300")
        self.assertGreater(proof["size"], 600)
        self.assertEqual((proof["before"], proof["record"]["sequence"]), (first["size"], 300))
        listed = [r for r in self.owner.json("audit", "list", "--limit", "0")["records"] if r["sequence"] == 300]
        self.assertEqual(proof["record"], listed[0])
        again = self.owner.run("audit", "prove", "5")
        self.assertIn("it is in the log of", again.text)
        self.assertIn("it continues the log of %d records" % proof["size"], again.text)
        self.refused(self.owner.run("audit", "prove", "100000", expect=None), NOT_FOUND)
        self.refused(self.owner.run("audit", "prove", "-1", expect=None), USAGE)

    def tamper(self, *changes):
        self.world.kill_server(signal.SIGTERM)
        database = sqlite3.connect(os.path.join(self.world.data, "vault.db"))
        for change in changes:
            database.execute(change)
        database.commit()
        database.close()
        self.world.serve()

    def test_a_log_that_was_put_back_is_found_and_the_home_goes_on_remembering(self):
        self.world.kill_server(signal.SIGTERM)
        copy = os.path.join(self.world.dir, "old.db")
        shutil.copy(os.path.join(self.world.data, "vault.db"), copy)
        self.world.serve()
        for _ in range(3):
            self.web1.run("read", SECRET)
        size = self.owner.json("audit", "prove")["size"]
        self.world.kill_server(signal.SIGTERM)
        shutil.copy(copy, os.path.join(self.world.data, "vault.db"))
        self.world.serve()
        self.refused(self.owner.run("audit", "prove", expect=None), INTEGRITY, "shrunk", "%d before" % size)
        # Another log of the same size and more is found too, though it is signed with the log's own key.
        for _ in range(8):
            self.web1.run("read", SECRET, expect=None)
        for _ in range(8):
            self.owner.run("secret", "get", SECRET, expect=None)
        self.refused(self.owner.run("audit", "prove", expect=None), INTEGRITY, "seen with %d before" % size)

    def test_a_record_that_was_altered_is_not_proved(self):
        self.owner.run("audit", "prove", "5")
        self.tamper("UPDATE audit_bodies SET body = replace(body, 'done', 'DONE') WHERE sequence = 5")
        self.refused(self.owner.run("audit", "prove", "5", expect=None), INTEGRITY, "record 5", "altered")
        self.tamper("UPDATE audit_leaves SET leaf = (SELECT leaf FROM audit_leaves WHERE sequence = 4) WHERE sequence = 5")
        self.refused(self.owner.run("audit", "prove", "5", expect=None), INTEGRITY, "record 5")
        self.owner.run("audit", "prove", "4")


if __name__ == "__main__":
    main()
