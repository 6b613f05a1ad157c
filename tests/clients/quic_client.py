"""Posts over HTTP/3: WAY PATH BODY-FILE HOST..., one connection after the other.

WAY says what its sockets are: `connected` ones; `named`, which name the server with
each datagram; `mapped`, such ones of IPv6; or `shared`, a single one for all.

Before that it sends datagrams that are no QUIC from a socket of its own, as who asks
the DNS does. Prints `posted` once everything is answered.
"""

import os
import socket
import sys
import time

from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import HandshakeCompleted

way, path, body_file, *hosts = sys.argv[1:]
body = open(body_file, "rb").read()


def opened():
    family = socket.AF_INET6 if way == "mapped" else socket.AF_INET
    own = socket.socket(family, socket.SOCK_DGRAM)
    own.settimeout(0.05)
    return own


def post(own, host):
    address = (socket.gethostbyname(host), 443)
    if way == "mapped":
        address = ("::ffff:" + address[0], 443, 0, 0)
    if way == "connected":
        own.connect(address)
    configuration = QuicConfiguration(alpn_protocols=H3_ALPN, server_name=host)
    configuration.load_verify_locations(os.environ["SSL_CERT_FILE"])
    quic = QuicConnection(configuration=configuration)
    quic.connect(address, now=time.time())
    http = H3Connection(quic)
    deadline = time.time() + 10
    is_ready = asked = is_answered = False

    def exchange():
        for datagram, _ in quic.datagrams_to_send(now=time.time()):
            if way == "connected":
                own.send(datagram)
            else:
                own.sendto(datagram, address)

    while not is_answered:
        assert time.time() < deadline, "no answer"
        if is_ready and not asked:
            asked = True
            stream = quic.get_next_available_stream_id()
            names = [(b":method", b"POST"), (b":scheme", b"https"), (b":path", path.encode())]
            http.send_headers(stream, names + [(b":authority", host.encode())])
            http.send_data(stream, body, end_stream=True)
        exchange()
        try:
            quic.receive_datagram(own.recv(65536), address, now=time.time())
        except TimeoutError:
            timer = quic.get_timer()
            if timer is not None and timer <= time.time():
                quic.handle_timer(now=time.time())
        while (event := quic.next_event()) is not None:
            is_ready |= isinstance(event, HandshakeCompleted)
            answers = http.handle_event(event)
            is_answered |= any(isinstance(each, HeadersReceived) for each in answers)
    quic.close()
    exchange()


with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as resolver:
    question = b"\x12\x34\x01\x00\x00\x01" + bytes(6) + b"\x05graph\x08facebook\x03com\0\0\1\0\1"
    for length in [0, 1200] * 6:
        resolver.sendto(question.ljust(length, b"\0"), ("127.0.0.1", 53))
shared = opened()
for host in hosts:
    post(shared if way == "shared" else opened(), host)
print("posted", flush=True)
