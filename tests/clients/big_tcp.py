"""Lets the loopback device carry packets of up to SIZE bytes, IPv6 and IPv4.

By rtnetlink, because the `ip` of Debian 12 knows only the limit of IPv6.
"""

import socket
import struct
import sys

# linux/rtnetlink.h, linux/if_link.h
RTM_SETLINK = 19
NLM_F_REQUEST_AND_ACK = 1 | 4
NLMSG_ERROR = 2
IFLA_GSO_MAX_SIZE = 41
IFLA_GRO_MAX_SIZE = 58
IFLA_GSO_IPV4_MAX_SIZE = 63
IFLA_GRO_IPV4_MAX_SIZE = 64

size = int(sys.argv[1])
attributes = b"".join(
    struct.pack("=HHI", 8, kind, size)
    for kind in (
        IFLA_GSO_MAX_SIZE,
        IFLA_GRO_MAX_SIZE,
        IFLA_GSO_IPV4_MAX_SIZE,
        IFLA_GRO_IPV4_MAX_SIZE,
    )
)
link = struct.pack("=BxHiII", socket.AF_UNSPEC, 0, socket.if_nametoindex("lo"), 0, 0)
body = link + attributes
header = struct.pack("=IHHII", 16 + len(body), RTM_SETLINK, NLM_F_REQUEST_AND_ACK, 1, 0)
sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
sock.send(header + body)
answer = sock.recv(4096)
kind, error = struct.unpack_from("=4xH10xi", answer)
assert (kind, error) == (NLMSG_ERROR, 0), (kind, error)
