# Python's `aiohttp-sse-client2`; prints the events that it dispatches, and its states.
import asyncio
import json
import sys

from aiohttp_sse_client2.client import EventSource


def report(line):
    print(json.dumps(line), flush=True)


async def main():
    async with EventSource(
        sys.argv[1],
        # One of the test cases is about this field.
        headers={"Authorization": "Bearer judge"},
        on_open=lambda: report({"state": "open"}),
        on_error=lambda: report({"state": "error"}),
    ) as source:
        async for event in source:
            report({"type": event.type or "message", "data": event.data, "id": event.last_event_id})
            if event.type == "close":
                await source.close()
                report({"state": "closed"})
                # The end of the process would close the connection as well.
                await asyncio.sleep(3)
                return


asyncio.run(main())
