'use strict';

// Parses event streams with the page's model, for `event_stream.rs`. Each line of standard input is a stream in hexadecimal; each
// line of the output is a JSON array of its events: type, data, last event ID. Argument: the folder of the pages.

const { readFileSync } = require('node:fs');
const { runInThisContext } = require('node:vm');

for (const name of ['both/text.js', 'wire/event_stream.js']) runInThisContext(readFileSync(`${process.argv[2]}/${name}`, 'utf8'));

// The events of a stream that comes in pieces of this many bytes.
function parse(bytes, size) {
	const stream = runInThisContext('new EventStream()');
	const lines = [];
	for (let at = 0; at < bytes.length; at += size) lines.push(...stream.push(bytes.slice(at, at + size)));
	stream.end();
	return lines.flatMap(({ event }) => event ? [[event.type, event.data, event.lastEventId]] : []);
}

for (const line of readFileSync(0, 'utf8').trimEnd().split('\n')) {
	const bytes = Buffer.from(line, 'hex').toString('latin1');
	const [whole, ...others] = [Math.max(1, bytes.length), 1, 2, 3].map(size => JSON.stringify(parse(bytes, size)));
	console.log(others.every(other => other === whole) ? whole : `in pieces: ${others}, and not ${whole}`);
}
