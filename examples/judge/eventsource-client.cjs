// Node's `eventsource-client`; prints the events that it dispatches, and its states.
const { createEventSource } = require("eventsource-client");

const print = (line) => console.log(JSON.stringify(line));
const source = createEventSource({
    url: process.argv[2],
    // One of the test cases is about this field.
    headers: { Authorization: "Bearer judge" },
    onMessage: ({ event, data }) => {
        print({ type: event ?? "message", data, id: source.lastEventId ?? "" });
        if (event === "close") {
            source.close();
            print({ state: "closed" });
            // The end of the process would close the connection as well.
            setTimeout(() => {}, 3000);
        }
    },
    onConnect: () => print({ state: "open" }),
    // It has no other callback that is called each time a connection is lost.
    onScheduleReconnect: () => print({ state: "error" }),
});
