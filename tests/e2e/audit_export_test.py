"""The audit log on its way to files and servers: nothing twice that need not be, nothing missing, whatever is killed."""

import os
import signal
import socket
import ssl
import subprocess

from background import Background
from harness import *
from syslog_server import SyslogServer, parse

SECRET = "shop/prod/db-password"


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
