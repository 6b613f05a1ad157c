"""httpx: HOST PATH BODY-FILE COUNT requests in one client, HTTP/2 where the server has it."""

import os
import sys

import httpx

host, path, body_file, count = sys.argv[1:]
body = open(body_file, "rb").read()
with httpx.Client(http2=True, verify=os.environ["SSL_CERT_FILE"], timeout=30) as client:
    for _ in range(int(count)):
        headers = {"Content-Type": "application/json"}
        response = client.post(f"https://{host}{path}", content=body, headers=headers)
        assert response.status_code == 200, response.status_code
