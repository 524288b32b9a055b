// Node's `eventsource-client`; prints the events that it dispatches.
const { createEventSource } = require("eventsource-client");

const source = createEventSource({
    url: process.argv[2],
    onMessage: ({ event, data }) => {
        console.log(JSON.stringify({ type: event ?? "message", data, id: source.lastEventId ?? "" }));
    },
});
