"""curl_cffi: HOST PATH BODY-FILE COUNT requests in one session. It has BoringSSL in it."""

import os
import sys

from curl_cffi import requests

host, path, body_file, count = sys.argv[1:]
body = open(body_file, "rb").read()
with requests.Session(verify=os.environ["SSL_CERT_FILE"]) as session:
    for _ in range(int(count)):
        headers = {"Content-Type": "application/json"}
        response = session.post(f"https://{host}{path}", data=body, headers=headers)
        assert response.status_code == 200, response.status_code
