// Node's `eventsource`; prints the events that it dispatches.
const { EventSource } = require("eventsource");

const source = new EventSource(process.argv[2]);
for (const type of ["message", "x"]) {
    source.addEventListener(type, ({ data, lastEventId }) => {
        console.log(JSON.stringify({ type, data, id: lastEventId }));
    });
}
