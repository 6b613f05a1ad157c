"""Two traffic shapes that test the verdicts: MODE HOST PATH BODY-FILE ROUNDS [OTHER].

`fresh`: each round makes a short request to OTHER on a connection of its own,
and then posts the body to HOST on another one, which takes over the addresses
that the first has left. `alternate`: one connection to HOST, on which each
round makes a GET without a body and then posts the body. http.client writes
the head and the body separately.
"""

import http.client
import sys

mode, host, path, body_file, rounds = sys.argv[1:6]
body = open(body_file, "rb").read()


def ask(connection, method, target, content=None):
    headers = {"Content-Type": "application/json"} if content else {}
    connection.request(method, target, content, headers)
    response = connection.getresponse()
    response.read()
    assert response.status == 200, response.status


def once(name, method, target, content=None):
    connection = http.client.HTTPSConnection(name)
    ask(connection, method, target, content)
    connection.close()


if mode == "fresh":
    other = sys.argv[6]
    for _ in range(int(rounds)):
        once(other, "GET", "/health")
        once(host, "POST", path, body)
elif mode == "alternate":
    connection = http.client.HTTPSConnection(host)
    for _ in range(int(rounds)):
        ask(connection, "GET", "/me")
        ask(connection, "POST", path, body)
    connection.close()
else:
    sys.exit(f"no such mode: {mode}")
