"""A server of logs for tests: takes connections over TCP, TLS or a Unix socket, takes octet-counted frames apart, and keeps each whole message."""

import re
import socket
import ssl
import threading


class SyslogServer:
    def __init__(self, family=socket.AF_INET, address=("127.0.0.1", 0), kind=socket.SOCK_STREAM, context=None):
        self.socket = socket.socket(family, kind)
        self.socket.bind(address)
        self.kind, self.context = kind, context
        self.messages, self.connections, self.lock = [], [], threading.Lock()
        if kind == socket.SOCK_STREAM:
            self.socket.listen(16)
        threading.Thread(target=self.serve, daemon=True).start()

    @property
    def port(self):
        return self.socket.getsockname()[1]

    def serve(self):
        while True:
            try:
                if self.kind == socket.SOCK_DGRAM:
                    self.keep(self.socket.recv(1 << 20))
                else:
                    connection, _ = self.socket.accept()
                    self.connections.append(connection)
                    threading.Thread(target=self.take, args=(connection,), daemon=True).start()
            except OSError:
                return

    def keep(self, message):
        with self.lock:
            self.messages.append(message)

    def take(self, connection):
        data = b""
        try:
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
            while True:
                more = connection.recv(65536)
                if not more:
                    break
                data += more
                while True:
                    frame = re.match(rb"([1-9][0-9]*) ", data)
                    if not frame or len(data) < frame.end() + int(frame[1]):
                        break
                    self.keep(data[frame.end():frame.end() + int(frame[1])])
                    data = data[frame.end() + int(frame[1]):]
        except OSError:
            pass
        connection.close()

    def all(self):
        with self.lock:
            return list(self.messages)

    def close(self):
        for one in [self.socket, *self.connections]:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()


MESSAGE = re.compile(rb"<(\d+)>1 (\S+) (\S+) grantfs - (\S+) \[grantfs@32473((?: [A-Za-z]+=\"(?:[^\"\\\]]|\\.)*\")*)\](?: (.*))?\Z", re.S)
PARAMETER = re.compile(rb" ([A-Za-z]+)=\"((?:[^\"\\\]]|\\.)*)\"")


def parse(message):
    """A message of RFC 5424 taken apart: its parameters, unescaped, and its header."""
    found = MESSAGE.match(message)
    if not found:
        raise AssertionError("is no message: %r" % message)
    values = {name.decode(): re.sub(rb"\\(.)", rb"\1", value).decode() for name, value in PARAMETER.findall(found[5])}
    return dict(values, priority=int(found[1]), time=found[2].decode(), host=found[3].decode(), type=found[4].decode())
