'use strict';

// Merges what an EventSource has to do, as the wire shows it, with what the browser's EventSource has done, in order.
// The two come over different connections, so either can be first, and each waits for the other.
//
// `settled(must, did)` is called for each, in order: with both, with `must` alone if the browser has not done it, or with `did`
// alone if the wire does not show why. If the other comes late after all, it is called with both for a second time.

// Milliseconds that one waits for the other. What was done waits longer, but not for ever, while the wire shows other things: then
// the wire is late.
const PATIENCE = 400;
const MOST_PATIENCE = 3000;
// Milliseconds after which the wire can no longer show why there was an error: a server that is not there causes several.
const LATE = 2000;

class Matcher {
	constructor(settled, patience = PATIENCE) {
		this.settled = settled;
		this.patience = patience;
		this.expected = []; // What has to be done,
		this.happened = []; // what was done,
		this.missing = []; // what was not done in time,
		this.unexplained = []; // and what the wire has not shown in time. Each has the time `at`.
		this.timer = null;
		this.shownAt = -Infinity; // When the wire showed something.
	}

	expect(must) {
		const isExplained = did => isSame(must, did, false) && (did.kind !== 'error' || must.at - did.at < LATE);
		const place = this.unexplained.findIndex(isExplained);
		if (place >= 0) {
			this.settled(must, this.unexplained.splice(0, place + 1).pop());
			return;
		}
		this.expected.push(must);
		this.settle();
	}

	happen(did) {
		this.happened.push(did);
		this.settle();
	}

	// The wire has shown something.
	shows() {
		this.shownAt = performance.now();
	}

	// Whether the wire should have shown by now why this was done.
	isLate({ at }, now) {
		return now - at >= this.patience && (now - this.shownAt >= this.patience || now - at >= MOST_PATIENCE);
	}

	settle() {
		clearTimeout(this.timer);
		const now = performance.now();
		while (this.settleHappened(now) || this.settleExpected(now));
		const waiting = [...this.expected.slice(0, 1), ...this.happened.slice(0, 1)];
		if (waiting.length === 0) return;
		const next = Math.min(...waiting.map(({ at }) => at)) + this.patience - now;
		this.timer = setTimeout(() => this.settle(), Math.max(10, next));
	}

	// Settles the first thing that was done, if its place is known or it has waited long enough.
	settleHappened(now) {
		const [did] = this.happened;
		if (!did) return false;
		const isLate = this.isLate(did, now);
		const place = this.expected.findIndex(must => isSame(must, did, isLate));
		const late = this.missing.findIndex(must => isSame(must, did, isLate));
		if (place < 0 && late < 0 && !isLate) return false;
		this.happened.shift();
		if (place < 0) {
			const must = this.missing.splice(0, late + 1).pop() ?? null;
			if (!must) this.unexplained.push(did);
			this.settled(must, did);
			return true;
		}
		// The browser keeps the order, so it has left out what comes before.
		for (const skipped of this.expected.splice(0, place)) this.settled(skipped, isRequest(skipped) ? skipped : null);
		this.settled(this.expected.shift(), did);
		this.missing = [];
		return true;
	}

	// Settles the first thing that has to be done, if that is a request, which the wire itself shows, or if it has waited long
	// enough.
	settleExpected(now) {
		const [must] = this.expected;
		const [did] = this.happened;
		if (!must) return false;
		if (isRequest(must)) {
			if (did?.at < must.at) return false;
			this.settled(this.expected.shift(), must);
			return true;
		}
		if (now - must.at < this.patience) return false;
		this.missing.push(this.expected.shift());
		this.settled(must, null);
		return true;
	}

	stop() {
		clearTimeout(this.timer);
		this.settled = () => {};
	}
}

const isRequest = ({ kind }) => kind === 'request';

// Whether this was done because that had to be done. Browsers differ in the last event ID, and in what they do with NUL in data,
// so `loosely` leaves these out.
function isSame(must, did, loosely) {
	if (must.kind !== did.kind) return false;
	if (must.kind !== 'event') return true;
	const a = must.event, b = did.event;
	if (a.type !== b.type) return false;
	if (loosely) return a.data.replaceAll('\0', '') === b.data.replaceAll('\0', '');
	return a.data === b.data && a.lastEventId === b.lastEventId;
}
