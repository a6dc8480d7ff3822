"""Whatever ends a mount's worker, readers go on. contrib/survive is the long form."""

import os
import signal
import unittest

from survival import *


class SurvivalTest(Case):
    def setUp(self):
        super().setUp()
        self.it = Survival(self.world)

    def finish(self):
        told = self.it.finish()
        log = self.it.mount.log()
        self.assertEqual((told["errors"], told["wrong"]), ({}, 0), log)
        self.assertEqual(told["records"], told["opens"], "one record for each open that succeeded")
        self.assertEqual(told["recorded_opens"], told["opens"])
        self.it.owner.run("audit", "verify")

    def test_readers_do_not_notice_that_workers_are_killed(self):
        for kind in ("open", "held", "mapped"):
            self.it.read(kind, 2)
        self.it.read("open", inside=("unshare", "--mount", "--pid", "--fork", "--kill-child"))
        for _ in range(15):
            self.it.kill()
        self.finish()

    def test_interrupted_readers_end_at_once(self):
        self.it.read("open", 2)
        self.it.read("interrupted", 3, OTHER)
        for _ in range(10):
            self.it.kill()
        self.finish()

    def test_a_rotation_and_deaths_at_once(self):
        for kind in ("open", "held", "mapped"):
            self.it.read(kind)
        for _ in range(10):
            self.it.rotate()
            self.it.kill()
        self.finish()
        until("the last version", lambda: self.it.mount.reads(SECRET, content(self.it.version)))

    def test_an_upgrade_and_a_worker_that_hangs(self):
        for kind in ("open", "held"):
            self.it.read(kind, 2)
        for _ in range(3):
            self.it.upgrade()
        self.it.kill(signal.SIGSTOP)
        self.finish()
        self.assertIn("replaced", self.it.mount.log())
        home = self.it.web1.path
        owners = {name: os.stat(os.path.join(home, name)).st_uid for name in os.listdir(home)}
        theirs = [name for name in owners if name.startswith("mount-") or name in ("journal", "offline")]
        self.assertEqual((len(theirs), {owners.pop(name) for name in theirs} & {0}), (3, set()), "the worker's own")
        self.assertEqual(set(owners.values()), {0}, "nothing else of the home is a worker's")
        self.refused(self.it.web1.run("mount", "--upgrade", self.world.dir, expect=None), NOT_FOUND, "grantfs mount")


if __name__ == "__main__":
    main()
