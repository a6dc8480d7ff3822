"""Alerts: critical records on their way to a webhook, a command and the system's log."""

import hashlib
import hmac
import http.server
import json
import os
import shutil
import socket
import ssl
import subprocess
import threading

from harness import *

KEY = b"0123456789abcdef0123456789abcdef"


class Webhook:
    """A receiver of alerts that checks each signature, and answers with `status`."""

    def __init__(self, certificate=None):
        self.messages, self.bad, self.status = [], [], 204
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                parts = dict(part.split("=", 1) for part in self.headers["Grantfs-Signature"].split(","))
                mac = hmac.new(KEY, parts["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
                if not hmac.compare_digest(mac, parts["v1"]):
                    outer.bad.append(body)
                elif outer.status == 204:
                    outer.messages.append((self.path, json.loads(body)))
                self.send_response(outer.status)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def alerts(self, kind):
        return [one for _, message in self.messages for one in message["alerts"] if one["type"] == kind]


class AlertTest(Case):
    def serve_with(self, *options):
        self.world.serve_options = list(options)
        self.owner = self.world.init().owner

    def key_file(self, content=KEY + b"\n", mode=0o600):
        path = os.path.join(self.world.dir, "key")
        with open(path, "wb") as file:
            file.write(content)
        os.chmod(path, mode)
        return path

    def webhook(self, certificate=None):
        hook = Webhook(certificate)
        self.addCleanup(hook.close)
        return hook

    def test_each_sink_gets_a_canary_s_alert(self):
        hook = self.webhook()
        told = os.path.join(self.world.dir, "told")
        command = os.path.join(self.world.dir, "notify")
        with open(command, "w") as script:
            script.write("#!/bin/sh\ncat >> %s\necho >> %s\n" % (told, told))
        os.chmod(command, 0o755)
        log_path = os.path.join(self.world.dir, "log")
        log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(log.close)
        log.bind(log_path)
        log.settimeout(20 * SLOWNESS)
        self.serve_with("--alert-webhook", "http://127.0.0.1:%d/hook?a=1" % hook.port, "--alert-webhook-key-file", self.key_file(),
                        "--alert-command", command, "--alert-syslog", log_path)
        said = self.owner.run("alert", "test").text
        for sink in "webhook", "command", "syslog":
            self.assertIn(sink + ": all alerts were delivered", said)
        self.assertEqual(hook.messages[0][0], "/hook?a=1")
        web1 = self.world.machine("web-1")
        self.owner.set("shop/prod/bait", b"decoy")
        self.owner.run("grant", "web-1", "shop/prod/bait")
        self.owner.run("secret", "canary", "shop/prod/bait")
        mount = Mount(web1).start()
        until("the decoy", lambda: mount.reads("shop/prod/bait", b"decoy"))
        [alert] = until("the alert", lambda: hook.alerts("tripwire.touched"))
        self.assertEqual(alert["body"]["object"], "shop/prod/bait")
        self.assertEqual(alert["body"]["name"], "web-1")
        self.assertEqual(alert["body"]["caller"]["pid"], os.getpid())
        self.assertTrue(alert["text"].startswith("tripwire.touched of shop/prod/bait by web-1: a canary was read"), alert["text"])
        self.assertNotIn("base", alert["body"])
        until("the freeze's", lambda: hook.alerts("freeze.set"))

        def command_was_told():
            with open(told) as file:
                return "tripwire.touched" in file.read()

        until("the command's", command_was_told)
        lines = b""
        while b"tripwire.touched of shop/prod/bait" not in lines:
            line = log.recv(4096)
            self.assertRegex(line.decode(), r"^<33>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \S+ grantfs - alert - alert: [^\n]*$")
            lines += line + b"\n"
        self.assertEqual(hook.bad, [])

    def test_none_is_lost_with_the_vault_or_while_the_webhook_fails(self):
        hook = self.webhook()
        hook.status = 500
        self.serve_with("--alert-webhook", "http://127.0.0.1:%d/" % hook.port, "--alert-webhook-key-file", self.key_file())
        run = self.owner.run("alert", "test", "--wait", "1s", expect=None)
        self.refused(run, UNREACHABLE, "goes on trying")
        self.assertIn("500", run.text)
        self.assertIn("alerts do not arrive: webhook", self.owner.run("status").err)
        [state] = self.owner.json("status")["alerts"]
        self.assertGreaterEqual(state["failures"], 1)
        self.owner.run("freeze", "env", "shop/prod")
        self.world.kill_server()
        hook.status = 204
        self.world.serve()
        until("all of them", lambda: hook.alerts("alert.test") and hook.alerts("freeze.set"))
        until("that to be known", lambda: self.owner.json("status")["alerts"][0]["waiting"] == 0)
        self.world.kill_server()
        self.world.serve()
        self.owner.run("unfreeze", "env", "shop/prod")
        until("what is new", lambda: hook.alerts("freeze.lifted"))
        ids = [one["id"] for _, message in hook.messages for one in message["alerts"]]
        self.assertEqual(len(ids), len(set(ids)), "each once")
        self.assertNotIn("alerts do not arrive", self.owner.run("status").err)

    def test_a_flood_comes_in_few_messages(self):
        hook = self.webhook()
        self.serve_with("--alert-webhook", "http://127.0.0.1:%d/" % hook.port, "--alert-webhook-key-file", self.key_file())
        hook.status = 503
        for _ in range(15):
            self.owner.run("freeze", "env", "shop/prod")
            self.owner.run("unfreeze", "env", "shop/prod")
        hook.status = 204
        until("all of them", lambda: len(hook.alerts("freeze.lifted")) == 15, seconds=90)
        self.assertLessEqual(len(hook.messages), 4)

    def test_a_log_that_reads_slower_than_it_is_told_gets_each_once(self):
        log_path = os.path.join(self.world.dir, "log")
        self.serve_with("--alert-syslog", log_path)
        for _ in range(20):
            self.owner.run("freeze", "env", "shop/prod")
            self.owner.run("unfreeze", "env", "shop/prod")
        log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(log.close)
        log.settimeout(90 * SLOWNESS)
        log.bind(log_path)
        lines = [log.recv(4096)]
        while sum(b"freeze.lifted" in line for line in lines) < 20:
            lines.append(log.recv(4096))
        self.assertEqual(sum(b"freeze.set" in line for line in lines), 20, "none twice, however short the log's queue is")

    def test_a_certificate_that_does_not_verify(self):
        if not shutil.which("openssl"):
            self.skipTest("openssl is not installed")
        key, certificate = os.path.join(self.world.dir, "tls.key"), os.path.join(self.world.dir, "tls.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
                        "-out", certificate, "-days", "2", "-subj", "/CN=hook", "-addext", "subjectAltName=DNS:localhost"],
                       check=True, capture_output=True)
        hook = self.webhook((certificate, key))
        options = ["--alert-webhook-key-file", self.key_file()]
        self.serve_with("--alert-webhook", "https://localhost:%d/" % hook.port, *options)
        self.assertIn("does not verify", self.owner.run("alert", "test", "--wait", "1s", expect=None).text)
        options += ["--alert-webhook-ca", certificate]
        for host, said in ("127.0.0.1", "does not verify"), ("localhost", "all alerts were delivered"):
            self.world.kill_server(signal.SIGTERM)
            self.world.serve_options = ["--alert-webhook", "https://%s:%d/" % (host, hook.port), *options]
            self.world.serve()
            self.assertIn(said, self.owner.run("alert", "test", "--wait", "2s" if host[0] == "1" else "20s", expect=None).text)
        self.assertTrue(hook.alerts("alert.test"))

    def test_what_is_refused(self):
        self.owner = self.world.init().owner
        self.refused(self.owner.run("alert", "test", expect=None), NOT_FOUND, "no place to send alerts to")
        web1 = self.world.machine("web-1")
        self.assertNotEqual(web1.run("alert", "test", expect=None).status, DONE)
        good, url = self.key_file(), "http://127.0.0.1:1/"
        short, open_to_all = good + "-short", good + "-open"
        for path, content, mode in (short, b"short", 0o600), (open_to_all, KEY, 0o644):
            with open(path, "wb") as file:
                file.write(content)
            os.chmod(path, mode)
        with open(os.path.join(self.world.dir, "empty"), "w"):
            pass
        for options, said in [
            (["--alert-webhook", url], "--alert-webhook-key-file"),
            (["--alert-webhook", "http://example.org/", "--alert-webhook-key-file", good], "in the clear"),
            (["--alert-webhook", "ftp://127.0.0.1/", "--alert-webhook-key-file", good], "https://HOST"),
            (["--alert-webhook", "http://127.0.0.1:1/a b", "--alert-webhook-key-file", good], "escaped"),
            (["--alert-webhook", url, "--alert-webhook-key-file", short], "16 bytes"),
            (["--alert-webhook", url, "--alert-webhook-key-file", open_to_all], "chmod 0600"),
            (["--alert-webhook", url, "--alert-webhook-key-file", good + "-none"], "secret file"),
            (["--alert-webhook-key-file", good], "no webhook"),
            (["--alert-webhook", url, "--alert-webhook-key-file", good, "--alert-webhook-ca", good], "https:// alone"),
            (["--alert-webhook", "https://127.0.0.1:1/", "--alert-webhook-key-file", good, "--alert-webhook-ca",
              os.path.join(self.world.dir, "empty")], "no certificate"),
            (["--alert-command", "notify"], "absolute path"),
            (["--alert-command", "/none/notify"], "cannot be run"),
            (["--alert-syslog", "log"], "socket"),
        ]:
            run = subprocess.run([BINARY, "serve", "--data", os.path.join(self.world.dir, "other"), "--listen", "127.0.0.1:0", *options],
                                 capture_output=True, timeout=30 * SLOWNESS, env=self.world.environ)
            self.assertNotEqual(run.returncode, 0, options)
            self.assertIn(said, run.stderr.decode(), options)


if __name__ == "__main__":
    main()
