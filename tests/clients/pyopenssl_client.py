"""pyOpenSSL: HOST PATH BODY-FILE COUNT requests on one connection.

OpenSSL is linked into the extension module of `cryptography`.
"""

import os
import socket
import sys

from OpenSSL import SSL

host, path, body_file, count = sys.argv[1:]
body = open(body_file, "rb").read()
context = SSL.Context(SSL.TLS_CLIENT_METHOD)
context.load_verify_locations(os.environ["SSL_CERT_FILE"])
context.set_verify(SSL.VERIFY_PEER, lambda *seen: seen[-1])
connection = SSL.Connection(context, socket.create_connection((host, 443)))
connection.set_tlsext_host_name(host.encode())
connection.set_connect_state()
connection.do_handshake()
head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n\r\n"
for _ in range(int(count)):
    connection.sendall(head.encode() + body)
    answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 200 "), answer
connection.shutdown()
