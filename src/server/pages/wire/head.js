'use strict';

// The heads of requests and responses, as text (RFC 9112, sections 2 to 5).

const isComplete = head => /\n\r?\n$/.test(head);

// The status code and the reason phrase.
const status = head => head.match(/ (.*)/)?.[1] ?? '';

// The value of the last field line with this name, or undefined.
const field = (head, name) => head.match(new RegExp(`[^]*^${name}: *(.*)$`, 'im'))?.[1];

// Whether an EventSource opens a response with this head.
const isEventStream = head =>
	/^200\b/.test(status(head)) && /^text\/event-stream *(;|$)/i.test(field(head, 'content-type') ?? '');
