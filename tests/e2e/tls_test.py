"""The server's TLS key is replaced under a mount that reads all the time; one who slept through it; the vault's host."""

import threading

from harness import *

SECRET = "shop/prod/db-password"


class TlsTest(Case):
    def setUp(self):
        super().setUp()
        self.grant_to_web1(SECRET, b"hunter2")

    def shown(self):
        return self.owner.json("tls", "show")

    def host_pins(self):
        done = subprocess.run([BINARY, "tls", "pin", "--data", self.world.data, "--json"], capture_output=True,
                              env=self.world.environ)
        self.assertEqual(done.returncode, DONE, done.stderr)
        return json.loads(done.stdout)

    def finding(self, home, name):
        run = home.run("doctor", "--json", expect=None)
        return [one for one in run.json["findings"] if one["check"] == name][0]

    def test_a_mount_reads_through_the_change_without_an_error(self):
        mount = Mount(self.web1).start()
        until("the first read", lambda: mount.reads(SECRET, b"hunter2"))
        before = self.shown()["shown"]
        self.assertEqual(self.host_pins(), {"current": before, "next": None})
        stop, reads, errors = threading.Event(), [0], []

        def loop():
            while not stop.is_set():
                try:
                    if mount.read(SECRET) != b"hunter2":
                        errors.append("another value")
                    reads[0] += 1
                except OSError as error:
                    errors.append(str(error))

        reader = threading.Thread(target=loop)
        reader.start()
        try:
            self.owner.run("tls", "next")
            pins = self.host_pins()
            self.assertEqual(pins["current"], before)
            self.assertEqual([one["pin"] for one in self.shown()["listed"]], [before, pins["next"]])
            self.assertEqual(self.finding(self.owner, "vault.pin")["level"], "note")
            self.owner.run("tls", "switch")
            after = reads[0]
            until("reads after the switch", lambda: reads[0] > after + 20 or errors)
        finally:
            stop.set()
            reader.join()
        self.assertEqual(errors, [])
        self.assertEqual(self.host_pins(), {"current": pins["next"], "next": None})
        self.assertEqual([one["pin"] for one in self.shown()["listed"]], [pins["next"]])
        self.assertEqual(self.finding(self.owner, "vault.pin")["level"], "good")
        self.world.kill_server(signal.SIGTERM)
        self.world.serve()
        until("reads after a restart", lambda: mount.reads(SECRET, b"hunter2"))

    def test_a_machine_that_slept_is_told_what_to_do(self):
        mount = Mount(self.web1).start()
        until("the first read", lambda: mount.reads(SECRET, b"hunter2"))
        mount.stop()
        self.world.kill_server(signal.SIGTERM)  # what it has heard of machines goes with it
        self.world.serve()
        self.owner.run("tls", "next")
        refused = self.owner.run("tls", "switch", expect=CONFLICT)
        self.assertIn(self.web1.name, refused.err)
        self.owner.run("tls", "switch", "--force")
        pin = self.shown()["shown"]
        lost = self.web1.run("read", SECRET, expect=INTEGRITY)
        self.assertIn("grantfs tls trust PIN", lost.err)
        self.assertIn("tls trust", self.finding(self.web1, "vault.pin")["mend"])
        self.web1.run("tls", "trust", "0" * 64, expect=INTEGRITY)
        self.web1.run("tls", "trust", pin)
        self.assertEqual(self.web1.run("read", SECRET).out, b"hunter2")
        mount.start()
        until("the mount to know it too", lambda: mount.reads(SECRET, b"hunter2"))

    def test_a_key_that_the_host_does_not_have_is_not_signed(self):
        self.owner.run("tls", "next", "--fresh")
        pin = self.host_pins()["next"]
        self.owner.run("tls", "next", "--pin", "0" * 64, expect=INTEGRITY)
        self.assertEqual(len(self.shown()["listed"]), 1)
        self.owner.run("tls", "next", "--pin", pin)
        self.assertEqual(self.shown()["listed"][1]["pin"], pin)


if __name__ == "__main__":
    main()
