// Tests of a client, here npm's `eventsource`.
const assert = require("node:assert/strict");
const { on } = require("node:events");
const { after, afterEach, before, beforeEach, test } = require("node:test");
const { EventSource } = require("eventsource");
const { startServer } = require("./server.cjs");

const FEED = `@resume
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
`;

let server, source, events;
before(async () => {
    server = await startServer("--only");
});
beforeEach(async () => {
    await server.drive("POST", "reset");
    await server.drive("PUT", "scripts/feed", FEED);
    source = new EventSource(`${server.origin}/feed`);
    events = on(source, "message");
});
afterEach(() => source.close());
after(() => server.stop());

/** The data of the next event. */
async function next() {
    const { value } = await events.next();
    return value[0].data;
}

test("the test decides when each event is sent", async () => {
    assert.equal(await next(), "one");
    await server.drive("POST", "go/two");
    assert.equal(await next(), "two");
    await server.drive("POST", "send/feed", "data: pushed\n\n");
    assert.equal(await next(), "pushed");
});

test("a client that loses its stream resumes it after the reconnection time", async () => {
    assert.equal(await next(), "one");
    await server.drive("POST", "go/two");
    assert.equal(await next(), "two");
    await server.drive("POST", "drop/feed");
    const end = JSON.parse(await server.drive("GET", "journal?end=1&wait=5s"));
    const request = JSON.parse(await server.drive("GET", "journal?request=2&wait=5s"));
    assert.deepEqual(request.headers["last-event-id"], ["2"]);
    const pause = request.time - end.time;
    assert.ok(pause > 190 && pause < 1000, `reconnected after ${pause} ms`);
    await server.drive("POST", "go/three");
    assert.equal(await next(), "three");
});

test("a reset leaves nothing of the previous test", async () => {
    assert.equal(await next(), "one");
    const request = JSON.parse(await server.drive("GET", "journal?request=1&wait=5s"));
    assert.equal(request.headers["last-event-id"], undefined);
});
