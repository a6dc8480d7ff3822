"""The audit log as an auditor works with it: filters, readers, follow, export, proofs, retention."""

import datetime
import os
import sqlite3

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


if __name__ == "__main__":
    main()
