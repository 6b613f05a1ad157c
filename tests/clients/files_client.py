"""Loads and maps what is called like a TLS library: MODE FOLDER.

Prints `started`, waits for a line on standard input, so that nobody looks at
its maps any more, prints `done`, and stays.
"""

import ctypes
import mmap
import os
import signal
import ssl  # noqa: F401
import sys

SYS_MMAP = 9

mode, folder = sys.argv[1:]
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
maps = open("/proc/self/maps").read().split()
library = open(next(word for word in maps if "/libssl.so" in word), "rb").read()


def copy(name):
    """A TLS library of its own, which was never opened under its name."""
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    nameless = os.path.join(os.path.dirname(path), "copy")
    with open(nameless, "wb") as file:
        file.write(library)
    os.rename(nameless, path)
    return path


def map_code(descriptor, length=None):
    """Maps a file as a loader would a library."""
    length = length or os.fstat(descriptor).st_size
    mapped = libc.syscall(
        ctypes.c_long(SYS_MMAP),
        ctypes.c_void_p(None),
        ctypes.c_size_t(length),
        ctypes.c_long(mmap.PROT_READ | mmap.PROT_EXEC),
        ctypes.c_long(mmap.MAP_PRIVATE),
        ctypes.c_long(descriptor),
        ctypes.c_long(0),
    )
    assert mapped > 0, os.strerror(ctypes.get_errno())


def load(path):
    """Loads a library as programs do, late."""
    ctypes.CDLL(path)


def hostile():
    """A pipe, a folder, a library of 511 MiB, and many empty files."""
    pipe = os.path.join(folder, "libssl.so.9")
    os.mkfifo(pipe)
    os.close(os.open(pipe, os.O_RDWR))
    os.mkdir(os.path.join(folder, "libssl.so.8"))
    os.close(os.open(os.path.join(folder, "libssl.so.8"), os.O_RDONLY))
    sparse = os.path.join(folder, "libssl.so.7")
    os.truncate(copy("large"), 511 << 20)
    os.rename(os.path.join(folder, "large"), sparse)
    map_code(os.open(sparse, os.O_RDONLY))
    os.symlink("/proc/self/fd/0", os.path.join(folder, "libssl.so.6"))
    os.close(os.open(os.path.join(folder, "libssl.so.6"), os.O_RDONLY))
    for number in range(200):
        path = os.path.join(folder, f"libssl.so.1{number}")
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT))
        map_code(os.open(path, os.O_RDONLY), 4096)
    load(copy("good/libssl.so.3"))


def late():
    load(copy("late/libssl.so.3"))


def crowd():
    """Many processes that map what this one maps, until somebody says to go on."""
    for _ in range(80):
        if os.fork() == 0:
            signal.pause()
    print("crowded", flush=True)
    sys.stdin.readline()


def layers():
    """The same file through two containers' file systems, and then another."""
    os.makedirs(os.path.join(folder, "layers"))
    libc.unshare(0x20000)
    libc.mount(None, b"/", None, ctypes.c_ulong(0x44000), None)
    base = os.path.join(folder, "layers").encode()
    assert libc.mount(b"layers", base, b"tmpfs", ctypes.c_ulong(0), None) == 0
    copy("layers/lower/libssl.so.3")
    for name in ("one", "two"):
        for part in ("upper", "work", name):
            os.makedirs(os.path.join(folder, "layers", name, part))
        at = os.path.join(folder, "layers", name)
        options = f"lowerdir={folder}/layers/lower,upperdir={at}/upper,workdir={at}/work"
        target = os.path.join(at, name).encode()
        mounted = libc.mount(b"overlay", target, b"overlay", ctypes.c_ulong(0), options.encode())
        assert mounted == 0, os.strerror(ctypes.get_errno())
        load(os.path.join(at, name, "libssl.so.3"))
        if name == "one":
            crowd()
    load(copy("last/libssl.so.3"))


modes = {"hostile": hostile, "late": late, "layers": layers}
print("started", flush=True)
sys.stdin.readline()
modes[mode]()
print("done", flush=True)
sys.stdin.read()
