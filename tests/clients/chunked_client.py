"""http.client with a chunked body: HOST PATH BODY-FILE COUNT on one connection."""

import http.client
import sys

host, path, body_file, count = sys.argv[1:]
body = open(body_file, "rb").read()
connection = http.client.HTTPSConnection(host)
for _ in range(int(count)):
    pieces = (body[at:at + 5000] for at in range(0, len(body), 5000))
    connection.request("POST", path, pieces, {"Transfer-Encoding": "chunked"}, encode_chunked=True)
    response = connection.getresponse()
    response.read()
    assert response.status == 200, response.status
connection.close()
