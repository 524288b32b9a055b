'use strict';

// Descriptions of the pieces of requests and responses.

// The section of RFC 9112 that defines each, and what it is.
const PIECES = {
	'request line': '3: method, request target, version',
	'status line': '4: version, status code, reason',
	'field line': '5: name, colon, value',
	'empty line': '2.1: the head ends here',
	'chunk-size': '7.1: the length of the chunk-data, in hexadecimal',
	'chunk-data': '7.1: a part of the content',
	'CRLF': '7.1: the end of the chunk-data or of the body',
	'last-chunk': '7.1: the content is complete',
	'trailer field': '7.1.2: a field line after the content',
	'content': '6: the content, without chunks',
	'malformed': '7.1: a chunk cannot begin like this, so the client gives up',
};

// What some field lines mean here.
const FIELDS = {
	'accept': 'the type that an EventSource requests',
	'cache-control': 'the response must not come from a cache',
	'connection': 'whether the connection stays open',
	'content-length': 'the length of the body',
	'content-type': 'an EventSource opens only text/event-stream',
	'last-event-id': 'the last event ID before the connection was lost',
	'location': 'where the redirect leads',
	'referer': 'the page recognizes its own requests by this',
	'retry-after': 'an EventSource ignores this',
	'transfer-encoding': 'the body is sent in chunks',
};

// A remark on a piece, or nothing. `before` is the name of the piece before it.
function remark({ name, bytes }, before) {
	switch (name) {
		case 'chunk-size': {
			const size = bytes.match(/^[0-9a-f]+/i)?.[0] ?? '';
			return size && `0x${size} = ${plural(parseInt(size, 16), 'byte')} follow${parseInt(size, 16) === 1 ? 's' : ''}`;
		}
		case 'last-chunk': return 'no more chunks';
		case 'CRLF': return before === 'chunk-data' ? 'the chunk ends' : 'the body is complete';
		case 'empty line': return 'the head is complete';
		case 'field line': return FIELDS[bytes.split(':')[0].toLowerCase()] ?? '';
		case 'status line': return meaning(status(bytes));
		case 'malformed': return before === 'malformed' ? 'no longer read' : 'not a chunk-size: the client gives up';
		default: return '';
	}
}

const plural = (count, noun) => `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;

// What a status code means to an EventSource.
function meaning(code) {
	if (/^1/.test(code)) return 'an interim response: the head of the response follows';
	if (/^200/.test(code)) return 'success';
	if (/^204/.test(code)) return 'an EventSource stops';
	if (REDIRECT.test(code)) return 'a redirect: an EventSource follows it';
	return 'an EventSource opens only with 200';
}
