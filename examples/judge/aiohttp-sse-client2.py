# Python's `aiohttp-sse-client2`; prints the events that it dispatches.
import asyncio
import json
import sys

from aiohttp_sse_client2.client import EventSource


async def main():
    async with EventSource(sys.argv[1]) as source:
        async for event in source:
            event = {"type": event.type or "message", "data": event.data, "id": event.last_event_id}
            print(json.dumps(event), flush=True)


asyncio.run(main())
