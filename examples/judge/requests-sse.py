# Python's `requests-sse`; prints the events that it dispatches, and its states.
import json
import sys
import time

from requests_sse import EventSource


def report(line):
    print(json.dumps(line), flush=True)


with EventSource(
    sys.argv[1],
    # One of the test cases is about this field.
    headers={"Authorization": "Bearer judge"},
    on_open=lambda: report({"state": "open"}),
    on_error=lambda: report({"state": "error"}),
) as source:
    for event in source:
        report({"type": event.type, "data": event.data, "id": event.last_event_id})
        if event.type == "close":
            source.close()
            report({"state": "closed"})
            # The end of the process would close the connection as well.
            time.sleep(3)
            break
