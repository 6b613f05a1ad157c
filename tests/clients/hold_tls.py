"""A worker that has the TLS library mapped and does nothing, like a server at rest."""

import ssl  # noqa: F401
import sys

print("ready", flush=True)
sys.stdin.read()
