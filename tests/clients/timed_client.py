"""Posts one after another on a connection: HOST PATH BODY-FILE SECONDS.

Begins with a line of input, warms up for half a second, and prints a JSON object:
requests a second, and the 99th percentile of their times in microseconds.
"""

import http.client
import json
import sys
import time

host, path, body_file, seconds = sys.argv[1:]
body = open(body_file, "rb").read()
sys.stdin.readline()
connection = http.client.HTTPSConnection(host)


def post():
    start = time.perf_counter()
    connection.request("POST", path, body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    response.read()
    assert response.status == 200, response.status
    return time.perf_counter() - start


def posts(duration):
    end = time.perf_counter() + duration
    times = []
    while time.perf_counter() < end:
        times.append(post())
    return times


posts(0.5)
times = sorted(posts(float(seconds)))
print(json.dumps({"rate": len(times) / sum(times), "p99": times[len(times) * 99 // 100] * 1e6}), flush=True)
