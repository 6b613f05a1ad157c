"""Opens what is called like a TLS library: MODE FOLDER.

Prints `started`, waits for a line on standard input, so that nobody looks at
its maps any more, prints `done`, and stays.
"""

import ctypes
import mmap
import os
import ssl  # noqa: F401
import sys

SYS_OPEN, SYS_MMAP, SYS_OPENAT, SYS_OPENAT2 = 2, 9, 257, 437
AT_FDCWD = -100

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


def map_code(descriptor):
    """Maps a library as its loader would."""
    assert descriptor >= 0, os.strerror(ctypes.get_errno())
    length = os.fstat(descriptor).st_size
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


def call(number, *arguments):
    return libc.syscall(ctypes.c_long(number), *arguments)


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
    os.close(os.open(sparse, os.O_RDONLY))
    os.symlink("/proc/self/fd/0", os.path.join(folder, "libssl.so.6"))
    os.close(os.open(os.path.join(folder, "libssl.so.6"), os.O_RDONLY))
    for number in range(1_100):
        path = os.path.join(folder, f"libssl.so.1{number}")
        open(path, "wb").close()
    map_code(os.open(copy("good/libssl.so.3"), os.O_RDONLY))


def plain():
    """By `open`, as musl does it."""
    path = copy("plain/libssl.so.3").encode()
    map_code(call(SYS_OPEN, ctypes.c_char_p(path), ctypes.c_long(os.O_RDONLY)))


def second():
    """By `openat2`."""
    path = copy("second/libssl.so.3").encode()
    how = (ctypes.c_uint64 * 3)(os.O_RDONLY, 0, 0)
    descriptor = call(
        SYS_OPENAT2,
        ctypes.c_long(AT_FDCWD),
        ctypes.c_char_p(path),
        ctypes.byref(how),
        ctypes.c_size_t(24),
    )
    map_code(descriptor)


def absent():
    """By a path in a page that nobody has touched yet."""
    path = copy("absent/libssl.so.3")
    constant = os.path.join(folder, "constant")
    with open(constant, "wb") as file:
        file.write(path.encode() + b"\0")
    page = os.open(constant, os.O_RDONLY)
    address = call(
        SYS_MMAP,
        ctypes.c_void_p(None),
        ctypes.c_size_t(4096),
        ctypes.c_long(mmap.PROT_READ),
        ctypes.c_long(mmap.MAP_PRIVATE),
        ctypes.c_long(page),
        ctypes.c_long(0),
    )
    descriptor = call(
        SYS_OPENAT,
        ctypes.c_long(AT_FDCWD),
        ctypes.c_void_p(address),
        ctypes.c_long(os.O_RDONLY),
        ctypes.c_long(0),
    )
    map_code(descriptor)


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
        map_code(os.open(os.path.join(at, name, "libssl.so.3"), os.O_RDONLY))
    map_code(os.open(copy("last/libssl.so.3"), os.O_RDONLY))


modes = {"hostile": hostile, "plain": plain, "second": second, "absent": absent, "layers": layers}
print("started", flush=True)
sys.stdin.readline()
modes[mode]()
print("done", flush=True)
sys.stdin.read()
