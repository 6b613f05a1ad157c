"""asyncio streams (memory BIOs): HOST PATH BODY-FILE COUNT on one connection."""

import asyncio
import ssl
import sys

host, path, body_file, count = sys.argv[1:]
body = open(body_file, "rb").read()
head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n\r\n".encode()


async def main():
    reader, writer = await asyncio.open_connection(host, 443, ssl=ssl.create_default_context())
    for _ in range(int(count)):
        writer.write(head)
        writer.write(body)
        await writer.drain()
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200 "), answer[:16]
        length = answer.lower().split(b"content-length:")[1].split(b"\r\n")[0]
        await reader.readexactly(int(length))
    writer.close()
    await writer.wait_closed()


asyncio.run(main())
