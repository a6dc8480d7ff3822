"""The audit log as an auditor works with it: filters, readers, follow, export, proofs, retention."""

import datetime
import os
import sqlite3
import subprocess

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
        self.assertRegex(shown.text, r"web-2 +\S*/cat +\d+ +1 +not yet")
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


if __name__ == "__main__":
    main()
