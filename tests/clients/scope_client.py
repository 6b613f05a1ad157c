"""Posts from processes that are hard to follow: MODE HOST PATH BODY-FILE COUNT.

Prints `started` when the TLS library is there, and goes on with each line on
standard input. Every post is a connection of its own unless the mode says
otherwise.
"""

import ctypes
import http.client
import os
import ssl
import subprocess
import sys
import threading

EXIT = 60  # x86-64: ends the calling thread alone.

mode, host, path, body_file, count = sys.argv[1:]
body = open(body_file, "rb").read()
context = ssl.create_default_context()


def post(connection):
    connection.request("POST", path, body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    response.read()
    assert response.status == 200, response.status


def post_once():
    connection = http.client.HTTPSConnection(host, context=context)
    post(connection)
    connection.close()


def go_on(said):
    print(said, flush=True)
    # Past the buffer of sys.stdin, which a forked process would share.
    while os.read(0, 1) not in (b"\n", b""):
        pass


def curl():
    options = ["--silent", "--show-error", "--fail", "--output", "/dev/null"]
    return ["curl", *options, "--data-binary", f"@{body_file}", f"https://{host}{path}"]


def forks():
    """A master that forks workers; each posts, and one forks another that does."""
    go_on("started")
    for number in range(int(count)):
        if os.fork() == 0:
            post_once()
            if number == 0 and os.fork() == 0:
                post_once()
                os._exit(0)
            os._exit(0)
    go_on("forked")


def execs():
    """Runs another program as a child and as itself, which nobody watches."""
    go_on("started")
    post_once()
    subprocess.run(curl(), check=True)
    child = os.fork()
    if child == 0:
        os.execvp("curl", curl())
    assert os.waitpid(child, 0)[1] == 0
    post_once()
    print("ran", flush=True)
    os.execvp("sh", ["sh", "-c", " ".join(curl()) + " && echo replaced && cat"])


def headless():
    """The main thread ends between two requests on one connection."""
    connection = http.client.HTTPSConnection(host, context=context)

    def serve():
        post(connection)
        go_on("posted")
        post(connection)
        go_on("again")
        # One more process, forked by a process without a main thread.
        if os.fork() == 0:
            post_once()
            os._exit(0)
        go_on("forked")

    go_on("started")
    threading.Thread(target=serve).start()
    ctypes.CDLL(None).syscall(EXIT, 0)


def named():
    """Its name is no text."""
    ctypes.CDLL(None).prctl(15, b"caf\xe9\n1) S 9", 0, 0, 0)
    go_on("started")
    post_once()
    go_on("posted")


def moved():
    """Whoever started it moves it from cgroup to cgroup."""
    go_on("started")
    post_once()
    go_on("posted")
    post_once()
    go_on("again")


modes = [forks, execs, headless, named, moved]
{function.__name__: function for function in modes}[mode]()
