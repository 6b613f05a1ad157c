"""An HTTP/3 server on 127.0.0.1: PORT CERTIFICATE KEY. Answers 200 to whatever it is
asked.

Prints `ready`, then a line for each request: its host and the length of its body.
"""

import asyncio
import sys

from aioquic.asyncio import QuicConnectionProtocol, serve
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ProtocolNegotiated

port, certificate, key = sys.argv[1:]


class Server(QuicConnectionProtocol):
    http = None

    def quic_event_received(self, event):
        if isinstance(event, ProtocolNegotiated):
            self.http = H3Connection(self._quic)
            self.asked = {}
        if self.http is None:
            return
        for own in self.http.handle_event(event):
            if isinstance(own, HeadersReceived):
                host = dict(own.headers)[b":authority"].decode()
                self.asked[own.stream_id] = [host, 0]
            elif isinstance(own, DataReceived):
                self.asked[own.stream_id][1] += len(own.data)
            if own.stream_ended:
                print(*self.asked.pop(own.stream_id), flush=True)
                self.http.send_headers(own.stream_id, [(b":status", b"200")], end_stream=True)
                self.transmit()


async def main():
    configuration = QuicConfiguration(alpn_protocols=H3_ALPN, is_client=False)
    configuration.load_cert_chain(certificate, key)
    await serve("127.0.0.1", int(port), configuration=configuration, create_protocol=Server)
    print("ready", flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
