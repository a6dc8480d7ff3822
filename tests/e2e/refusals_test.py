"""Bad input and bad luck: each gets one clear sentence, the right exit code, and loses nothing."""

import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time

from harness import *

SECRET = "shop/prod/db-password"


class RefusalsTest(Case):
    def setUp(self):
        super().setUp()
        self.owner = self.world.init().owner

    def test_names_and_sizes(self):
        for name in ("shop/prod/../x", "shop/prod/..", "shop/prod/.", "shop/prod/a//b", "shop/prod/.grantfs", "shop/prod", "shop/prod/*"):
            self.refused(self.owner.set(name, b"x", expect=None), USAGE)
        self.refused(self.owner.set(SECRET, b"x" * (1024 * 1024 + 1), expect=None), USAGE, "1 MiB")
        self.owner.set(SECRET, b"x" * 1024 * 1024)
        self.assertEqual(len(self.owner.run("secret", "get", SECRET).out), 1024 * 1024)
        self.refused(self.owner.run("secret", "get", "shop/prod/none", expect=None), NOT_FOUND)
        self.refused(self.owner.set("other/env/x", b"x", expect=None), NOT_FOUND, "env list")
        self.refused(self.owner.run("env", "create", "shop/prod", expect=None), CONFLICT)

    def test_invitations(self):
        line = self.owner.run("invite", "web-1").out.strip()
        mistyped = line[:-30] + (b"A" if line[-30:-29] != b"A" else b"B") + line[-29:]
        home = Home(self.world, "web-1")
        self.refused(home.run("enroll", stdin=line[:50], expect=None), USAGE, "mistyped")
        self.refused(home.run("init", stdin=line, expect=None), USAGE, "grantfs enroll takes it")
        bad = home.run("enroll", stdin=mistyped, expect=None)
        self.assertNotEqual(bad.status, DONE, str(bad))
        self.assertFalse(os.path.exists(os.path.join(home.path, "identity.json")))
        home.run("enroll", stdin=line)
        other = Home(self.world, "other")
        self.refused(other.run("enroll", stdin=line, expect=None), CONFLICT, "new one")
        self.owner.run("approve", "web-1")
        self.refused(self.owner.run("approve", "web-1", expect=None), CONFLICT, "let in before")
        self.refused(self.owner.run("invite", "web-1", expect=None), CONFLICT, "remove it first")
        self.refused(self.owner.run("revoke", "web-11", "--all", expect=None), NOT_FOUND, "nothing is granted")
        self.refused(other.run("enroll", stdin=line, expect=None), CONFLICT, "invitation")
        home.run("enroll", stdin=line)  # goes on with the one that waited
        self.refused(home.run("enroll", stdin=line, expect=None), CONFLICT, "identity")
        self.refused(self.owner.run("approve", "nobody", expect=None), NOT_FOUND)
        self.refused(self.owner.run("init", stdin=b"x", expect=None), CONFLICT, "identity")

    def test_an_invitation_that_is_taken_back(self):
        lines = [self.owner.run("invite", name).out for name in ("web-1", "web-1", "web-2")]
        asking, late = Home(self.world, "web-1"), Home(self.world, "late")
        asking.run("enroll", stdin=lines[0])
        listed = self.owner.json("invitation", "list")["invitations"]
        self.assertEqual([(one["name"], one["waiting"]) for one in listed][-1], ("web-2", 0))
        self.assertEqual(sorted(one["waiting"] for one in listed), [0, 0, 1])
        self.assertIn("1 request", self.owner.run("invitation", "list").text)
        self.refused(self.owner.run("identity", "remove", "web-1", expect=None), NOT_FOUND, "grantfs invitation withdraw")
        done = self.owner.run("invitation", "withdraw", "web-1", "--reason", "a typing error")
        self.assertIn("web-1: 2 invitations withdrawn, with 1 request to enrol", done.text)
        self.refused(self.owner.run("approve", "web-1", expect=None), NOT_FOUND)
        self.refused(late.run("enroll", stdin=lines[1], expect=None), DENIED, "ask for a new one")
        self.refused(self.owner.run("invitation", "withdraw", "web-1", expect=None), NOT_FOUND, "invitation list")
        by_id = self.owner.json("invitation", "list")["invitations"]
        self.assertEqual([one["name"] for one in by_id], ["web-2"])
        self.assertEqual(self.owner.json("invitation", "withdraw", by_id[0]["id"])["withdrawn"], 1)
        self.assertIn("no invitation is open", self.owner.run("invitation", "list").err)
        late.run("enroll", stdin=self.owner.run("invite", "web-1").out)  # the name can be invited anew
        self.owner.run("approve", "web-1")

    def test_an_expired_invitation(self):
        invitation = json.loads(self.owner.run("invite", "web-1", "--ttl", "1s", "--json").out)
        until("the invitation expires", lambda: time.time() > invitation["expires"] + 1)
        home = Home(self.world, "web-1")
        self.refused(home.run("enroll", stdin=invitation["line"].encode(), expect=None), DENIED, "expired", "new one")
        home.run("enroll", stdin=self.owner.run("invite", "web-1").out)  # nothing is lost: a new one serves

    def test_an_unknown_identity(self):
        home = self.world.machine("web-1")
        self.owner.run("identity", "remove", "web-1")
        refused = home.run("read", SECRET, expect=None)
        self.refused(refused, DENIED, "does not accept", "owner")

    def test_a_wrong_pin(self):
        self.owner.set(SECRET, b"x")
        self.world.kill_server(signal.SIGTERM)
        impostor = World()
        self.addCleanup(impostor.close)
        impostor.port, impostor.names = self.world.port, self.world.names
        impostor.serve()
        self.refused(self.owner.run("secret", "get", SECRET, expect=None), INTEGRITY, "pin")

    def test_the_vault_is_down(self):
        self.world.kill_server(signal.SIGTERM)
        self.refused(self.owner.run("secret", "list", "shop/prod", expect=None), UNREACHABLE, "127.0.0.1")

    def test_a_second_serve_on_one_database(self):
        port = free_port()
        run = subprocess.run([BINARY, "serve", "--data", self.world.data, "--listen", "127.0.0.1:%d" % port,
                              "--name", "127.0.0.1:%d" % port], capture_output=True, text=True, timeout=30 * SLOWNESS)
        self.assertEqual(run.returncode, CONFLICT, run.stderr)
        self.assertIn(self.world.data, run.stderr)
        self.owner.run("env", "list")

    def test_a_newer_or_damaged_database_is_refused_and_left_alone(self):
        self.world.kill_server(signal.SIGTERM)
        path = os.path.join(self.world.data, "vault.db")

        def serve():
            return subprocess.run([BINARY, "serve", "--data", self.world.data, "--listen", "127.0.0.1:%d" % self.world.port,
                                   "--name", self.world.names[0]], capture_output=True, text=True, timeout=30 * SLOWNESS)
        database = sqlite3.connect(path)
        version = database.execute("PRAGMA user_version").fetchone()[0]
        database.execute("PRAGMA user_version = 99")
        database.close()
        run = serve()
        self.assertEqual(run.returncode, FAILED, run.stderr)
        self.assertIn("99", run.stderr)
        database = sqlite3.connect(path)
        database.execute("PRAGMA user_version = %d" % version)
        database.close()
        shutil.copy(path, path + ".good")
        with open(path, "r+b") as file:
            file.seek(0)
            file.write(b"not a database at all")
        run = serve()
        self.assertEqual(run.returncode, INTEGRITY, run.stderr)
        os.replace(path + ".good", path)
        self.world.serve()
        self.owner.run("env", "list")

    def test_a_lost_acknowledgement_makes_no_second_version(self):
        """A proxy passes the request on and then cuts the line, so that the answer is lost."""
        self.owner.set(SECRET, b"0")
        proxy = Proxy(self.world.port)
        self.addCleanup(proxy.close)
        self.world.kill_server(signal.SIGTERM)
        # The owner's home knows one address, so vault and proxy change places.
        proxy.listen_on(self.world.port)
        self.world.port = free_port()
        proxy.target = self.world.port
        self.world.serve()
        cuts = 0
        for turn in range(1, 21):  # the line is cut at another point each time: at some of them the append has just been sent
            proxy.cut_once(turn * 700)
            self.owner.set(SECRET, b"%d" % turn)
            cuts += proxy.cuts
        proxy.cut_once(None)
        self.assertGreater(cuts, 5, "the proxy hardly ever cut a line")
        versions = self.owner.json("secret", "history", SECRET)["versions"]
        self.assertEqual(len(versions), 21, versions)
        self.assertEqual(self.owner.run("secret", "get", SECRET).out, b"20")

    def test_usage(self):
        for args in (["nonsense"], ["secret"], ["secret", "set"], ["grant", "web-1"], ["secret", "list", "shop/prod", "--bogus"]):
            run = subprocess.run([BINARY, *args], capture_output=True, text=True, stdin=subprocess.DEVNULL)
            self.assertEqual(run.returncode, USAGE, "%s: %s" % (args, run.stderr))
        run = subprocess.run([BINARY, "--help"], capture_output=True, text=True)
        self.assertEqual(run.returncode, DONE)


