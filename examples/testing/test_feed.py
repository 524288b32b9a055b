"""Tests of a client, here one with `httpx-sse`."""
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from httpx_sse import connect_sse
from server import Server

FEED = """@resume
retry: 200
id: 1
data: one

@pause two
id: 2
data: two

@pause three
id: 3
data: three

@hang
"""


def read(url):
    """The client under test: the data of each event. It resumes a stream that it loses."""
    headers, delay = {}, 3.0
    while True:
        try:
            with connect_sse(httpx, "GET", url, headers=headers) as source:
                for event in source.iter_sse():
                    headers["Last-Event-ID"] = event.id
                    delay = event.retry / 1000 if event.retry is not None else delay
                    yield event.data
        except httpx.TransportError:
            time.sleep(delay)


@pytest.fixture(scope="module")
def program():
    server = Server("--only")
    yield server
    server.stop()


@pytest.fixture
def server(program):
    program.drive("POST", "reset")
    program.drive("PUT", "scripts/feed", FEED)
    return program


def test_the_test_decides_when_each_event_is_sent(server):
    events = read(f"{server.origin}/feed")
    assert next(events) == "one"
    server.drive("POST", "go/two")
    assert next(events) == "two"
    server.drive("POST", "send/feed", "data: pushed\n\n")
    assert next(events) == "pushed"


def test_a_client_that_loses_its_stream_resumes_it_after_the_reconnection_time(server):
    events = read(f"{server.origin}/feed")
    assert next(events) == "one"
    server.drive("POST", "go/two")
    assert next(events) == "two"
    server.drive("POST", "drop/feed")
    with ThreadPoolExecutor() as threads:
        three = threads.submit(next, events)
        end = server.drive("GET", "journal?end=1&wait=5s").json()
        request = server.drive("GET", "journal?request=2&wait=5s").json()
        assert request["headers"]["last-event-id"] == ["2"]
        assert 190 < request["time"] - end["time"] < 1000
        server.drive("POST", "go/three")
        assert three.result() == "three"


def test_a_reset_leaves_nothing_of_the_previous_test(server):
    events = read(f"{server.origin}/feed")
    assert next(events) == "one"
    request = server.drive("GET", "journal?request=1&wait=5s").json()
    assert "last-event-id" not in request["headers"]
