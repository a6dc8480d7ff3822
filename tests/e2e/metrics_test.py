"""What a vault tells Prometheus: the format, that it counts, that it names nothing, and that rules and dashboard ask for what there is."""

import http.client
import os
import re
import socket

from harness import *

SECRET = "shop/prod/db-password"
METRICS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "contrib", "metrics")
SAMPLE = re.compile(r'^([a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)*)\})? ([0-9]+)$')


def parse(text):
    """The samples of an exposition by name and labels; every line must be one of the format's."""
    types, samples = {}, {}
    assert text.endswith("\n"), "the last line is not whole"
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            helped = line.split(" ", 3)[2]
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name == helped and name not in types and kind in ("counter", "gauge"), line
            assert (kind == "counter") == name.endswith("_total"), line
            types[name] = kind
        else:
            found = SAMPLE.match(line)
            assert found and found.group(1) == name, line
            key = (name, tuple(sorted(re.findall(r'([a-z]+)="((?:[^"\\]|\\.)*)"', found.group(2) or ""))))
            assert key not in samples, line
            samples[key] = int(found.group(3))
    return samples


class MetricsTest(Case):
    def begin(self):
        self.port = free_port()
        self.world.serve_options = ["--metrics", "127.0.0.1:%d" % self.port]
        self.owner = self.world.init().owner
        self.web1 = self.world.machine("web-1")
        self.owner.set(SECRET, b"hunter2")
        self.owner.run("grant", "web-1", SECRET)

    def ask(self, path="/metrics", method="GET"):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), answer.getheader("content-type")

    def now(self):
        status, text, kind = self.ask()
        self.assertEqual((status, kind), (200, "text/plain; version=0.0.4; charset=utf-8"))
        self.text = text
        return parse(text)

    def test_counts_what_happens_and_names_nothing(self):
        self.begin()
        read = ("grantfs_reads_total", (("outcome", "delivered"),))
        refused = ("grantfs_reads_total", (("outcome", "refused"),))
        route = ("grantfs_requests_total", (("method", "POST"), ("route", "/v1/machine/read"), ("status", "200")))
        frozen = ("grantfs_frozen", (("kind", "environment"),))
        before = self.now()
        self.assertEqual((before[read], before[refused], before[route], before[frozen]), (0, 0, 0, 0))
        self.web1.run("read", SECRET)
        self.owner.run("freeze", "env", "shop/prod")
        self.refused(self.web1.run("read", SECRET, expect=None), DENIED)
        self.refused(self.owner.run("secret", "get", SECRET, expect=None), DENIED)
        after = self.now()
        self.assertEqual((after[read], after[route], after[frozen]), (1, 1, 1))
        self.assertGreaterEqual(after[refused], 1)
        for name in "grantfs_commits_total", "grantfs_committed_jobs_total", "grantfs_audit_records":
            self.assertGreater(after[name, ()], before[name, ()], name)
        self.assertEqual(after["grantfs_audit_records", ()], self.owner.json("status")["audit_records"])
        self.assertGreater(after["grantfs_disk_free_bytes", ()], 0)
        self.assertEqual(after["grantfs_failed_commits_total", ()], 0)
        for name in "shop", "db-password", "web-1", self.owner.json("whoami")["name"], self.owner.json("whoami")["id"], "hunter2":
            self.assertNotIn(name, self.text)

    def test_strangers_and_listeners_are_counted(self):
        self.begin()
        stranger = Home(self.world, "stranger")
        line = self.owner.run("invite", "stranger").out
        self.owner.run("invitation", "withdraw", "stranger")
        mount = Mount(self.web1).start()
        until("the mount to listen", lambda: self.now()["grantfs_watches", ()] == 1)
        failed = self.now()["grantfs_failed_authentications_total", ()]
        with socket.create_connection(("127.0.0.1", self.port)) as idle:  # who says nothing holds nobody up for long
            self.assertGreaterEqual(self.now()["grantfs_failed_authentications_total", ()], failed)
            idle.close()
        self.refused(stranger.run("enroll", stdin=line, expect=None), DENIED)
        mount.stop()
        until("the mount to be gone", lambda: self.now()["grantfs_watches", ()] == 0)
        self.owner.run("identity", "remove", "web-1")
        self.web1.run("read", SECRET, expect=None)
        self.assertGreater(self.now()["grantfs_failed_authentications_total", ()], failed)

    def test_it_answers_one_request_on_loopback_alone(self):
        self.begin()
        self.assertEqual(self.ask("/")[0], 404)
        self.assertEqual(self.ask("/v1/status")[0], 404)
        self.assertEqual(self.ask("/metrics", "POST")[0], 404)
        with socket.create_connection(("127.0.0.1", self.port)) as long:
            long.sendall(b"GET /metrics HTTP/1.1\r\nx: " + b"y" * 20000)
            try:
                self.assertEqual(long.recv(1), b"", "it is closed")
            except ConnectionResetError:
                pass
        self.assertEqual(self.ask()[0], 200)
        for bad, word in ("0.0.0.0:7844", "loopback"), ("vault.lan:7844", "loopback"), ("127.0.0.1:%d" % self.port, "another address or port"):
            other = os.path.join(self.world.dir, "other")
            run = self.owner.run("serve", "--data", other, "--listen", "127.0.0.1:0", "--metrics", bad, expect=None)
            self.assertNotEqual(run.status, DONE)
            self.assertIn(word, run.err)

    def test_rules_and_dashboard_ask_for_what_there_is(self):
        self.begin()
        known = {name for name, _ in self.now()}
        for name in "alerts.yml", "dashboard.json":
            with open(os.path.join(METRICS, name)) as file:
                text = file.read()
            asked = set(re.findall(r"\bgrantfs_[a-z_]+", text))
            self.assertGreater(len(asked), 5)
            self.assertEqual(asked - known, set(), name)
        panels = json.loads(text)["panels"]
        self.assertEqual(known - {name for panel in panels for target in panel["targets"] for name in re.findall(r"\bgrantfs_[a-z_]+", target["expr"])}, set())

    def test_it_is_off_unless_asked_for(self):
        self.world.init()
        with open(self.world.vault_log) as log:
            self.assertNotIn("metrics", log.read())


if __name__ == "__main__":
    main()
