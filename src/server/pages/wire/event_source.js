'use strict';

// What an EventSource has to do with what it receives: WHATWG HTML, sections 9.2.2 and 9.2.3. It takes what goes over the wire,
// and returns what has to happen:
//
//   kind      'request', 'open', 'event' or 'error', as in `new EventSource(…)` and in its listeners
//   state     readyState after it
//   why       the reason, as text

const CONNECTING = 0, OPEN = 1, CLOSED = 2;

const REDIRECT = /^30[12378]\b/;

class EventSourceModel {
	constructor() {
		this.phase = 'new'; // Then 'requested', and 'redirected', 'open', 'lost' or 'closed'.
		this.stream = null; // The event stream of the last response that had one.
	}

	get isOpen() {
		return this.phase === 'open';
	}

	// The head of a request is complete.
	requested(head) {
		const name = { new: 'new EventSource', redirected: 'redirect' }[this.phase] ?? 'reconnect';
		this.phase = 'requested';
		const retry = this.stream?.retry ?? null;
		return { kind: 'request', state: CONNECTING, name, target: head.split(' ')[1], id: field(head, 'last-event-id'), retry };
	}

	// The head of a response is complete. Returns null if nothing happens.
	responded(head) {
		if (this.phase !== 'requested' || /^1/.test(status(head))) return null;
		if (REDIRECT.test(status(head)) && field(head, 'location') !== undefined) {
			this.phase = 'redirected';
			return null;
		}
		if (!isEventStream(head)) {
			this.phase = 'closed';
			return { kind: 'error', state: CLOSED, why: whyClosed(head) };
		}
		this.phase = 'open';
		this.stream = new EventStream(this.stream);
		return { kind: 'open', state: OPEN, why: '' };
	}

	// Bytes of the body. Returns the lines that they complete; an `event` in them has to be dispatched.
	received(bytes) {
		return this.isOpen ? this.stream.push(bytes) : [];
	}

	// The response has ended, or cannot be read further. What is incomplete is discarded: see `discarded`.
	ended(why) {
		this.discarded = this.isOpen ? this.stream.end() : [];
		if (!['requested', 'open'].includes(this.phase)) return null;
		this.phase = 'lost';
		return { kind: 'error', state: CONNECTING, why };
	}
}

// Why an EventSource does not open a response with this head, and does not try again.
function whyClosed(head) {
	const code = status(head);
	if (/^204\b/.test(code)) return `${code}, which tells an EventSource to stop.`;
	if (!/^200\b/.test(code)) return `${code}, and an EventSource opens only with 200.`;
	return `the content-type is ${field(head, 'content-type') || 'missing'}, not text/event-stream.`;
}
