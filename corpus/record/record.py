#!/usr/bin/env python3
"""Records what unmodified client libraries send, for the corpus.

Run as root from anywhere: corpus/record/record.py [FOLDER]. FOLDER (default
target/record) gets the libraries, installed by name. Everything that they send
stays in a network namespace of its own, in which the trackers' names mean
127.0.0.1; there a server with a certificate of a throw-away authority takes it.
Writes corpus/recorded/{python,node}.jsonl, one request a line, with its label.
The people in it do not exist (story.json).
"""
import base64
import gzip
import http.server
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
STORY = json.load(open(os.path.join(HERE, "story.json")))
PYTHON = [
    ["facebook-business"], ["tiktok-business-api-sdk-official"],
    ["segment-analytics-python", "mixpanel", "amplitude-analytics", "posthog"],
    ["ga4mp", "hubspot-api-client"], ["rudder-sdk-python", "customerio"], ["klaviyo-api"],
    ["snowplow-tracker", "snap-business-sdk", "sentry-sdk"],
]
NODE = [
    "facebook-nodejs-business-sdk", "@segment/analytics-node", "mixpanel", "posthog-node",
    "@amplitude/analytics-node", "@rudderstack/rudder-sdk-node", "universal-analytics", "customerio-node",
    "klaviyo-api", "@snowplow/node-tracker", "matomo-tracker", "@hubspot/api-client", "intercom-client",
]
# Headers that say how a request was sent and from which machine, not what.
KEPT = {"content-type", "content-encoding", "authorization", "access-token", "revision", "user-agent", "cookie"}


def run(*command, **options):
    subprocess.run(command, check=True, **options)


def install(folder):
    """The libraries, in a virtual environment and a node_modules below `folder`."""
    python = os.path.join(folder, "venv/bin/python")
    if not os.path.exists(python):
        run(sys.executable, "-m", "venv", os.path.join(folder, "venv"))
        # In small groups: the resolver loses its way in one large set.
        for group in PYTHON:
            run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *group)
    node = os.path.join(folder, "node")
    if not os.path.exists(os.path.join(node, "node_modules")):
        os.makedirs(node, exist_ok=True)
        run("npm", "init", "--yes", cwd=node, stdout=subprocess.DEVNULL)
        run("npm", "install", "--no-audit", "--no-fund", "--silent", *NODE, cwd=node)


def authority(folder):
    """A certificate for every tracker, and the authority that signed it."""
    names = ",".join(f"DNS:{host}" for host in STORY["hosts"])
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    quiet = {"cwd": folder, "stderr": subprocess.DEVNULL}
    run("openssl", "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=recorder", **quiet)
    run("openssl", "req", "-new", *key, "-keyout", "sink.key", "-out", "sink.csr", "-subj", "/CN=sink", **quiet)
    with open(os.path.join(folder, "names.cnf"), "w") as file:
        file.write(f"subjectAltName={names}\n")
    run("openssl", "x509", "-req", "-in", "sink.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
        "-out", "sink.pem", "-days", "2", "-extfile", "names.cnf", **quiet)


