// Node's `eventsource`; prints the events that it dispatches, and its states.
const { EventSource } = require("eventsource");

const print = (line) => console.log(JSON.stringify(line));
// One of the test cases is about Authorization.
const authorization = { Authorization: "Bearer judge" };
const source = new EventSource(process.argv[2], {
    fetch: (url, init) => fetch(url, { ...init, headers: { ...init.headers, ...authorization } }),
});
for (const type of ["message", "x", "close"]) {
    source.addEventListener(type, ({ data, lastEventId }) => print({ type, data, id: lastEventId }));
}
source.addEventListener("open", () => print({ state: "open" }));
source.addEventListener("error", ({ message }) => print({ state: "error", message }));
source.addEventListener("close", () => {
    source.close();
    print({ state: "closed" });
    // The end of the process would close the connection as well.
    setTimeout(() => {}, 3000);
});
