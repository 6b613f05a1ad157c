"""GnuTLS itself: HOST PATH BODY-FILE COUNT requests on one connection.

Every request is given to a corked session piece by piece, and the session is then
uncorked.
"""

import ctypes
import os
import socket
import sys

host, path, body_file, count = sys.argv[1:]
body = open(body_file, "rb").read()
gnutls = ctypes.CDLL("libgnutls.so.30")
for name in ("gnutls_record_send", "gnutls_record_recv"):
    getattr(gnutls, name).restype = ctypes.c_ssize_t

CLIENT, CERTIFICATE, NAME_DNS, WAIT = 2, 1, 1, 1
AGAIN = -28


def checked(result):
    if result < 0:
        raise OSError(f"GnuTLS: {result}")
    return result


credentials, session = ctypes.c_void_p(), ctypes.c_void_p()
checked(gnutls.gnutls_certificate_allocate_credentials(ctypes.byref(credentials)))
authority = os.environ["SSL_CERT_FILE"].encode()
checked(gnutls.gnutls_certificate_set_x509_trust_file(credentials, authority, 1))
checked(gnutls.gnutls_init(ctypes.byref(session), CLIENT))
checked(gnutls.gnutls_set_default_priority(session))
checked(gnutls.gnutls_credentials_set(session, CERTIFICATE, credentials))
# The session refers to it.
name = host.encode()
checked(gnutls.gnutls_server_name_set(session, NAME_DNS, name, ctypes.c_size_t(len(name))))
gnutls.gnutls_session_set_verify_cert(session, name, 0)
connection = socket.create_connection((host, 443))
gnutls.gnutls_transport_set_int2(session, connection.fileno(), connection.fileno())
checked(gnutls.gnutls_handshake(session))


def give(bytes):
    while bytes:
        bytes = bytes[checked(gnutls.gnutls_record_send(session, bytes, ctypes.c_size_t(len(bytes)))) :]


head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n\r\n"
answer = ctypes.create_string_buffer(65536)
for _ in range(int(count)):
    gnutls.gnutls_record_cork(session)
    give(head.encode())
    give(body)
    checked(gnutls.gnutls_record_uncork(session, WAIT))
    # What is not the answer ends a call, too.
    while (length := gnutls.gnutls_record_recv(session, answer, ctypes.c_size_t(65536))) == AGAIN:
        pass
    checked(length)
    assert answer.raw[:length].startswith(b"HTTP/1.1 200 "), answer.raw[:length]
gnutls.gnutls_bye(session, 1)
gnutls.gnutls_deinit(session)
