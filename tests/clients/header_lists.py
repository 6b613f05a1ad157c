"""Writes random header lists, compressed by PyPI's `hpack`, as HTTP/2 of a client.

COUNT SEED; the preface and a HEADERS frame for each list go to standard output, and what
the lists say to standard error: a line for each list, and in it its fields in
hexadecimal, names and values separated by colons, fields by spaces.
"""

import random
import struct
import sys

import hpack

count, seed = map(int, sys.argv[1:])
dice = random.Random(seed)
encoder = hpack.Encoder()
NAMES = [b"accept", b"content-type", b"user-agent", b"authorization", b"x-request-id",
         b"x-fb-trace", b"traceparent", b"via", b"range"]
NAME = b"abcdefghijklmnopqrstuvwxyz0123456789-_"
TEXT = bytes(range(0x20, 0x7f))
# Without those that end a line.
BYTES = bytes(byte for byte in range(1, 256) if byte not in (10, 13))
# What is repeated is in the table.
said = []


def text(letters, longest):
    return bytes(dice.choices(letters, k=dice.randint(1, longest)))


def field():
    if said and dice.random() < 0.5:
        return dice.choice(said)
    name = dice.choice(NAMES) if dice.random() < 0.6 else text(NAME, 24)
    value = text(BYTES if dice.random() < 0.1 else TEXT, dice.choice((4, 40, 400))).strip()
    said.append((name, value))
    del said[:-40]
    return name, value


out, lists = sys.stdout.buffer, sys.stderr
out.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + struct.pack(">IBBI", 0, 4, 0, 0)[1:])
for number in range(count):
    if dice.random() < 0.01:
        encoder.header_table_size = dice.choice((0, 100, 1000, 4096, 40_000))
    fields = [
        (b":method", dice.choice((b"GET", b"POST", b"PUT"))),
        (b":scheme", b"https"),
        (b":authority", dice.choice((b"graph.example.com", b"api.example.net"))),
        (b":path", b"/" + text(NAME, 60)),
    ] + [field() for _ in range(dice.randint(0, 8))]
    # What is sensitive is never indexed.
    block = encoder.encode(
        [(name, value, dice.random() < 0.05) for name, value in fields],
        huffman=dice.random() < 0.7,
    )
    assert len(block) <= 16_384
    out.write(struct.pack(">IBBI", len(block), 1, 5, 2 * number + 1)[1:] + block)
    lists.write(" ".join(f"{name.hex()}:{value.hex()}" for name, value in fields) + "\n")
