"""A non-blocking SSLSocket with a small send buffer: HOST PATH BODY-FILE COUNT.

Prints how often the library said WANT_WRITE. Each such call is made again with
the same bytes, which must not be seen twice.
"""

import select
import socket
import ssl
import sys

host, path, body_file, count = sys.argv[1:]
body = open(body_file, "rb").read()
head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
plain = socket.socket()
plain.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
plain.connect((host, 443))
connection = ssl.create_default_context().wrap_socket(plain, server_hostname=host)
connection.setblocking(False)
want_write = 0


def wait(error):
    global want_write
    if isinstance(error, ssl.SSLWantWriteError):
        want_write += 1
        select.select([], [connection], [])
    else:
        select.select([connection], [], [])


def send(data):
    view = memoryview(data)
    while view:
        try:
            view = view[connection.send(view):]
        except (ssl.SSLWantWriteError, ssl.SSLWantReadError) as error:
            wait(error)


def answer():
    seen = b""
    while b"}" not in seen:
        try:
            seen += connection.recv(4096)
        except (ssl.SSLWantWriteError, ssl.SSLWantReadError) as error:
            wait(error)
    assert seen.startswith(b"HTTP/1.1 200 "), seen[:16]


for _ in range(int(count)):
    send(head)
    send(body)
    answer()
connection.close()
print(want_write)
