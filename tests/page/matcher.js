'use strict';

// Tests `Matcher` and `EventSourceModel`, for `matcher.rs`. Argument: the folder of the pages.

const assert = require('node:assert');
const { readFileSync } = require('node:fs');
const { runInThisContext } = require('node:vm');

for (const name of ['both/text', 'wire/head', 'wire/event_stream', 'wire/event_source', 'wire/matcher']) {
	runInThisContext(readFileSync(`${process.argv[2]}/${name}.js`, 'utf8'));
}

const PATIENCE = 40;

// A step is `must X` or `did X`; `shows` is something else on the wire; a number waits
// for that many milliseconds. Returns what was settled, in order: X, `-X`
// for what was not done, `+X` for what the wire does not show. `request` has the kind request, other names are data of
// events.
async function settle(...steps) {
	const settled = [];
	const Matcher = runInThisContext('Matcher');
	const name = ({ kind, event }) => event?.data ?? kind;
	const matcher = new Matcher((must, did) => settled.push(!did ? `-${name(must)}` : !must ? `+${name(did)}` : name(must)), PATIENCE);
	for (const step of steps) {
		if (step === 'shows') {
			matcher.shows();
			continue;
		}
		if (typeof step === 'number') {
			await new Promise(resolve => setTimeout(resolve, step));
			continue;
		}
		const [who, data] = step.split(' ');
		const event = { type: 'message', data, lastEventId: who === 'must' && data === 'id' ? '1' : '' };
		const what = data === 'request' ? { kind: 'request' } : { kind: 'event', event };
		matcher[who === 'must' ? 'expect' : 'happen']({ ...what, at: performance.now() });
	}
	await new Promise(resolve => setTimeout(resolve, 3 * PATIENCE));
	return settled.join(' ');
}

async function testMatcher() {
	assert.equal(await settle('must a', 'must b', 'did a', 'did b'), 'a b', 'the wire is first');
	assert.equal(await settle('did a', 'did b', 'must a', 'must b'), 'a b', 'the browser is first');
	assert.equal(await settle('must a', 'must b', 'did b'), '-a b', 'the browser leaves one out');
	assert.equal(await settle('must a'), '-a', 'the browser does nothing');
	assert.equal(await settle('did a', 'must b', 'did b'), '+a b', 'the wire does not show one');
	assert.equal(await settle('must a', 3 * PATIENCE, 'did a'), '-a a', 'the browser is late');
	const busy = Array.from({ length: 8 }, () => ['shows', PATIENCE / 4]).flat();
	assert.equal(await settle('did a', ...busy, 'must a'), 'a', 'the wire shows other things meanwhile');
	assert.equal(await settle('did a', 3 * PATIENCE, 'must a', 'must b', 'did b'), '+a a b', 'the wire is late');
	assert.equal(await settle('must a', 'must request', 'must b', 'did b'), '-a request b', 'a request keeps its place');
	assert.equal(await settle('must a', 'must request', 'did a'), 'a request', 'a request waits for what is before it');
	assert.equal(await settle('must id', 'did id'), 'id', 'another last event ID is the same event after a while');
	assert.equal(await settle('must b', 'must a\0', 'did a'), '-b a\0', 'data without its NUL is the same event after a while');
}

function testEventSource() {
	const model = runInThisContext('new EventSourceModel()');
	const OK = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n';
	const requested = () => model.requested('GET /x HTTP/1.1\r\nHost: a\r\nLast-Event-ID: 7\r\n\r\n');
	const events = bytes => model.received(bytes).flatMap(({ event }) => event ?? []);

	assert.equal(requested().name, 'new EventSource');
	assert.equal(model.responded('HTTP/1.1 103 Early Hints\r\n\r\n'), null);
	assert.equal(model.responded('HTTP/1.1 307 Temporary Redirect\r\nLocation: /y\r\n\r\n'), null);
	assert.equal(model.ended('complete'), null);
	assert.equal(requested().name, 'redirect');
	assert.equal(model.responded(OK).kind, 'open');
	assert.deepEqual(events('retry: 5\nid: 1\ndata: x\n\nid: 2\ndata').map(event => event.lastEventId), ['1']);
	assert.equal(model.ended('complete').state, 0);
	assert.deepEqual(model.discarded.map(({ text }) => text), ['id: 2', 'data']);
	assert.equal(model.ended('a second time'), null);

	const { name, id, retry } = requested();
	assert.deepEqual({ name, id, retry }, { name: 'reconnect', id: '7', retry: 5 });
	model.responded(OK);
	assert.deepEqual(events('data: y\n\n').map(event => event.lastEventId), ['1'], 'an unfinished block sets no last event ID');
	model.ended('');
	requested();
	const { kind, state, why } = model.responded('HTTP/1.1 204 No Content\r\n\r\n');
	assert.deepEqual({ kind, state, why }, { kind: 'error', state: 2, why: '204 No Content, which tells an EventSource to stop.' });
	assert.deepEqual(events('data: z\n\n'), []);
}

testEventSource();
testMatcher().then(() => console.log('passed'));
