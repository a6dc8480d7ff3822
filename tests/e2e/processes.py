"""The processes of a vault or a mount, and what is in their memory."""

import os
import re


def tree(root):
    """A process and all that descend from it, however many it is divided into."""
    parents = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % pid, encoding="utf-8", errors="replace") as stat:
                state, parent = stat.read().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state not in "ZX":
            parents[int(pid)] = int(parent)
    found, grown = {root} & parents.keys(), True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in found} - found
        found |= more
        grown = bool(more)
    return found


class Mapping:
    """One mapping of a process: its place in memory, name and flags as smaps tells them."""

    def __init__(self, pid, line):
        addresses, self.permissions, _, _, _, *name = line.split(None, 5)
        self.start, self.end = (int(part, 16) for part in addresses.split("-"))
        self.pid, self.name, self.flags = pid, name[0].strip() if name else "", set()

    def dumped(self):
        return "dd" not in self.flags

    def locked(self):
        return "lo" in self.flags

    def __repr__(self):
        return "%d %x-%x %s %s [%s]" % (self.pid, self.start, self.end, self.permissions, self.name or "anonymous",
                                        " ".join(sorted(self.flags)))


def mappings(pid):
    found = []
    with open("/proc/%d/smaps" % pid, encoding="utf-8", errors="replace") as smaps:
        for line in smaps:
            if re.match("[0-9a-f]+-[0-9a-f]+ ", line):
                found.append(Mapping(pid, line))
            elif line.startswith("VmFlags:"):
                found[-1].flags = set(line.split()[1:])
    return found


def present(pid, mapping):
    """The parts of a mapping that have a page in memory or in swap; the rest is zeros or a file's."""
    first, count = mapping.start // 4096, (mapping.end - mapping.start) // 4096
    with open("/proc/%d/pagemap" % pid, "rb", buffering=0) as pagemap:
        bits = os.pread(pagemap.fileno(), count * 8, first * 8)
    start = None
    for page in range(len(bits) // 8 + 1):
        here = page * 8 < len(bits) and bits[page * 8 + 7] & 0xC0
        if here and start is None:
            start = page
        elif not here and start is not None:
            yield (first + start) * 4096, (page - start) * 4096
            start = None


def memory_with(pid, marker):
    """The mappings of a process that hold these bytes."""
    found = []
    with open("/proc/%d/mem" % pid, "rb", buffering=0) as memory:
        for mapping in mappings(pid):
            if mapping.name in ("[vvar]", "[vsyscall]", "[vvar_vclock]") or "io" in mapping.flags:
                continue
            for start, size in present(pid, mapping):
                try:
                    content = os.pread(memory.fileno(), size, start)
                except OSError:
                    continue  # a guard page, or unmapped meanwhile
                if marker in content:
                    found.append(mapping)
                    break
    return found


def holders(pids, marker):
    """The same of several processes; one that ended meanwhile holds nothing."""
    found = []
    for pid in pids:
        try:
            found += memory_with(pid, marker)
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found
