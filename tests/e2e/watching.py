"""Whoever watches files, and the processes of a mount."""

import ctypes
import os
import struct

IN_MODIFY, IN_ATTRIB, IN_CLOSE_WRITE, IN_MOVED_TO, IN_DELETE, IN_DELETE_SELF, IN_MOVE_SELF = (
    0x2, 0x4, 0x8, 0x80, 0x200, 0x400, 0x800)
LIBC = ctypes.CDLL(None, use_errno=True)


class Watch:
    """inotify(7) on one path, as systemd's .path units use it on a file and its directory."""

    MASK = IN_MODIFY | IN_ATTRIB | IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF

    def __init__(self, path):
        self.path, self.seen = path, []
        self.fd = LIBC.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        self.add()

    def add(self):
        if LIBC.inotify_add_watch(self.fd, self.path.encode(), self.MASK) < 0:
            raise OSError(ctypes.get_errno(), self.path)

    def saw(self, mask, name=""):
        try:
            data = os.read(self.fd, 65536)
        except BlockingIOError:
            data = b""
        while data:
            _, bits, _, size = struct.unpack("iIII", data[:16])
            self.seen.append((bits, data[16:16 + size].rstrip(b"\0").decode()))
            data = data[16 + size:]
        return any(bits & mask and event == name for bits, event in self.seen)

    def close(self):
        os.close(self.fd)


def children(process, name):
    """The living children of that name (comm)."""
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % entry) as stat:
                line = stat.read()
        except OSError:
            continue
        state, parent = line.rsplit(") ", 1)[1].split()[:2]
        if "(%s)" % name in line and int(parent) == process and state != "Z":
            found.append(int(entry))
    return found
