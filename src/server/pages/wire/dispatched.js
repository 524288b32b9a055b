'use strict';

// What the third column says about something that an EventSource has to do (`must`) and what the browser's has done (`did`);
// either can be missing. See `Matcher`.

const STATES = ['0 CONNECTING', '1 OPEN', '2 CLOSED'];

function describeDispatched(must, did) {
	const { kind } = must ?? did;
	const describe = { request: describeRequest, open: describeOpen, event: describeEvent, error: describeError }[kind];
	return { data: { kind: did ? kind : 'missing', name: kind }, ...describe(must, did) };
}

function describeRequest(must) {
	const { name, target, id, retry, waited } = must;
	if (name === 'new EventSource') {
		return { name, text: target, note: `readyState ${STATES[CONNECTING]}`, detail: `The constructor, ${WHATWG}.2.` };
	}
	if (name === 'redirect') {
		return { name, text: target, note: 'the browser follows the redirect', detail: `A redirect, ${WHATWG}.3 and Fetch.` };
	}
	if (name === 'fetch') return { name, text: target, note: 'with the body above', detail: 'A request by fetch.' };
	const asked = retry === null ? 'no retry was sent' : `retry was ${retry} ms`;
	return {
		name,
		text: waited === undefined ? '' : `after ${Math.round(waited)} ms`,
		note: `${asked}; Last-Event-ID: ${id ? quote(decode(id)) : 'none'}`,
		detail: `reconnect, ${WHATWG}.3 and 9.2.4: the browser waits for the reconnection time, then sends the next request.`,
	};
}

function describeOpen(must, did) {
	if (must?.isFetch && did) return { name: 'response', text: '', note: must.why, detail: 'The head of the response.' };
	const note = did ? `readyState ${STATES[did.state]}` : 'not fired by this browser';
	return { name: 'open', text: '', note: must ? note : `${note}; ${NOT_SHOWN}`, detail: `The event open, ${WHATWG}.2.` };
}

function describeEvent(must, did) {
	const { type, data, lastEventId } = (did ?? must).event;
	const notes = [`lastEventId ${quote(lastEventId)}`];
	if (must && data !== must.event.data) notes.push(`by the standard, the data is ${quote(must.event.data)}`);
	if (must && lastEventId !== must.event.lastEventId) {
		notes.push(`by the standard, lastEventId is ${quote(must.event.lastEventId)}`);
	}
	if (!did) notes.unshift(must.isHeard ? 'not dispatched by this browser' : `the page had no listener for ${quote(type)} yet`);
	if (!must) notes.push(NOT_SHOWN);
	return {
		name: type,
		text: data || '""',
		note: notes.join(', '),
		detail: `MessageEvent, ${WHATWG}.6: type ${quote(type)}, data ${quote(data)}, lastEventId ${quote(lastEventId)}`,
	};
}

function describeError(must, did) {
	if (must?.isFetch && did) return { name: 'end', text: '', note: must.why, detail: 'The end of the response.' };
	return { name: 'error', text: '', note: noteOnError(must, did), detail: `The event error, ${WHATWG}.2 and 9.2.3.` };
}

function noteOnError(must, did) {
	if (!did) return 'not fired by this browser';
	if (did.state === CLOSED) return `readyState ${STATES[CLOSED]}: ${whyGivenUp(must)}`;
	const note = `readyState ${STATES[did.state]}: the browser will reconnect`;
	return must?.state === CLOSED ? `${note}, but by the standard it must not` : note;
}

// Why the browser will not reconnect.
function whyGivenUp(must) {
	if (!must) return 'no response.';
	if (must.state === CLOSED) return must.why;
	return `${must.why}, and this browser does not reconnect after that.`;
}

const NOT_SHOWN = 'the wire does not show why';
