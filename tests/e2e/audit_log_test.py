"""The audit log as an auditor works with it: filters, readers, follow, export, proofs, retention."""

import datetime
import os
import signal
import socket
import sqlite3
import ssl
import subprocess

from harness import *
from syslog_server import SyslogServer, parse

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


class Background:
    """A grantfs command that runs until it is told to end, its output in a file."""

    def __init__(self, home, *args):
        self.out_path = os.path.join(home.world.dir, "out-%d" % len(home.world.more))
        self.out, self.err = open(self.out_path, "wb"), open(self.out_path + ".err", "wb")
        self.process = subprocess.Popen([BINARY, *args, "--home", home.path], stdin=subprocess.DEVNULL, stdout=self.out,
                                        stderr=self.err, env=home.world.environ)
        home.world.more.append(self.process)

    def lines(self):
        with open(self.out_path) as out:
            return [line for line in out.read().split("\n")[:-1]]

    def errors(self):
        with open(self.out_path + ".err") as err:
            return err.read()

    def end(self, how=signal.SIGINT):
        self.process.send_signal(how)
        return self.process.wait(20 * SLOWNESS)


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


class ExportTest(Case):
    def setUp(self):
        super().setUp()
        self.grant_to_web1(SECRET, b"hunter2")
        self.state = os.path.join(self.world.dir, "export.state")
        self.file = os.path.join(self.world.dir, "audit.jsonl")

    def newest(self):
        return self.owner.json("audit", "list", "--limit", "1")["records"][0]["sequence"]

    def written(self, path=None):
        with open(path or self.file) as file:
            text = file.read()
        self.assertTrue(text == "" or text.endswith("\n"))
        return [json.loads(line)["sequence"] for line in text.split("\n")[:-1]]

    def export(self, *more, **options):
        return self.owner.run("audit", "export", "--state", self.state, *more, **options)

    def test_a_file_is_gone_on_with_without_gaps_or_doubles(self):
        self.export("--to", self.file)
        first = self.newest()
        self.assertEqual(self.written(), list(range(first + 1)))
        self.export("--to", self.file)
        self.assertEqual(self.written(), list(range(first + 1)))
        self.web1.run("read", SECRET)
        with open(self.file, "a") as file:
            file.write('{"sequence":')  # a crash in the middle of a write
        self.export("--to", self.file)
        self.assertEqual(self.written(), list(range(self.newest() + 1)))
        # A log that was rotated away: a new file goes on where the old one ends.
        os.rename(self.file, self.file + ".1")
        last = self.newest()
        self.web1.run("read", SECRET)
        self.export("--to", self.file)
        self.assertEqual(self.written(), list(range(last + 1, self.newest() + 1)))

    def test_what_does_not_belong_together_is_refused(self):
        self.export("--to", self.file)
        for words, more in ((("elsewhere", "state"), ["--to", self.file + "2"]), (("state",), ["--to", self.file, "--format", "cef"]),
                            (("state",), ["--to", self.file, "--severity", "warning"])):
            self.refused(self.export(*more, expect=None), CONFLICT, *words)
        self.refused(self.owner.run("audit", "export", "--to", self.file, expect=None), CONFLICT, "holds something already", "--state")
        with open(self.file, "r+") as file:
            file.truncate(10)
        self.refused(self.export("--to", self.file, expect=None), CONFLICT, "shorter")
        with open(self.state, "w") as state:
            state.write("{}")
        self.refused(self.export("--to", self.file, expect=None), USAGE, "is not the state")
        for option, to in (("--to", "udp://127.0.0.1:514"), ("--to", "tcp://127.0.0.1"), ("--to", "unix:relative"), ("--to", "tcp://:1")):
            self.refused(self.owner.run("audit", "export", option, to, expect=None), USAGE)
        self.refused(self.owner.run("audit", "export", expect=None), USAGE, "--to")
        self.refused(self.owner.run("audit", "export", "--to", self.file, "--ca", "x", expect=None), USAGE, "--ca")
        self.refused(self.owner.run("audit", "export", "--to", "/dev/null", expect=None), USAGE, "no ordinary file")

    def kill_in_a_loop(self, *more, rounds=12):
        """kill -9 of exports that follow, while records come; the last one runs until all is there."""
        for round in range(rounds):
            following = Background(self.owner, "audit", "export", "--state", self.state, "--follow", *more)
            self.web1.run("read", SECRET)
            if round % 3 == 0:
                until("the state", lambda: os.path.exists(self.state))
            following.end(signal.SIGKILL)
        self.export(*more)

    def test_kill_9_leaves_a_file_without_gaps_or_doubles(self):
        self.kill_in_a_loop("--to", self.file)
        self.assertEqual(self.written(), list(range(self.newest() + 1)))

    def test_kill_9_leaves_no_gap_at_a_server(self):
        server = SyslogServer()
        self.addCleanup(server.close)
        self.kill_in_a_loop("--format", "syslog", "--to", "tcp://127.0.0.1:%d" % server.port)
        until("all to arrive", lambda: len({parse(m)["record"] for m in server.all()}) == self.newest() + 1)
        self.assertEqual({int(parse(m)["record"]) for m in server.all()}, set(range(self.newest() + 1)))

    def test_a_server_that_goes_and_comes_back_misses_nothing(self):
        server = SyslogServer()
        port = server.port
        following = Background(self.owner, "audit", "export", "--state", self.state, "--follow", "--format", "syslog", "--to",
                               "tcp://127.0.0.1:%d" % port)
        until("the first records", lambda: len(server.all()) > self.newest())
        server.close()
        seen = server.all()
        self.web1.run("read", SECRET)  # the connection that broke shows when something is sent
        until("the word that it waits", lambda: "going on when it can" in following.errors())
        again = SyslogServer(address=("127.0.0.1", port))
        self.addCleanup(again.close)
        until("all records", lambda: {int(parse(m)["record"]) for m in seen + again.all()} == set(range(self.newest() + 1)))
        self.assertEqual(following.end(), DONE, following.errors())

    def test_tls_is_verified_and_framed(self):
        certificates = os.path.join(self.world.dir, "tls")
        os.mkdir(certificates)

        def make(name, alternative):
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                            "-subj", "/CN=" + name, "-addext", "subjectAltName=" + alternative, "-keyout", os.path.join(certificates, name + ".key"),
                            "-out", os.path.join(certificates, name + ".pem")], check=True, capture_output=True)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(os.path.join(certificates, name + ".pem"), os.path.join(certificates, name + ".key"))
            server = SyslogServer(context=context)
            self.addCleanup(server.close)
            return server

        good, other = make("good", "IP:127.0.0.1"), make("other", "DNS:elsewhere.lan")
        trusted = os.path.join(certificates, "good.pem")
        self.export("--format", "syslog", "--to", "tls://127.0.0.1:%d" % good.port, "--ca", trusted)
        until("all records", lambda: [int(parse(m)["record"]) for m in good.all()] == list(range(self.newest() + 1)))
        read = [parse(m) for m in good.all() if b"version.publish" in m][0]
        self.assertEqual((read["object"], read["outcome"], read["priority"], read["host"]), (SECRET, "done", 13 * 8 + 6, "127.0.0.1"))
        for server, ca in ((good, []), (other, ["--ca", trusted]), (other, ["--ca", os.path.join(certificates, "other.pem")])):
            run = self.owner.run("audit", "export", "--format", "syslog", "--to", "tls://127.0.0.1:%d" % server.port, *ca, expect=None)
            self.refused(run, INTEGRITY, "certificate")
        self.assertEqual(other.all(), [])

    def test_sockets_of_this_machine_and_cef(self):
        for kind, name in ((socket.SOCK_DGRAM, "dgram"), (socket.SOCK_STREAM, "stream")):
            path = os.path.join(self.world.dir, name)
            server = SyslogServer(socket.AF_UNIX, path, kind)
            self.addCleanup(server.close)
            self.owner.run("audit", "export", "--format", "syslog", "--to", "unix:" + path)
            until("all records by " + name, lambda: [int(parse(m)["record"]) for m in server.all()] == list(range(self.newest() + 1)))
        self.owner.run("audit", "export", "--format", "cef", "--to", "unix:" + path)
        until("CEF", lambda: b"|version.publish|" in b"".join(server.all()))
        self.refused(self.owner.run("audit", "export", "--to", "unix:" + path + "-none", expect=None), UNREACHABLE, "nobody takes")

    def test_hostile_names_stay_within_their_fields(self):
        name = 'shop/prod/a"] x <13>1 - b\\c|d=e'
        self.owner.set(name, b"x")
        server = SyslogServer()
        self.addCleanup(server.close)
        self.owner.run("audit", "export", "--format", "syslog", "--to", "tcp://127.0.0.1:%d" % server.port)
        until("all", lambda: len(server.all()) == self.newest() + 1)
        named = [parse(m)["object"] for m in server.all() if b"secret.create" in m]
        self.assertEqual(named[-1], name)
        path = os.path.join(self.world.dir, "audit.cef")
        self.owner.run("audit", "export", "--format", "cef", "--to", path)
        with open(path) as file:
            lines = file.read().split("\n")[:-1]
        self.assertEqual(len(lines), self.newest() + 1)
        line = [l for l in lines if "|secret.create|" in l][-1]
        self.assertIn(" fname=" + name.replace("\\", "\\\\").replace("=", "\\=") + " outcome=", line)
        self.owner.run("audit", "export", "--to", self.file)
        self.assertEqual(self.written(), list(range(self.newest() + 1)))


if __name__ == "__main__":
    main()
