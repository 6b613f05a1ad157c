"""A worker that has the TLS library mapped and does nothing, like a server at rest.

So it has the files that are its arguments.
"""

import ctypes
import ssl  # noqa: F401
import sys

for path in sys.argv[1:]:
    ctypes.CDLL(path)
print("ready", flush=True)
sys.stdin.read()
