"""Posts without a pause on one connection: HOST PATH BODY-FILE SECONDS.

Prints `sending` when it is under way. Ends by itself after SECONDS, or after
a number of requests that no test reaches.
"""

import http.client
import sys
import time

MOST = 200_000

host, path, body_file, seconds = sys.argv[1:]
body = open(body_file, "rb").read()
end = time.monotonic() + float(seconds)
connection = http.client.HTTPSConnection(host)
for number in range(MOST):
    if time.monotonic() > end:
        break
    connection.request("POST", path, body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    response.read()
    assert response.status == 200, response.status
    if number == 20:
        print("sending", flush=True)
connection.close()
