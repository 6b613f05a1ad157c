"""A server that plays every tracker, and remembers a hash of what it was sent.

Accepts HTTP/1.1 with keep-alive, over TLS or plain. Writes one JSON object a
line to the log: for each request when its last byte has arrived, and for each
connection when it has ended. The hashes are over the bytes as they arrived.
"""

import argparse
import hashlib
import json
import socket
import ssl
import sys
import threading
import time

LONGEST_HEAD = 1 << 20
# Trackers are a network away: no client speaks to one within its first milliseconds.
DISTANCE_SECONDS = 0.1
# What each SDK insists on; everything else is happy with a status.
REPLIES = {"graph.facebook.com": b'{"events_received":1,"messages":[],"fbtrace_id":"x"}'}
REPLY = b'{"status":1}'


class Closed(Exception):
    """The client has ended the connection."""


class Log:
    def __init__(self, path):
        self.file = open(path, "a", encoding="utf-8")
        self.lock = threading.Lock()

    def write(self, record):
        with self.lock:
            self.file.write(json.dumps(record) + "\n")
            self.file.flush()


class Connection:
    def __init__(self, number, sock, log, options):
        self.number = number
        self.sock = sock
        self.log = log
        self.options = options
        self.buffer = b""
        self.everything = hashlib.sha256()
        self.length = 0
        # What the current request has taken from the buffer.
        self.raw = hashlib.sha256()
        self.raw_length = 0

    def fill(self):
        if self.options.slow:
            time.sleep(0.002)
        chunk = self.sock.recv(4096 if self.options.slow else 65536)
        if not chunk:
            raise Closed
        self.everything.update(chunk)
        self.length += len(chunk)
        self.buffer += chunk

    def take(self, length):
        while len(self.buffer) < length:
            self.fill()
        taken, self.buffer = self.buffer[:length], self.buffer[length:]
        self.raw.update(taken)
        self.raw_length += length
        return taken

    def take_until(self, mark):
        while mark not in self.buffer:
            if len(self.buffer) > LONGEST_HEAD:
                raise Closed
            self.fill()
        return self.take(self.buffer.index(mark) + len(mark))

    def body(self, headers):
        if headers.get("expect", "").lower() == "100-continue":
            self.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if "chunked" not in headers.get("transfer-encoding", "").lower():
            return self.take(int(headers.get("content-length", "0")))
        body = b""
        while True:
            size = int(self.take_until(b"\r\n").split(b";")[0], 16)
            if size == 0:
                break
            body += self.take(size)
            self.take(2)
        while self.take_until(b"\r\n") != b"\r\n":
            pass
        return body

    def request(self, ordinal):
        self.raw = hashlib.sha256()
        self.raw_length = 0
        lines = self.take_until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        method, path, version = lines[0].split(" ", 2)
        pairs = (line.partition(":") for line in lines[1:] if line)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        body = self.body(headers)
        host = headers.get("host", "").split(":")[0]
        self.log.write({
            "event": "request",
            "connection": self.number,
            "ordinal": ordinal,
            "method": method,
            "path": path,
            "host": host,
            "length": self.raw_length,
            "sha256": self.raw.hexdigest(),
            "body_length": len(body),
            "body_sha256": hashlib.sha256(body).hexdigest(),
            "time": time.time_ns(),
        })
        close = headers.get("connection", "").lower() == "close" or version == "HTTP/1.0"
        # A test asks for the status that it wants to see again in the finding.
        status = int(headers.get("x-sink-status", self.options.status))
        reply = b"" if status in (204, 304) else REPLIES.get(host, REPLY)
        head = f"HTTP/1.1 {status} Sink\r\nContent-Type: application/json\r\n"
        if status not in (204, 304):
            head += f"Content-Length: {len(reply)}\r\n"
        head += f"Connection: {'close' if close else 'keep-alive'}\r\n\r\n"
        self.sock.sendall(head.encode() + reply)
        return not close

    def close(self):
        try:
            if isinstance(self.sock, ssl.SSLSocket):
                # Without it, clients rightly take the end for a truncation.
                self.sock.settimeout(1)
                self.sock.unwrap()
        except (OSError, ValueError):
            pass
        self.sock.close()

    def serve(self):
        ordinal = 0
        try:
            while self.request(ordinal):
                ordinal += 1
        except (Closed, OSError, ValueError):
            pass
        finally:
            self.log.write({
                "event": "connection",
                "connection": self.number,
                "length": self.length,
                "sha256": self.everything.hexdigest(),
            })
            self.close()


def arguments(description):
    """What every sink is told."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--log", required=True)
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    return parser


def server_context(options):
    """For TLS, or `None` for a sink that does without."""
    if not options.certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.certificate, options.key)
    return context


def encrypted(sock, context):
    """The socket, once TLS has begun where there is a context."""
    if not context:
        return sock
    time.sleep(DISTANCE_SECONDS)
    return context.wrap_socket(sock, server_side=True)


def accept(listener, accepted):
    """Lets a thread of its own serve each connection."""
    print("ready", flush=True)
    number = 0
    while True:
        sock, _ = listener.accept()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=accepted, args=(number, sock), daemon=True).start()
        number += 1


def main():
    parser = arguments(__doc__)
    parser.add_argument("--status", type=int, default=200)
    parser.add_argument("--slow", action="store_true", help="read slowly, from a small buffer")
    options = parser.parse_args()

    context = server_context(options)
    log = Log(options.log)
    # Takes IPv4 as well.
    listener = socket.socket(socket.AF_INET6)
    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if options.slow:
        # Before listen, so that accepted sockets inherit it.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    listener.bind(("::", options.port))
    listener.listen(64)

    def accepted(number, sock):
        try:
            sock = encrypted(sock, context)
        except OSError as error:
            print(f"connection {number}: {error}", file=sys.stderr, flush=True)
            return
        Connection(number, sock, log, options).serve()

    accept(listener, accepted)


if __name__ == "__main__":
    main()
