"""aiohttp: HOST PATH BODY-FILE COUNT requests in one session."""

import asyncio
import sys

import aiohttp
import yarl

host, path, body_file, count = sys.argv[1:]
body = open(body_file, "rb").read()


async def main():
    async with aiohttp.ClientSession(trust_env=True) as session:
        for _ in range(int(count)):
            headers = {"Content-Type": "application/json"}
            url = yarl.URL(f"https://{host}{path}", encoded=True)
            async with session.post(url, data=body, headers=headers) as response:
                await response.read()
                assert response.status == 200, response.status


asyncio.run(main())
