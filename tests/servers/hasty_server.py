"""Answers a head, ends what it sends, and goes on reading: hasty_server.py PORT.

Takes one connection, and prints length and SHA-256 of all that came on it.
"""

import hashlib
import socket
import sys

listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listening", flush=True)
sock, _ = listener.accept()
everything = b""
while b"\r\n\r\n" not in everything:
    everything += sock.recv(65536)
sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
sock.shutdown(socket.SHUT_WR)
while piece := sock.recv(65536):
    everything += piece
print(len(everything), hashlib.sha256(everything).hexdigest(), flush=True)
