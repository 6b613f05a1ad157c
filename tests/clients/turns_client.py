"""Plaintext requests on one connection: turns_client.py PORT BODY-FILE.

Each line `HOST PATH` on standard input is a request, whose head and body leave
in separate writes; prints `answered` behind each.
"""

import http.client
import sys

port, body_file = sys.argv[1:]
body = open(body_file, "rb").read()
connection = http.client.HTTPConnection("127.0.0.1", int(port))
connection.connect()
print("connected", flush=True)
for turn, line in enumerate(sys.stdin):
    host, path = line.split()
    headers = {"Host": host, "Content-Type": "application/json"}
    connection.request("POST", path, body, headers)
    response = connection.getresponse()
    response.read()
    assert response.status == 200, response.status
    print(f"answered {turn}", flush=True)
