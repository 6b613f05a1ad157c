"""http.client: HOST PATH BODY-FILE COUNT requests on one connection.

The head and the body leave in separate writes, as with every Python client.
"""

import http.client
import sys

host, path, body_file, count = sys.argv[1:]
body = open(body_file, "rb").read()
connection = http.client.HTTPSConnection(host)
for _ in range(int(count)):
    connection.request("POST", path, body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    response.read()
    assert response.status == 200, response.status
connection.close()