class Proxy:
    """Passes bytes between clients and the vault. Once, after `cut_after` bytes of one connection went up, it lets the vault answer
    and cuts the line before the client hears of it."""

    def __init__(self, target):
        self.target, self.cut_after, self.cuts = target, None, 0
        self.listener, self.closed = None, False

    def cut_once(self, after):
        self.cut_after, self.cuts = after, 0

    def listen_on(self, port):
        self.listener = socket.create_server(("127.0.0.1", port), reuse_port=False)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while not self.closed:
            try:
                client = self.listener.accept()[0]
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                continue
            state = {"up": 0, "cut": False}
            threading.Thread(target=self.up, args=(client, server, state), daemon=True).start()
            threading.Thread(target=self.down, args=(client, server, state), daemon=True).start()

    def up(self, client, server, state):
        try:
            while data := client.recv(65536):
                state["up"] += len(data)
                if self.cut_after and state["up"] > self.cut_after and self.cuts < 1:
                    state["cut"] = True
                server.sendall(data)
        except OSError:
            pass
        self.shut(client, server)

    def down(self, client, server, state):
        try:
            while data := server.recv(65536):
                if state["cut"]:
                    self.cuts += 1
                    break
                client.sendall(data)
        except OSError:
            pass
        self.shut(client, server)

    def shut(self, *sockets):
        for one in sockets:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.closed = True
        if self.listener:
            self.shut(self.listener)
            self.listener.close()


if __name__ == "__main__":
    main()
