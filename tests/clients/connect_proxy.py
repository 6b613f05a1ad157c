"""A proxy that grants every tunnel: PORT [SECONDS]. Takes as long to grant one.

Prints `ready`, and goes on until its input ends.
"""

import socket
import sys
import threading
import time


def relay(source, sink):
    while data := source.recv(65536):
        sink.sendall(data)
    sink.shutdown(socket.SHUT_WR)


def serve(client):
    head = b""
    while b"\r\n\r\n" not in head:
        head += client.recv(4096)
    host, port = head.split(b" ")[1].decode().rsplit(":", 1)
    time.sleep(float(sys.argv[2]) if len(sys.argv) > 2 else 0)
    server = socket.create_connection((host, int(port)))
    client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
    threading.Thread(target=relay, args=(server, client), daemon=True).start()
    relay(client, server)


listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))


def accept():
    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(client,), daemon=True).start()


threading.Thread(target=accept, daemon=True).start()
print("ready", flush=True)
sys.stdin.read()
