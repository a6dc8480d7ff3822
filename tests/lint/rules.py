"""The tables that the lint holds the source to. A change here is a change of the design."""

import re

# What a module includes lies on a lower layer.
LAYERS = {
    "util": 0,
    "log": 1, "sqlite": 1, "json": 1, "crypto": 1,
    "tlog": 2, "trust": 2, "httpsig": 2,
    "store": 3, "journal": 3, "net": 3,
    "api": 4,
    "vault": 5, "client": 5,
    "server": 6, "mount": 6,
    "cli": 7,
    "main": 8,
}  # fmt: skip

# The folders within a module. What a file includes of its own module lies in its folder or in a lower one; a file that lies in
# none of them may include from all.
PARTS = {
    "client": {"connection": 0, "homes": 1, "lists": 2, "log": 2, "join": 3, "machine": 3, "owner": 3},
    "mount": {"base": 0, "kernel": 1, "callers": 1, "tree": 2, "watchers": 3, "reports": 3, "files": 4, "worker": 5, "supervisor": 6},
}

# Who may include a library's headers, by the beginning of their path; the longest that fits counts.
OWNERS = {
    "spdlog/": {"log"},
    "fmt/": {"log"},
    "sqlite3": {"sqlite"},
    "sodium": {"crypto"},
    "openssl/": {"net"},
    "boost/": set(),
    "boost/json": {"json"},
    "boost/asio": {"net"},
    "boost/beast": {"net"},
    "boost/url": {"net"},
    "boost/system/": {"json", "net"},
    "boost/program_options": {"cli"},
    "fuse": {"mount"},
    "linux/fuse.h": {"mount"},
}

# What every module may include besides: the standard library (no dot in the name), POSIX and Linux.
SYSTEM_FOLDERS = ("arpa/", "asm/", "linux/", "net/", "netinet/", "sys/")
SYSTEM_HEADERS = set(
    "dirent.h dlfcn.h errno.h fcntl.h fnmatch.h grp.h limits.h malloc.h mntent.h netdb.h poll.h pthread.h pwd.h sched.h signal.h spawn.h"
    " stdlib.h string.h syscall.h syslog.h termios.h time.h unistd.h".split())

# The modules that handle ciphertexts only.
NO_PLAINTEXT = {"net", "json", "api", "vault", "server", "store", "tlog", "httpsig"}

# The admin view, which shows what there is and must have no way to a value: its files, and what none of them may name.
REPORTS = re.compile(r"^(?:src|include/grantfs)/(?:client|mount|cli)/(?:admin_\w+|reports?(?:_\w+)?|run_reports)\.(?:h|cpp)$")
NOT_IN_REPORTS = [
    ("report-value", re.compile(r"\b(?:SecretValue|SecretMemory|GotSecret|OpenedSecret|GetSecret|ReadOnce|Expose)\b")),
    ("report-session", re.compile(r"\b(?:OwnerSession|MachineSession|SecretSource)\b")),
]

# Calls that are forbidden: rule, pattern, modules that may, whether tests may, and what to do instead.
BANNED = [
    ("call-system", r"(?<![\w.>])(?:std::|::)?(?:system|popen)\s*\(", (), False, "spawn a program with its arguments in an array"),
    ("call-unbounded", r"(?<![\w.>])(?:std::|::)?(?:v?sprintf|strcpy|strcat|gets)\s*\(", (), False, "use std::string"),
    ("call-rand", r"(?<![\w.>])(?:std::|::)?(?:rand|srand|random|drand48)\s*\(", (), False, "use RandomBytes of crypto"),
    ("call-sleep", r"(?<![\w.>])(?:::)?(?:usleep|sleep|nanosleep|clock_nanosleep)\s*\(|\bsleep_(?:for|until)\b", (), False,
     "wait for what you wait for, with a deadline; tests: Eventually of tests/support"),
    ("call-getenv", r"\b(?:secure_)?getenv\s*\(", ("cli", "util"), True, "read the environment in cli and pass the value on"),
    ("catch-all", r"\bcatch\s*\(\s*\.\.\.\s*\)", (), True, "catch the library's exception where the library is used"),
    ("print", r"\bstd::(?:cout|cerr|clog)\b|(?<![\w.>])(?:std::|::)?(?:printf|puts|putchar|perror)\s*\(|\bfprintf\s*\(\s*std(?:out|err)\b",
     ("cli", "main"), True, "return an Error, or write to the log"),
]  # fmt: skip

# Found in no file: unfinished work, machine paths, talk of how the text came to be. Written so that they do not find themselves.
WORDS = [
    (r"\bTOD[O]\b|\bFIXM[E]\b|\bXX[X]\b", "unfinished work"),
    (r"/wor[k]/|/hom[e]/\w|\.pyen[v]", "a path of one machine"),
    (r"\bClaud[e]\b|\bChatGP[T]\b|\bAnthropi[c]\b|\bAI assistan[t]\b|\bBRIE[F]\b|\blanguage mode[l]\b", "talk about the author"),
]

TOP_LEVEL = {"meson.build", "src", "include", "tests", "examples", "contrib", "README.md", "LICENSE"}
MAX_LINES = 400
CODE = (".h", ".cpp")
SIZED = CODE + (".py", ".sh")
BANNED_COMPILED = [(rule, re.compile(pattern), may, tests, hint) for rule, pattern, may, tests, hint in BANNED]
WORDS_COMPILED = [(re.compile(pattern), what) for pattern, what in WORDS]