class Sink(http.server.BaseHTTPRequestHandler):
    """Takes requests down and answers what the libraries want to hear."""
    protocol_version = "HTTP/1.1"
    requests = []

    def take(self):
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            body = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        host = self.headers["Host"].split(":")[0]
        Sink.requests.append((self.command, host, self.path, list(self.headers.items()), body))
        reply = b"{}"
        if "facebook" in host:
            reply = b'{"events_received":1,"messages":[],"fbtrace_id":"x","data":[]}'
        elif "mixpanel" in host:
            reply = b'{"status":1}' if b"verbose=1" in body else b"1"
        elif "tiktok" in host:
            reply = b'{"code":0,"message":"OK","data":{},"request_id":"x"}'
        elif "hubapi" in host:
            reply = b'{"id":"1","properties":{},"createdAt":"2026-01-01T00:00:00Z","updatedAt":"2026-01-01T00:00:00Z","archived":false,"results":[]}'
        elif "snapchat" in host:
            reply = b'{"status":"SUCCESS","reason":"x"}'
        elif "sourceConfig" in self.path:
            reply = b'{"source":{"config":{}}}'
        # Creating a contact is answered with 201.
        self.send_response(201 if "hubapi" in host and self.command == "POST" else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = take

    def log_message(self, *_):
        pass


def note(text, template):
    """`class=Level+also`, as the corpus reads it."""
    what, _, also = text.partition("+")
    name, level = what.split("=")
    pseudonyms = ["online_id", "external_id", "device_id"]
    return {
        "class": name, "level": level, "health": level in ("Context", "Explicit"),
        "or": pseudonyms if name in pseudonyms else [], "also": [also] if also else [], "template": template,
    }


def label(sdk, case):
    """One event of `sdk` in `case`: who, and what of it."""
    own = STORY["sdks"][sdk]
    said = STORY["notes"][case]
    texts = own["who"] + own.get("extra", {}).get(case, [])
    for part in own["carries"]:
        texts += said[part.removesuffix("_snake")]
    return {"notes": [note(text, f"recorded {text}") for text in texts]}


def recorded(sdk, case, request):
    """The line of a request."""
    own = STORY["sdks"][sdk]
    method, host, target, headers, body = request
    is_event = method != "GET" or own["platform"] in ("mixpanel", "matomo")
    is_event = is_event and bool(re.search(own["path"], target.split("?")[0]))
    kind = "housekeeping" if case == "housekeeping" or not is_event else "shop" if case == "shop" else "phi"
    count = own.get("batch", 1) if kind != "housekeeping" else 0
    kept = [[name, value.split(" ")[0] if name.lower() == "user-agent" else value]
            for name, value in headers if name.lower() in KEPT]
    return {
        "sdk": sdk, "case": case, "platform": own["platform"], "weight": own["weight"], "kind": kind,
        "method": method, "host": host, "target": target, "headers": kept,
        "body": base64.b64encode(body).decode(), "events": [label(sdk, case)] * count if count else [],
    }


def check(line, folder):
    """Nothing of this machine may stand in a recording."""
    body = base64.b64decode(line["body"])
    if body[:2] == b"\x1f\x8b":
        body = gzip.decompress(body)
    for word in (folder, HERE, socket.gethostname(), "/usr/", "/home/", "/root", "/tmp/"):
        if word.encode() in body or word in line["target"]:
            raise SystemExit(f"{line['sdk']} {line['case']}: holds {word!r} of this machine")


def inside(folder):
    """In the namespace: every library, every case."""
    run("ip", "link", "set", "lo", "up")
    hosts = os.path.join(folder, "hosts")
    with open(hosts, "w") as file:
        file.writelines(f"127.0.0.1 {host}\n" for host in [*STORY["hosts"], "localhost"])
    run("mount", "--bind", hosts, "/etc/hosts")
    authority(folder)
    ca = os.path.join(folder, "ca.pem")
    python = os.path.join(folder, "venv/bin/python")
    bundle = subprocess.run([python, "-c", "import certifi; print(certifi.where())"], check=True, capture_output=True, text=True)
    run("mount", "--bind", ca, bundle.stdout.strip())
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 443), Sink)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(os.path.join(folder, "sink.pem"), os.path.join(folder, "sink.key"))
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    plain = http.server.ThreadingHTTPServer(("127.0.0.1", 80), Sink)
    threading.Thread(target=plain.serve_forever, daemon=True).start()
    environment = {
        "PATH": os.environ["PATH"], "HOME": folder, "SSL_CERT_FILE": ca, "REQUESTS_CA_BUNDLE": ca,
        "NODE_EXTRA_CA_CERTS": ca, "NODE_PATH": os.path.join(folder, "node/node_modules"), "PYTHONDONTWRITEBYTECODE": "1",
    }
    # A library resolves its own from where its script stands.
    for name in ("clients.js", "clients.py", "story.json"):
        shutil.copy(os.path.join(HERE, name), os.path.join(folder, "node", name))
    files = {"py": "python", "js": "node"}
    lines = {name: [] for name in files.values()}
    for sdk in STORY["sdks"]:
        name, _, language = sdk.rpartition(".")
        for case in (*STORY["cases"], "housekeeping"):
            program = python if language == "py" else "node"
            before = len(Sink.requests)
            script = os.path.join(folder, "node", f"clients.{language}")
            subprocess.run([program, script, name, case], env=environment, cwd=folder, timeout=60)
            time.sleep(0.1)
            got = [recorded(sdk, case, request) for request in Sink.requests[before:]]
            wanted = [line for line in got if line["kind"] != "housekeeping"]
            if case != "housekeeping" and not wanted:
                print(f"{sdk} {case}: nothing of what was wanted arrived ({len(got)} requests)", file=sys.stderr)
            for line in got:
                check(line, folder)
            lines[files[language]] += got
    target = os.path.join(HERE, "../recorded")
    for name, own in lines.items():
        with open(os.path.join(target, f"{name}.jsonl"), "w") as file:
            file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in own)
        print(f"{name}: {len(own)} requests of {len({line['sdk'] for line in own})} libraries")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        inside(sys.argv[2])
    else:
        folder = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "../../target/record"))
        os.makedirs(folder, exist_ok=True)
        install(folder)
        os.execvp("unshare", ["unshare", "--net", "--mount", "--propagation", "private", "--",
                              sys.executable, os.path.abspath(__file__), "--inside", folder])
