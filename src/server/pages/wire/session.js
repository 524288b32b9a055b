'use strict';

// What happens from Connect to the next Connect: an EventSource, and a second one over which the server sends what goes over the
// connections of the first. Makes the rows of all columns, as objects:
//
//   column    'wire', 'stream' or 'dispatched'
//   step      its place in the order of all rows
//   chunk     the number of the chunk, or of the head, that completed it
//   name, text, note, detail   what it says; the text is that of `bytes`, if it has them
//   data      its `data-` attributes
//   at        when the page learned of it
//   time      when it happened, by the server's clock
//   buffers   the buffers of the event stream after it
//   lines     the lines of the script that it comes from: `script`, `first` and `last`
//   discards  the rows that are discarded with it

const WHATWG = 'WHATWG HTML, section 9.2';

// Event types for which the page always listens.
const TYPES = ['open', 'error', 'message'];

// Milliseconds after which the page explains why nothing happens.
const LONG = 1500;

class Session {
	// `page` has the functions show(row), changed(row), said(text) and closed(why).
	// `request` has a method, a target and, unless the method is GET, a body.
	constructor(request, types, token, page) {
		Object.assign(this, { request, target: request.target, isFetch: request.method !== 'GET', token, page });
		this.types = new Map([...TYPES, ...types].map(type => [type, -Infinity])); // Since when there are listeners for each.
		this.exchanges = new Map(); // By the number of their connection.
		this.kept = []; // The exchanges of this page's EventSource, and how many bytes are in their bodies.
		this.keptBytes = 0;
		this.steps = 0;
		this.chunks = 0;
		this.last = null; // The last row of the wire that is about this page's EventSource.
		this.lost = {}; // When the last connection was lost: `at` and `time`.
		this.isClosed = false;
		this.model = this.isFetch ? new FetchModel() : new EventSourceModel();
		this.turns = new Turns();
		this.matcher = new Matcher((must, did) => this.settled(must, did));
		this.source = null;
		this.observe();
	}

	observe() {
		this.watchFor('The server does not answer');
		const handle = method => data => this.turns.add(() => method.call(this, { ...data, at: performance.now() }));
		this.wire = listen('/-/wire' + this.target, { piece: handle(this.piece), wait: handle(this.waits), end: handle(this.ended) });
		this.wire.onopen = () => this.open();
		this.wire.onerror = () => this.wireLost();
	}

	// The EventSource is made when the wire is open, so that all it does is shown. The wire may also be open again after a loss.
	open() {
		if (this.source || this.isClosed) return;
		this.watchFor('The browser has not sent the request');
		if (this.isFetch) {
			this.source = new FetchSource(this.request, did => this.happened(did));
			return;
		}
		this.source = new EventSource(location.origin + this.target);
		for (const type of this.types.keys()) this.addListener(type);
	}

	// Says why nothing may have happened after a while.
	watchFor(what) {
		clearTimeout(this.watch);
		this.watch = setTimeout(() => this.page.said(`${what} yet. A browser opens at most six connections to a host, over HTTP/1.1, ` +
			'and this page needs two: perhaps other tabs have them.'), LONG);
	}

	listen(type) {
		if (this.isFetch || this.types.has(type)) return;
		this.types.set(type, performance.now());
		this.addListener(type);
	}

	addListener(type) {
		this.source.addEventListener(type, event => this.dispatched(event));
	}

	// Whether there was a listener some time before, as the browser may have dispatched an event before the wire shows it.
	hasListened(type, at) {
		return this.isFetch || this.types.get(type) < at - PATIENCE;
	}

	// The wire continues to show other clients.
	close() {
		this.isClosed = true;
		clearTimeout(this.watch);
		this.source?.close();
		this.matcher.stop();
	}

	end() {
		this.close();
		this.wire.close();
		this.turns.clear();
	}

	wireLost() {
		this.exchanges.clear();
		if (this.isClosed) return;
		if (this.wire.readyState === EventSource.CLOSED) this.page.closed('Refused: too many observers.');
		else this.page.said('The connection to the server was lost: the browser reconnects.');
	}

	// ---- The wire.

	piece(piece) {
		this.matcher.shows();
		let exchange = this.exchanges.get(piece.client);
		if (!exchange || (piece.name === 'request line' && !exchange.held)) {
			exchange = new Exchange(piece.client);
			this.exchanges.set(piece.client, exchange);
		}
		exchange.add(piece);
		if (!exchange.held) return this.showPiece(piece, exchange);
		exchange.held.push(piece);
		if (piece.from === 'client' && !isComplete(exchange.request)) return;
		exchange.isOurs = !this.isClosed && !!field(exchange.request, 'referer')?.includes(this.token);
		for (const held of exchange.held) this.showPiece(held, exchange);
		exchange.held = null;
	}

	showPiece(piece, exchange) {
		const { from, name, bytes, ms } = piece;
		const { before } = exchange;
		if (exchange.begins(piece)) exchange.chunk = ++this.chunks;
		const whose = exchange.isOurs ? '' : 'from another client';
		const row = this.wireRow(exchange, piece, {
			name,
			bytes,
			text: decode(bytes),
			note: name === 'request line' ? whose : remark(piece, before),
			detail: `${name}, RFC 9112, section ${PIECES[name]}. ${plural(bytes.length, 'byte')} from the ${from}, ` +
				`on connection ${exchange.connection}${whose && ` ${whose}`}, ${ms} ms after it was opened.`,
			data: { name, from },
		});
		if (!whose) this.keep(piece, exchange);
		const effects = this.isOurs(exchange) ? this.effects(piece, exchange, row) : [];
		for (const shown of [row, ...effects]) this.page.show(shown);
	}

