// Starts the program for the tests of a file, and drives it. The program ends with `stop`, or with this process.
const { spawn } = require("node:child_process");
const { once } = require("node:events");
const { createInterface } = require("node:readline");

exports.startServer = async (...options) => {
    const all = ["--control", "--exit-with-stdin", ...options, "127.0.0.1:0"];
    const child = spawn("rust_sse_server", all, { stdio: ["pipe", "pipe", "inherit"] });
    const [line] = await once(createInterface(child.stdout), "line");
    const { origin } = new URL(line.split(" ").at(-1));
    const drive = async (method, path, body) => {
        const response = await fetch(`${origin}/-/${path}`, { method, body });
        const text = await response.text();
        if (!response.ok) throw new Error(text);
        return text;
    };
    return { origin, drive, stop: () => child.stdin.end() };
};
