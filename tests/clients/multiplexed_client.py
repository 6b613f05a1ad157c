"""Posts over one connection of HTTP/2, the bodies of a round interleaved.

HOST PATH BODY-FILE COUNT MODE PORT. MODE says how the connection begins: `tls`, `plain`
(prior knowledge) or `upgrade` (from HTTP/1.1). With `,paused` behind it, one request is
made first, which names another host; then it prints `waiting` and reads a line from
standard input. With `,trailers`, each request ends with a header list.
"""

import socket
import ssl
import sys

import h2.config
import h2.connection
import h2.events

# Bytes of a body that are sent in a turn.
PIECE = 16_000


class Client:
    def __init__(self, host, path, options):
        self.host = host
        self.path = path
        self.mode, *self.options = options.split(",")
        self.answered = {}

    def connect(self, port):
        self.sock = socket.create_connection((self.host, port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.mode == "tls":
            context = ssl.create_default_context()
            context.set_alpn_protocols(["h2"])
            self.sock = context.wrap_socket(self.sock, server_hostname=self.host)
        config = h2.config.H2Configuration(client_side=True, header_encoding="utf-8")
        self.http = h2.connection.H2Connection(config)

    def begin(self, body):
        """Returns how many requests the beginning has made."""
        if self.mode != "upgrade":
            self.http.initiate_connection()
            return 0
        settings = self.http.initiate_upgrade_connection().decode()
        head = (f"POST {self.path} HTTP/1.1\r\nHost: {self.host}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
                "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                f"HTTP2-Settings: {settings}\r\n\r\n")
        self.sock.sendall(head.encode() + body)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self.sock.recv(65536)
        assert answer.startswith(b"HTTP/1.1 101 "), answer
        self.sock.sendall(self.http.data_to_send())
        self.read(answer.partition(b"\r\n\r\n")[2])
        self.wait(1)
        return 1

    def read(self, data):
        for event in self.http.receive_data(data):
            if isinstance(event, h2.events.ResponseReceived):
                status = dict(event.headers)[":status"]
                assert status == "200", status
            elif isinstance(event, h2.events.StreamEnded):
                self.answered[event.stream_id] = True
            elif isinstance(event, h2.events.DataReceived):
                self.http.acknowledge_received_data(
                    event.flow_controlled_length, event.stream_id)
        self.sock.sendall(self.http.data_to_send())

    def receive(self):
        data = self.sock.recv(65536)
        assert data, "the connection ended"
        self.read(data)

    def wait(self, count):
        while len(self.answered) < count:
            self.receive()

    def post(self, count, body, host):
        """Makes `count` requests at once."""
        total = len(self.answered) + count
        rest = {}
        for _ in range(count):
            stream = self.http.get_next_available_stream_id()
            self.http.send_headers(stream, [
                (":method", "POST"),
                (":scheme", "https" if self.mode == "tls" else "http"),
                (":authority", host),
                (":path", self.path if host == self.host else "/"),
                ("content-type", "application/json"),
                ("content-length", str(len(body))),
            ])
            rest[stream] = body
        self.sock.sendall(self.http.data_to_send())
        trailers = "trailers" in self.options
        while rest:
            for stream, left in list(rest.items()):
                while self.http.local_flow_control_window(stream) < min(len(left), PIECE):
                    self.receive()
                left, piece = left[PIECE:], left[:PIECE]
                self.http.send_data(stream, piece, end_stream=not left and not trailers)
                if not left and trailers:
                    self.http.send_headers(
                        stream, [("x-checksum", "0123456789abcdef")], end_stream=True)
                self.sock.sendall(self.http.data_to_send())
                rest[stream] = left
                if not left:
                    del rest[stream]
        self.wait(total)


host, path, body_file, count, options, port = sys.argv[1:]
body = open(body_file, "rb").read()
client = Client(host, path, options)
client.connect(int(port))
count = int(count) - client.begin(body)
if "paused" in client.options:
    client.post(1, body, "shop.example.com")
    print("waiting", flush=True)
    sys.stdin.readline()
    # Alone: connections are joined at a write that begins with a request.
    client.post(1, body, host)
    count -= 2
if count:
    client.post(count, body, host)
client.http.close_connection()
client.sock.sendall(client.http.data_to_send())
client.sock.close()
