"""A request by TLS whose body waits for a line on standard input.

HOST PATH BODY-FILE; prints `head` when the head was sent, `sent` at the end.
"""

import http.client
import sys

host, path, body_file = sys.argv[1:]
body = open(body_file, "rb").read()
connection = http.client.HTTPSConnection(host)
connection.putrequest("POST", path)
connection.putheader("Content-Type", "application/json")
connection.putheader("Content-Length", str(len(body)))
connection.endheaders()
print("head", flush=True)
sys.stdin.readline()
connection.send(body)
response = connection.getresponse()
response.read()
assert response.status == 200, response.status
connection.close()
print("sent", flush=True)
