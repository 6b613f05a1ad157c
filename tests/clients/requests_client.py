"""requests: HOST PATH BODY-FILE COUNT requests in one session."""

import sys

import requests

host, path, body_file, count = sys.argv[1:]
body = open(body_file, "rb").read()
with requests.Session() as session:
    for _ in range(int(count)):
        headers = {"Content-Type": "application/json"}
        response = session.post(f"https://{host}{path}", data=body, headers=headers)
        assert response.status_code == 200, response.status_code
