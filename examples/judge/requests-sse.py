# Python's `requests-sse`; prints the events that it dispatches.
import json
import sys

from requests_sse import EventSource

with EventSource(sys.argv[1]) as source:
    for event in source:
        print(json.dumps({"type": event.type, "data": event.data, "id": event.last_event_id}), flush=True)
