"""Posts with gevent and never reads the answer: HOST PATH BODY-FILE.

Prints `started` when everything is loaded, waits for a line on standard input,
posts, prints `posted`, and keeps its connection until its input ends.
"""

from gevent import monkey

monkey.patch_all()

import socket  # noqa: E402
import ssl  # noqa: E402
import sys  # noqa: E402

host, path, body_file = sys.argv[1:]
body = open(body_file, "rb").read()
head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
context = ssl.create_default_context()
print("started", flush=True)
sys.stdin.readline()
plain = socket.create_connection((host, 443))
connection = context.wrap_socket(plain, server_hostname=host)
connection.sendall(head + body)
print("posted", flush=True)
sys.stdin.read()
