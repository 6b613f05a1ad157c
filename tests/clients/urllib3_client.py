"""urllib3: HOST PATH BODY-FILE COUNT requests from one pool."""

import os
import sys

import urllib3

host, path, body_file, count = sys.argv[1:]
body = open(body_file, "rb").read()
options = {"ca_certs": os.environ["SSL_CERT_FILE"]}
proxy = os.environ.get("HTTPS_PROXY")
pool = urllib3.ProxyManager(proxy, **options) if proxy else urllib3.PoolManager(**options)
for _ in range(int(count)):
    headers = {"Content-Type": "application/json"}
    response = pool.request("POST", f"https://{host}{path}", body=body, headers=headers)
    assert response.status == 200, response.status
