"""Writes the bundled capture: a pcap of one plaintext request and its answer.

Synthetic from end to end: the patient does not exist, the addresses are of
ranges kept for documentation, the telephone number of one kept for fiction.
Run it in its folder; the result is the same each time.
"""

import hashlib
import json
import struct

CLIENT, SERVER = bytes([192, 0, 2, 10]), bytes([198, 51, 100, 20])
START = 1_764_038_463


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


EVENT = {"data": [{
    "event_name": "CompleteRegistration",
    "event_time": START,
    "action_source": "website",
    "event_source_url": "https://clinic.example.com/therapy/depression-assessment",
    "user_data": {
        "em": [sha256("avery.testcase@example.com")],
        "ph": [sha256("12025550143")],
        "client_ip_address": "203.0.113.77",
    },
    "custom_data": {
        "content_name": "Depression self-assessment (PHQ-9)",
        "phq9_score": 18,
    },
}]}
BODY = json.dumps(EVENT).encode()
REQUEST = (
    b"POST /v26.0/100000000000001/events HTTP/1.1\r\nHost: graph.facebook.com\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY)
) + BODY
REPLY = b'{"events_received":1,"messages":[],"fbtrace_id":"x"}'
ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(REPLY)
) + REPLY


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def segment(sent, sequence, acknowledged, flags, payload=b""):
    source, target = (CLIENT, SERVER) if sent else (SERVER, CLIENT)
    ports = (40000, 80) if sent else (80, 40000)
    tcp = struct.pack(">HHIIBBHHH", *ports, sequence, acknowledged, 5 << 4, flags, 65535, 0, 0)
    pseudo = source + target + struct.pack(">BBH", 0, 6, len(tcp) + len(payload))
    tcp = tcp[:16] + struct.pack(">H", checksum(pseudo + tcp + payload)) + tcp[18:]
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp) + len(payload), 0, 0x4000, 64, 6, 0)
    ip += source + target
    ip = ip[:10] + struct.pack(">H", checksum(ip)) + ip[12:]
    return b"\2\0\0\0\0\2" + b"\2\0\0\0\0\1" + b"\x08\0" + ip + tcp + payload


SYN, ACK, PUSH, FIN = 0x02, 0x10, 0x08, 0x01
FRAMES = [segment(True, 999, 0, SYN), segment(False, 4999, 1000, SYN | ACK)]
FRAMES.append(segment(True, 1000, 5000, ACK))
sequence = 1000
for at in range(0, len(REQUEST), 500):
    piece = REQUEST[at:at + 500]
    FRAMES.append(segment(True, sequence, 5000, ACK | PUSH, piece))
    sequence += len(piece)
FRAMES.append(segment(False, 5000, sequence, ACK | PUSH, ANSWER))
FRAMES.append(segment(True, sequence, 5000 + len(ANSWER), ACK | FIN))

with open("meta.pcap", "wb") as file:
    file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
    for index, frame in enumerate(FRAMES):
        file.write(struct.pack("<IIII", START, index * 1000, len(frame), len(frame)) + frame)
