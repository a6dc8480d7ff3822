"""Commands that run until they are told to end."""

import os
import signal
import subprocess

from harness import BINARY, SLOWNESS


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
