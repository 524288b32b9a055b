// The EventSource of Node's `undici`; prints the events that it dispatches.
const { EventSource } = require("undici");

const source = new EventSource(process.argv[2]);
for (const type of ["message", "x"]) {
    source.addEventListener(type, ({ data, lastEventId }) => {
        console.log(JSON.stringify({ type, data, id: lastEventId }));
    });
}
// Its wait before a reconnection does not keep the process alive.
setInterval(() => {}, 1000);
