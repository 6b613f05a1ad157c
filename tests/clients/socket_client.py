"""One plaintext request on a socket: MODE ADDRESS PORT HOST PATH BODY-FILE.

whole: head and body in one write.
half:  the same, and the end of what is sent before the answer is read.
after: the head; the body once the server has ended what it sends.
"""

import socket
import sys

mode, address, port, host, path, body_file = sys.argv[1:]
body = open(body_file, "rb").read()
head = (
    f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
    f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
).encode()
sock = socket.create_connection((address, int(port)))
answer = b""
if mode == "after":
    sock.sendall(head)
else:
    sock.sendall(head + body)
    if mode == "half":
        sock.shutdown(socket.SHUT_WR)
while piece := sock.recv(65536):
    answer += piece
assert answer.startswith(b"HTTP/1.1 200 "), answer[:100]
if mode == "after":
    sock.sendall(body)
sock.close()
