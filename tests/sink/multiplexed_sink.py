"""A server that plays every tracker in HTTP/2, and remembers a hash of what it was sent.

Accepts HTTP/2 over TLS, and in cleartext with prior knowledge or behind an upgrade from
HTTP/1.1. Writes one JSON object a line to the log for each request when its last byte
has arrived, in the form of `sink.py`. The hashes are over the bodies.
"""

import hashlib
import socket
import time

import h2.config
import h2.connection
import h2.events
from h2.settings import SettingCodes

from sink import REPLY, Log, accept, arguments, encrypted, server_context

PREFACE = b"PRI * HTTP/2.0"
# Wide enough that no client has to wait in the middle of a body.
WINDOW = 1 << 28


class Connection:
    def __init__(self, number, sock, log):
        self.number = number
        self.sock = sock
        self.log = log
        self.ordinal = 0
        config = h2.config.H2Configuration(client_side=False, header_encoding="utf-8")
        self.http = h2.connection.H2Connection(config)
        # Headers and body by stream.
        self.open = {}

    def begin(self):
        """Returns what has been received after the beginning, or `None` at the end."""
        data = self.sock.recv(65536)
        while data and len(data) < len(PREFACE):
            data += self.sock.recv(65536)
        if not data or data.startswith(PREFACE):
            self.http.initiate_connection()
            return data
        while b"\r\n\r\n" not in data:
            data += self.sock.recv(65536)
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        method, path, _ = lines[0].split(" ")
        headers = {name.lower(): value.strip() for name, _, value in
                   (line.partition(":") for line in lines[1:])}
        while len(body) < int(headers.get("content-length", "0")):
            body += self.sock.recv(65536)
        self.sock.sendall(b"HTTP/1.1 101 Switching Protocols\r\n"
                          b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
        self.http.initiate_upgrade_connection(headers["http2-settings"].encode())
        self.open[1] = ([(":method", method), (":path", path),
                         (":authority", headers["host"])], hashlib.sha256(body), len(body))
        self.flush()
        self.answer(1)
        self.flush()
        return self.sock.recv(65536)

    def flush(self):
        self.sock.sendall(self.http.data_to_send())

    def answer(self, stream):
        headers, digest, length = self.open.pop(stream)
        fields = dict(headers)
        self.log.write({
            "event": "request",
            "connection": self.number,
            "ordinal": self.ordinal,
            "method": fields[":method"],
            "path": fields[":path"],
            "host": fields[":authority"].split(":")[0],
            "length": length,
            "sha256": digest.hexdigest(),
            "body_length": length,
            "body_sha256": digest.hexdigest(),
            "time": time.time_ns(),
        })
        self.ordinal += 1
        self.http.send_headers(stream, [
            (":status", "200"),
            ("content-type", "application/json"),
            ("content-length", str(len(REPLY))),
        ])
        self.http.send_data(stream, REPLY, end_stream=True)

    def serve(self):
        data = self.begin()
        self.http.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: WINDOW})
        # The window of the whole connection is no setting.
        self.http.increment_flow_control_window(WINDOW - 65535)
        self.flush()
        while data:
            for event in self.http.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    self.open[event.stream_id] = (event.headers, hashlib.sha256(), 0)
                elif isinstance(event, h2.events.DataReceived):
                    headers, digest, length = self.open[event.stream_id]
                    digest.update(event.data)
                    self.open[event.stream_id] = (headers, digest, length + len(event.data))
                    self.http.acknowledge_received_data(
                        event.flow_controlled_length, event.stream_id)
                elif isinstance(event, h2.events.StreamEnded):
                    self.answer(event.stream_id)
            self.flush()
            data = self.sock.recv(65536)


def main():
    options = arguments(__doc__).parse_args()
    context = server_context(options)
    if context:
        context.set_alpn_protocols(["h2"])
    log = Log(options.log)

    def accepted(number, sock):
        with sock:
            try:
                sock = encrypted(sock, context)
                Connection(number, sock, log).serve()
            except OSError:
                pass
            sock.close()

    accept(socket.create_server(("127.0.0.1", options.port), backlog=64), accepted)


if __name__ == "__main__":
    main()
