'use strict';

// The recorded exchanges of the page's EventSource as a script that plays them again: the same bytes in the same chunks, with the
// same pauses.

// Bytes of the bodies that are kept.
const MOST_KEPT = 4 << 20;
// Milliseconds. Shorter pauses come from the computer, and not from the script.
const SHORTEST_PAUSE = 5;
// Field lines that the server writes itself, and those that it writes unless a script says otherwise.
const WRITTEN = /^(transfer-encoding|content-length|connection|keep-alive|date)$/;
const DEFAULTS = { 'cache-control': 'no-cache', 'content-type': 'text/event-stream' };

// The script, with one character for each byte.
function scriptOf({ method, target }, exchanges) {
	const on = method === 'GET' ? '' : `@on ${method} ${target}\n`;
	const answered = exchanges.filter(({ response }) => isComplete(response));
	const parts = answered.map((exchange, n) => {
		const condition = n + 1 < answered.length ? `connection ${n + 1}` : 'otherwise';
		return [...(answered.length > 1 ? [`@part ${condition}\n`] : []), ...partOf(exchange)];
	});
	return [`@# Saved from ${toUtf8(target)}\n${toUtf8(on)}@literal on\n@chunk whole\n`, ...parts.flat()].join('');
}

// The lines for one exchange.
function partOf({ response, body, sentAt, how, endedAt }) {
	const lines = headOf(response);
	let time = sentAt;
	const wait = until => {
		if (until - time < SHORTEST_PAUSE) return;
		lines.push(`@sleep ${Math.round(until - time)}ms\n`);
		time = until;
	};
	let before = null;
	for (const piece of join(body)) {
		const count = lines.length;
		if (before === null && piece.time - sentAt >= SHORTEST_PAUSE) lines.push('@open\n');
		wait(piece.time);
		if (before?.isText && piece.isText && lines.length === count) lines.push('@cut\n');
		lines.push(lineOf(piece));
		before = piece;
	}
	if (endedAt) wait(endedAt);
	lines.push(endOf(how));
	return lines;
}

// The directions for a head.
function headOf(head) {
	const code = status(head);
	const fields = head.split('\r\n').slice(1, -2).map(line => line.match(/^([^:]*):[ \t]*(.*?)[ \t]*$/)).filter(match => match);
	const names = fields.map(([, name]) => name.toLowerCase());
	const lines = code === '200 OK' ? [] : [`@status ${code}\n`];
	for (const name of Object.keys(DEFAULTS)) if (!names.includes(name)) lines.push(`@header -${name}\n`);
	fields.forEach(([, name, value], n) => {
		if (WRITTEN.test(names[n]) || DEFAULTS[names[n]] === value) return;
		lines.push(`@header ${names.indexOf(names[n]) < n ? '+' : ''}${name}: ${value}\n`);
	});
	const length = field(head, 'content-length');
	if (length !== undefined) lines.push(`@framing length ${length}\n`);
	else if (!/chunked/i.test(field(head, 'transfer-encoding') ?? '') && !/^(204|304)/.test(code)) lines.push('@framing close\n');
	return lines;
}

// The pieces of the body, with those of one chunk put together.
function join(body) {
	const pieces = [];
	for (const piece of body) {
		const last = pieces[pieces.length - 1];
		if (last?.name === piece.name && last.chunk === piece.chunk) last.bytes += piece.bytes;
		else pieces.push({ ...piece });
	}
	for (const piece of pieces) piece.isText = /data|content/.test(piece.name) && /^[^\0-\x08\x0b-\x1f]*\n$/.test(piece.bytes);
	return pieces;
}

// A piece that ends with LF is written as lines, so that it can be read.
function lineOf({ name, bytes, isText }) {
	if (isText) return bytes.replace(/^@/gm, '@@');
	if (name === 'trailer field') return `@trailer ${bytes.trim()}\n`;
	return `@${name === 'malformed' ? 'wire' : 'send'} ${escapeText(bytes)}\n`;
}

// The escapes of TEXT in a script.
const escapeText = bytes => bytes.replace(/[^ -\[\]-~]|\\|^ | $/g, character => {
	const known = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\', ' ': '\\s' }[character];
	return known ?? '\\x' + character.charCodeAt(0).toString(16).padStart(2, '0');
});

const toUtf8 = text => String.fromCharCode(...new TextEncoder().encode(text));

function endOf(how = 'client disconnected') {
	if (how === 'complete, connection closed') return '@close\n';
	if (how.startsWith('complete') || how.startsWith('ended by')) return '';
	if (how === 'connection reset by the server') return '@reset\n';
	return how === 'client disconnected' ? '@hang\n' : '@drop\n';
}

// ---- The same request with curl.

function curlLine({ method, target, body }, lastEventId) {
	const quoteShell = text => `'${text.replaceAll("'", "'\\''")}'`;
	const id = lastEventId ? `-H ${quoteShell(`Last-Event-ID: ${lastEventId}`)} ` : '';
	const content = method === 'GET' ? '' : `-X ${method} -H 'Content-Type: application/json' -d ${quoteShell(body)} `;
	return `curl -iN --raw ${content}${id}${quoteShell(location.origin + target)}`;
}
