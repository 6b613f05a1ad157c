"""Green threads that switch inside the TLS library: RUNTIME HOST PORT PATH
BODY-FILE COUNT THREADS; each thread makes COUNT requests on a connection of its own.

RUNTIME is gevent or eventlet. Python's own ssl cannot be left in the middle of a
call, so libssl is called directly, over a BIO whose callbacks read and write the
runtime's sockets. While a thread waits in one, another takes over, and greenlet
moves the stack with the library's frames out of its way. Odd threads call
SSL_write, even ones SSL_write_ex. Prints how often that happened.
"""

import sys
import warnings
from ctypes import PYFUNCTYPE, PyDLL, byref, c_int, c_long, c_size_t, c_void_p, create_string_buffer, memmove, string_at

runtime = sys.argv[1]
if runtime == "gevent":
    import gevent
    from gevent import socket

    step_aside, start = gevent.sleep, gevent.spawn

    def join(threads):
        gevent.joinall(threads, raise_error=True)
else:
    warnings.simplefilter("ignore")
    import eventlet
    from eventlet.green import socket

    step_aside, start = eventlet.sleep, eventlet.spawn

    def join(threads):
        for thread in threads:
            thread.wait()


# Keeps Python's lock during a call, as a C extension may: otherwise a green
# thread would go on without it.
ssl, crypto = PyDLL("libssl.so.3"), PyDLL("libcrypto.so.3")
for function in (ssl.TLS_client_method, ssl.SSL_CTX_new, ssl.SSL_new, crypto.BIO_meth_new, crypto.BIO_new):
    function.restype = c_void_p
SET_SERVER_NAME, SOURCE_SINK, FLUSH = 55, 0x0400, 11

# How often a thread steps aside at each callback before it does its work.
TURNS = 4
host, port, path, body_file, count, number_of_threads = sys.argv[2:]
body = open(body_file, "rb").read()
request = (
    f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
)
sockets = {}
switches = 0


def aside():
    global switches
    for _ in range(TURNS):
        switches += 1
        step_aside(0)


def write(bio, data, length):
    aside()
    return sockets[bio].send(string_at(data, length))


def read(bio, data, length):
    aside()
    received = sockets[bio].recv(length)
    memmove(data, received, len(received))
    return len(received)


# Kept: the library holds only their addresses.
callbacks = (
    PYFUNCTYPE(c_int, c_void_p, c_void_p, c_int)(write),
    PYFUNCTYPE(c_int, c_void_p, c_void_p, c_int)(read),
    PYFUNCTYPE(c_long, c_void_p, c_int, c_long, c_void_p)(lambda bio, command, *_: command == FLUSH),
)
method = c_void_p(crypto.BIO_meth_new(SOURCE_SINK | 127, b"green"))
crypto.BIO_meth_set_write(method, callbacks[0])
crypto.BIO_meth_set_read(method, callbacks[1])
crypto.BIO_meth_set_ctrl(method, callbacks[2])
context = c_void_p(ssl.SSL_CTX_new(c_void_p(ssl.TLS_client_method())))


def post(extended):
    plain = socket.create_connection((host, int(port)))
    bio = c_void_p(crypto.BIO_new(method))
    sockets[bio.value] = plain
    crypto.BIO_set_init(bio, 1)
    connection = c_void_p(ssl.SSL_new(context))
    ssl.SSL_ctrl(connection, SET_SERVER_NAME, c_long(0), host.encode())
    ssl.SSL_set_bio(connection, bio, bio)
    assert ssl.SSL_connect(connection) == 1
    done = c_size_t()
    answer = create_string_buffer(4096)
    for _ in range(int(count)):
        if extended:
            assert ssl.SSL_write_ex(connection, request, c_size_t(len(request)), byref(done)) == 1
        else:
            assert ssl.SSL_write(connection, request, len(request)) == len(request)
        seen = b""
        while b"}" not in seen:
            if extended:
                assert ssl.SSL_read_ex(connection, answer, c_size_t(4096), byref(done)) == 1
                seen += answer.raw[: done.value]
            else:
                length = ssl.SSL_read(connection, answer, 4096)
                assert length > 0
                seen += answer.raw[:length]
        assert seen.startswith(b"HTTP/1.1 200 "), seen[:16]
    ssl.SSL_shutdown(connection)
    plain.close()
    ssl.SSL_free(connection)


join([start(post, number % 2 == 0) for number in range(int(number_of_threads))])
print(switches)
