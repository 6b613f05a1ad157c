"""Loads the TLS library only after a line on standard input, then posts.

HOST PATH BODY-FILE COUNT; prints `waiting`, then `loaded` and waits for a
second line, so that a test can start before and after the library is there.
"""

import sys

host, path, body_file, count = sys.argv[1:]
print("waiting", flush=True)
sys.stdin.readline()
import http.client  # noqa: E402
import ssl  # noqa: E402

context = ssl.create_default_context()
print("loaded", flush=True)
sys.stdin.readline()
body = open(body_file, "rb").read()
connection = http.client.HTTPSConnection(host, context=context)
for _ in range(int(count)):
    connection.request("POST", path, body)
    response = connection.getresponse()
    response.read()
    assert response.status == 200, response.status
connection.close()
print("sent", flush=True)
sys.stdin.readline()
