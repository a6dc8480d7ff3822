"""A service manager's part for a mount: what systemd does with Type=notify, Restart= and FileDescriptorStoreMax=."""

import array
import os
import signal
import socket
import struct
import subprocess
import threading

from harness import *

CREDENTIALS = struct.Struct("3i")


class Manager:
    """Listens at NOTIFY_SOCKET and keeps the descriptors that the main process stores."""

    def __init__(self, directory):
        self.path = os.path.join(directory, "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.socket.bind(self.path)
        self.store, self.ready, self.said, self.strangers = {}, 0, [], []

    def hear(self, main):
        """Takes what was sent. NotifyAccess=main: of other processes nothing counts."""
        while True:
            try:
                text, parts, _, _ = self.socket.recvmsg(4096, socket.CMSG_SPACE(64) + socket.CMSG_SPACE(CREDENTIALS.size),
                                                        socket.MSG_DONTWAIT | socket.MSG_CMSG_CLOEXEC)
            except BlockingIOError:
                return
            descriptors, sender = array.array("i"), 0
            for _, kind, data in parts:
                if kind == socket.SCM_RIGHTS:
                    descriptors.frombytes(data[:len(data) - len(data) % descriptors.itemsize])
                else:
                    sender = CREDENTIALS.unpack(data)[0]
            lines = dict(line.split("=", 1) for line in text.decode().split("\n") if line)
            if sender != main:
                self.strangers.append((sender, lines))
                lines = {}
            self.take(lines, list(descriptors))

    def take(self, lines, descriptors):
        self.said.append(lines)
        name = lines.get("FDNAME", "stored")
        if lines.get("FDSTORE") == "1":
            self.store.setdefault(name, []).extend(descriptors)
            descriptors = []
        for fd in descriptors + (self.store.pop(name, []) if lines.get("FDSTOREREMOVE") == "1" else []):
            os.close(fd)
        if lines.get("READY") == "1":
            self.ready += 1

    def passed(self):
        return [(name, fd) for name, descriptors in self.store.items() for fd in descriptors]

    def close(self):
        """What it keeps is let go of, as when the unit is stopped."""
        self.socket.close()
        for _, fd in self.passed():
            os.close(fd)
        self.store.clear()


class ManagedMount(Mount):
    """A mount as the unit's process: started anew, with what was stored, whenever it was killed."""

    def __init__(self, home, name="mnt", *options):
        super().__init__(home, name, *options)
        self.manager = Manager(home.world.dir)
        self.variables = {}  # that the test sets otherwise than a manager would
        self.meanwhile = None  # runs once, when the process has ended and before the next one begins
        self.stopping, self.failures, self.starts = False, [], 0
        self.changes = threading.Lock()
        self.watch = threading.Thread(target=self.keep_running, daemon=True)

    def launch(self):
        """With the stored descriptors as 3, 4, ..."""
        passed = self.manager.passed()
        high = [os.dup2(fd, 200 + number, inheritable=False) for number, (_, fd) in enumerate(passed)]
        variables = {"NOTIFY_SOCKET": self.manager.path, "LISTEN_PID": "$$"}
        if passed:
            variables.update(LISTEN_FDS=str(len(passed)), LISTEN_FDNAMES=":".join(name for name, _ in passed))
        variables.update(self.variables)
        pid = variables.pop("LISTEN_PID")

        def place():
            for number, fd in enumerate(high):
                os.dup2(fd, 3 + number)
        self.starts += 1
        with open(self.log_path, "ab") as log:
            process = subprocess.Popen(
                ["/bin/sh", "-c", "export LISTEN_PID=%s; exec \"$@\"" % pid, "sh", BINARY, "mount", self.path, "--foreground",
                 *self.options, "--home", self.home.path],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**self.home.world.environ, **variables},
                close_fds=False, preexec_fn=place)
        for fd in high:
            os.close(fd)
        return process

    def start(self, wait=True):
        self.process = self.launch()
        self.home.world.mounts.append(self)
        self.watch.start()
        if wait:
            self.await_ready(0)
        return self

    def await_ready(self, before):
        until("the mount to be ready", lambda: self.manager.ready > before)

    def keep_running(self):
        """Restart=on-failure, with no time between."""
        while True:
            process = self.process
            try:
                process.wait(0.005)
            except subprocess.TimeoutExpired:
                self.manager.hear(process.pid)
                continue
            with self.changes:
                self.manager.hear(process.pid)
                if process.returncode > 0:
                    self.failures.append(process.returncode)
                if self.stopping or process.returncode == 0 or len(self.failures) > 50:
                    return
                meanwhile, self.meanwhile = self.meanwhile, None
                if meanwhile:
                    meanwhile()
                self.process = self.launch()

    def kill_supervisor(self, meanwhile=None):
        """@return how many times it was ready before."""
        with self.changes:
            self.meanwhile = meanwhile
            before = self.manager.ready
            assert self.process.pid > 1
            if self.process.poll() is None:
                self.process.kill()
        return before

    def stop(self, how=signal.SIGTERM):
        with self.changes:
            self.stopping = True
            if self.process.poll() is None:
                self.process.send_signal(how)
        self.watch.join(30 * SLOWNESS)
        self.left = sorted(self.manager.store)
        status = super().stop(how)
        self.manager.close()
        return status
