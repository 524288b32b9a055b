// The EventSource of Node's `undici`; prints the events that it dispatches, and its states.
const { EventSource } = require("undici");

const print = (line) => console.log(JSON.stringify(line));
const source = new EventSource(process.argv[2]);
for (const type of ["message", "x", "close"]) {
    source.addEventListener(type, ({ data, lastEventId }) => print({ type, data, id: lastEventId }));
}
source.addEventListener("open", () => print({ state: "open" }));
source.addEventListener("error", () => print({ state: "error" }));
source.addEventListener("close", () => {
    source.close();
    print({ state: "closed" });
});
// Its wait before a reconnection does not keep the process alive.
setInterval(() => {}, 1000);