	// Keeps what is needed to save the exchanges.
	keep({ name, bytes, time }, exchange) {
		if (name === 'request line') {
			this.kept.push(exchange);
			exchange.sentAt = time;
		}
		if (!/chunk-data|content|malformed|trailer/.test(name) || this.keptBytes + bytes.length > MOST_KEPT) return;
		this.keptBytes += bytes.length;
		exchange.body.push({ name, bytes, time, chunk: exchange.chunk });
	}

	// Rows for what a piece does to the event stream.
	effects({ from, name, bytes }, exchange, row) {
		const { model } = this;
		let rows = [];
		if (name === 'empty line' && from === 'client') this.requested(exchange, row);
		if (name === 'empty line' && from === 'server') this.expect(model.responded(exchange.response), row);
		if (name === 'malformed') rows = this.over('the response is malformed', row);
		if (name === 'chunk-data' || name === 'content') rows = model.received(bytes).map(line => this.line(line, row));
		row.buffers = model.stream?.buffers();
		return rows;
	}

	requested(exchange, row) {
		const must = this.model.requested(exchange.request);
		clearTimeout(this.watch);
		const { time, at } = this.lost;
		this.expect({ ...must, waited: time ? row.time - time : at && row.at - at }, row);
		this.lost = {};
	}

	line(line, { chunk, at, time, lines }) {
		const { kind, text, end, effect, event, buffers } = line;
		const row = {
			column: 'stream', step: ++this.steps, chunk, at, time, buffers, lines, name: kind, text: end === '\n' ? text : text + end, note: effect,
			detail: `${kind}, ${WHATWG}.6: ${effect}.`, data: { name: kind },
		};
		line.row = row;
		if (buffers.type) this.listen(buffers.type);
		if (event) this.expect({ kind: 'event', state: OPEN, event, isHeard: this.hasListened(event.type, at) }, row);
		return row;
	}

	// The response is over. Rows for what its end discards.
	over(why, row) {
		const must = this.model.ended(why);
		if (must) this.lost = row;
		const { discarded } = this.model;
		const incomplete = discarded.filter(line => line.kind === 'incomplete').map(line => this.line(line, row));
		this.expect(must, row);
		if (discarded.length === 0) return [];
		const effect = 'the stream ended before an empty line: this block is discarded';
		const end = this.line({ kind: 'end', text: '', end: '\n', effect, event: null, buffers: this.model.stream.buffers() }, row);
		return [...incomplete, { ...end, discards: discarded.map(line => line.row) }];
	}

	waits(wait) {
		const { client, for: duration } = wait;
		const note = duration === null ? 'until the client disconnects' : `${Math.round(duration)} ms, in which nothing is sent`;
		const row = { name: 'wait', note, detail: `The script waits: ${note}.`, data: { name: 'wait' }, duration };
		this.page.show(this.wireRow(this.exchanges.get(client), wait, row));
	}

	ended(end) {
		const { client, how } = end;
		const exchange = this.exchanges.get(client);
		this.exchanges.delete(client);
		if (exchange) Object.assign(exchange, { how, endedAt: end.time });
		const row = { name: 'end', note: how, detail: `The response has ended: ${how}.`, data: { name: 'end' }, how };
		const shown = this.wireRow(exchange, end, row);
		const effects = this.isOurs(exchange) ? this.over(how, shown) : [];
		for (const each of [shown, ...effects]) this.page.show(each);
	}

	// Whether it is one of an EventSource that has not been closed.
	isOurs(exchange) {
		return !this.isClosed && !!exchange?.isOurs;
	}

	wireRow(exchange, { at, time, script, lines }, row) {
		const isOther = !exchange?.isOurs;
		const place = { column: 'wire', step: ++this.steps, chunk: exchange?.chunk ?? 0, at, time, isOther };
		if (lines) place.lines = { script, first: lines[0], last: lines[1] };
		const made = { ...place, name: '', text: '', ...row };
		if (!isOther) this.last = made;
		return made;
	}

	// ---- What the EventSource has to do and does.

	expect(must, { step, chunk, at, time, buffers, lines }) {
		if (must) this.matcher.expect({ ...must, step, chunk, at, time, buffers, lines });
	}

	dispatched(event) {
		const state = this.source.readyState;
		const { type, data, lastEventId } = event;
		// A stream may also contain events of the types open and error.
		const isMessage = event instanceof MessageEvent;
		this.happened(isMessage ? { kind: 'event', state, event: { type, data, lastEventId } } : { kind: type, state });
		if (type !== 'error' || isMessage) return;
		// The wire gives a more exact time, unless the server is not there.
		if (!this.lost.time || this.wire.readyState !== EventSource.OPEN) this.lost = { at: performance.now() };
	}

	// The work keeps the order in which events come over both connections, and its times are compared with each other.
	happened(did) {
		this.turns.add(() => this.matcher.happen({ ...did, at: performance.now() }));
	}

	settled(must, did) {
		const { step, chunk, time, buffers, lines } = must ?? this.last ?? { step: 0, chunk: 0 };
		const row = { column: 'dispatched', step, chunk, at: (did ?? must).at, time, buffers, lines, ...describeDispatched(must, did) };
		const known = must?.row ?? did?.row;
		if (known) {
			this.page.changed(known, row);
		} else {
			for (const each of [must, did]) if (each) each.row = row;
			this.page.show(row);
		}
		if (did) this.tell(must, did);
	}

	tell(must, did) {
		if (did.kind === 'open') this.page.said(`Open: ${this.target}`);
		if (this.isFetch && did.kind === 'error') return this.page.closed(`The response has ended: ${must?.why ?? 'no response'}.`);
		if (did.kind !== 'error') return;
		if (did.state === CLOSED) return this.page.closed(`Closed: ${whyGivenUp(must)}`);
		this.page.lost(must?.why ?? 'no response');
	}
}
