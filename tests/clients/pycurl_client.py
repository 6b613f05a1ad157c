"""pycurl: HOST PATH BODY-FILE COUNT requests on one connection.

The wheel brings OpenSSL under a name of its own; Debian's package uses GnuTLS.
"""

import io
import os
import sys

import pycurl

host, path, body_file, count = sys.argv[1:]
body = open(body_file, "rb").read()
curl = pycurl.Curl()
curl.setopt(pycurl.URL, f"https://{host}{path}")
curl.setopt(pycurl.CAINFO, os.environ["SSL_CERT_FILE"])
curl.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS)
curl.setopt(pycurl.HTTPHEADER, ["Content-Type: application/json", "Expect:"])
curl.setopt(pycurl.POST, 1)
curl.setopt(pycurl.POSTFIELDSIZE, len(body))
curl.setopt(pycurl.WRITEFUNCTION, lambda _: None)
for _ in range(int(count)):
    # Read piece by piece, and sent whenever the socket has room.
    curl.setopt(pycurl.READFUNCTION, io.BytesIO(body).read)
    curl.perform()
    assert curl.getinfo(pycurl.RESPONSE_CODE) == 200
print(pycurl.version)
