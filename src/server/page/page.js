'use strict';

// The rows that a column keeps, and the characters of a line that are shown: a stream may have no end.
const MOST_ROWS = 2000;
const MOST_CHARACTERS = 4000;

const WHATWG = 'WHATWG HTML, section 9.2';

// The pieces of a request and a response: the section of RFC 9112, and what they are.
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

const $ = id => document.getElementById(id);
const say = text => { $('state').textContent = text; };

// The server shows the wire of every client. Ours is the one whose Referer field contains this token.
const token = 'w=' + Math.random().toString(36).slice(2);

const types = ['open', 'error', 'message']; // And those that scripts contain.
let target; // The path to which the page is connected, or connects.
let source; // The EventSource that is shown.
let wire; // A second one, over which the server sends what goes over the connections of the first.
let stream; // The buffers of the event stream.
let ours; // The last request of `source` that the wire has shown, and its response.
let losses; // The times at which it lost a connection, until the wire shows the next request.
let chunk = 0; // Counts chunks: lines of the same one are marked together.
const exchanges = new Map(); // The current request and response of each connection.

// ---- Text to nodes. Nothing from a server is ever parsed as HTML.

function element(tag, ...content) {
	const made = document.createElement(tag);
	made.append(...content);
	return made;
}

// A line for each line of the text; every second part of it is invisible characters.
const visible = text => shorten(text, MOST_CHARACTERS).match(/[^\n]*\n|[^\n]+/g).map(line =>
	element('div', ...line.split(INVISIBLE).map((run, n) => n % 2 ? element('span', escape(run)) : run)));

// ---- The columns.

function add(column, name, text, note, detail) {
	const list = $(column).firstElementChild;
	const fresh = list.getElementsByClassName('fresh');
	const parts = [['b', name], ['code', text], ['small', note]].filter(([, text]) => text);
	const row = element('li', ...parts.map(([tag, text]) => element(tag, ...visible(text))));
	Object.assign(row, { tabIndex: -1, detail, chunk, className: 'fresh' });
	row.dataset.name = name;
	row.setAttribute('aria-describedby', 'details');
	list.append(row);
	while (fresh[0].chunk !== chunk) fresh[0].classList.remove('fresh');
	if (list.childElementCount > MOST_ROWS) list.firstElementChild.remove();
	return row;
}

const tell = (...row) => add('dispatched', ...row);

const clear = () => document.querySelectorAll('ol').forEach(list => list.replaceChildren());

function explain(event) {
	const row = event.target.closest('li');
	if (!row) return;
	$('details').textContent = row.detail;
	for (const other of document.querySelectorAll('li')) other.classList.toggle('same', other.chunk === row.chunk);
}

function moveFocus(event) {
	const rows = [...event.currentTarget.querySelectorAll('li')];
	const at = rows.indexOf(event.target);
	const last = rows.length - 1;
	const next = rows[{ ArrowDown: at + 1, ArrowUp: at < 0 ? last : at - 1, Home: 0, End: last }[event.key]];
	if (!next) return;
	event.preventDefault();
	next.focus();
}

// ---- The event stream.

function pushToStream(bytes) {
	for (const { kind, text, effect } of stream.push(bytes)) {
		const value = text.match(/^event:? ?(.*)/)?.[1];
		if (value !== undefined) listen(value);
		add('stream', kind, text, effect, `${kind}, ${WHATWG}.6: ${effect}.`);
	}
	showBuffers();
}

function endStream() {
	const effect = 'the stream ended before an empty line: this block is discarded';
	if (stream.end().length) add('stream', 'end', '', effect, `${WHATWG}.6`);
	showBuffers();
}

function showBuffers() {
	for (const name of ['data', 'type', 'id']) $(name).textContent = quote(stream[name]);
	$('retry').textContent = stream.retry === null ? 'the browser’s default' : `${stream.retry} ms`;
}

// ---- The wire.

const isComplete = head => /\n\r?\n$/.test(head);
const status = head => head.match(/ (.*)/)?.[1];
// The value of the last one, should there be several.
const field = (head, name) => head.match(new RegExp(`[^]*^${name}: *(.*)$`, 'im'))?.[1];
const isEventStream = head =>
	/^200\b/.test(status(head)) && /^text\/event-stream *(;|$)/i.test(field(head, 'content-type'));

function arrived(piece) {
	const { client, from, name, bytes } = piece;
	// An exchange keeps the heads of both sides. When the client's is complete, it shows which client this is.
	if (name === 'request line' && !exchanges.get(client)?.held) exchanges.set(client, { held: [], client: '', server: '' });
	const exchange = exchanges.get(client) || {};
	if (name.endsWith(' line')) exchange[from] += bytes;
	if (!exchange.held) return show(piece, exchange);
	exchange.held.push(piece);
	if (from === 'client' && !isComplete(exchange.client)) return;
	exchange.ours = field(exchange.client, 'referer')?.includes(token);
	if (exchange.ours) requested(exchange);
	for (const held of exchange.held) show(held, exchange);
	exchange.held = null;
}

function show({ client, from, name, bytes, ms }, exchange) {
	if (/request|status|size|last|malformed/.test(name)) chunk += 1;
	const whose = exchange.ours ? '' : 'of another client';
	const detail = `${name}, RFC 9112, section ${PIECES[name]}. ${bytes.length} bytes from the ${from}, ` +
		`on connection ${client}${whose && ` ${whose}`}, ${ms} ms after it was opened.`;
	onWire(exchange, name, decode(bytes), name === 'request line' && whose, detail).dataset.from = from;
	if (exchange.ours && /data|content/.test(name) && isEventStream(exchange.server)) pushToStream(bytes);
}

function onWire(exchange, ...parts) {
	const row = add('wire', ...parts);
	row.classList.toggle('other', !exchange?.ours);
	return row;
}

// Each request but the first follows a lost connection, and shows how long the browser waited.
function requested(exchange) {
	const lostAt = ours && losses.shift();
	ours = exchange;
	stream = new EventStream(stream);
	if (!lostAt) return;
	const id = field(exchange.client, 'last-event-id');
	const asked = stream.retry === null ? 'no retry was sent' : `retry was ${stream.retry} ms`;
	tell('reconnect', `after ${Math.round(performance.now() - lostAt)} ms`,
		`${asked}; Last-Event-ID: ${id ? quote(decode(id)) : 'none'}`,
		`reconnect, ${WHATWG}.3 and 9.2.4: the browser waits for the reconnection time, then sends the next request.`);
}

function waits({ client, for: time }) {
	const what = time === null ? 'the script waits until the client disconnects' : `the script waits ${Math.round(time)} ms`;
	onWire(exchanges.get(client), '', '', what, 'The script sends nothing now.');
}

function ended({ client, how }) {
	const exchange = exchanges.get(client);
	exchanges.delete(client);
	const what = `the response has ended: ${how}`;
	onWire(exchange, '', '', what, what);
	if (exchange === ours) endStream();
}

// ---- The EventSource, WHATWG HTML, section 9.2.2.

// A listener is for one type: the list of scripts names those that they contain, the wire shows the others. Adding one again
// changes nothing.
const listen = type => source?.addEventListener(type, received);

const state = () => `readyState ${['0 CONNECTING', '1 OPEN', '2 CLOSED'][source.readyState]}`;

function received(event) {
	// A stream may also contain events of the types open and error.
	if (!(event instanceof MessageEvent)) return changed(event.type);
	const id = `lastEventId ${quote(event.lastEventId)}`;
	const detail = `MessageEvent, ${WHATWG}.6: type ${quote(event.type)}, data ${quote(event.data)}, ${id}`;
	tell(event.type, event.data, `${id}, ${state()}`, detail).dataset.kind = 'event';
}

function changed(type) {
	const waits = source.readyState === EventSource.CONNECTING;
	tell(type, '', state() + (waits ? ': the browser will reconnect' : ''), `The event ${type}, ${WHATWG}.2.`);
	if (type === 'open') say(`Open: ${target}`);
	if (waits) {
		losses.push(performance.now());
		say('The connection was lost: the browser waits, then reconnects.');
	}
	if (source.readyState === EventSource.CLOSED) sayWhyClosed(source, 20);
}

// An EventSource does not say why it closed. The wire does, perhaps a little later.
function sayWhyClosed(closed, patience) {
	if (closed !== source) return; // A button was pressed meanwhile.
	const isKnown = losses.length === 0 && isComplete(ours?.server);
	if (!isKnown && patience) return setTimeout(sayWhyClosed, 50, closed, patience - 1);
	const reason = isKnown ? whyClosed(ours.server) : 'no response.';
	tell('closed', '', reason, `The EventSource will not reconnect, ${WHATWG}.2.`);
	stop(`Closed: ${reason}`);
}

function whyClosed(head) {
	const why = status(head);
	if (/^204\b/.test(why)) return `${why}, which tells an EventSource to stop.`;
	if (/^3/.test(why)) return `${why} to ${field(head, 'location')}, which cannot be opened.`;
	if (!/^200\b/.test(why)) return `${why}, and an EventSource opens only with 200.`;
	if (isEventStream(head)) return 'the response is malformed, and this browser does not reconnect after that.';
	return `the content-type is ${field(head, 'content-type') || 'missing'}, not text/event-stream.`;
}

// ---- The controls.

function connect() {
	wire?.close();
	stop('Connecting …');
	exchanges.clear();
	clear();
	target = $('script').value;
	$('connect').textContent = 'Disconnect';
	wire = new EventSource('/-/wire' + target);
	for (const [type, handle] of [['piece', arrived], ['wait', waits], ['end', ended]]) {
		wire.addEventListener(type, event => handle(JSON.parse(event.data)));
	}
	wire.onopen = open;
	wire.onerror = lost;
}

// The EventSource is made when the wire is open, so that it shows everything. It may also be open again after a loss, or
// closed meanwhile.
function open(event) {
	losses.splice(1); // The others were attempts to reach a server that was not running.
	if (!target || source || event.target.readyState !== EventSource.OPEN) return;
	source = new EventSource(location.origin + target);
	types.forEach(listen);
	tell('new EventSource', target, state(), `The constructor, ${WHATWG}.2.`);
}

function lost() {
	exchanges.clear();
	if (!target) return; // The last message stays.
	if (wire.readyState === EventSource.CLOSED) return stop('Refused: too many observers.');
	say('The connection to the server was lost: the browser reconnects.');
}

function stop(why) {
	source?.close();
	target = source = stream = ours = null;
	losses = [];
	$('connect').textContent = 'Connect';
	say(why);
}

function disconnect() {
	wire.close();
	tell('close()', '', 'readyState 2 CLOSED', `The page closed the EventSource, ${WHATWG}.2.`);
	stop('Disconnected.');
}

function select() {
	for (const option of $('script').options) {
		if (!option.disabled && `#${option.value}` === location.hash) option.selected = true;
	}
	$('about').textContent = $('script').selectedOptions[0]?.title ?? '';
}

async function list() {
	const response = await fetch('/-/scripts');
	if (!response.ok) throw new Error(await response.text());
	for (const script of await response.json()) {
		const disabled = script.method !== 'GET';
		const text = disabled ? `${script.method} ${script.target} (an EventSource sends only GET)` : script.target;
		$('script').add(Object.assign(new Option(text, script.target), { disabled, title: script.about }));
		types.push(...script.types);
	}
	select();
	say('Choose a script and connect.');
}

history.replaceState(null, '', `?${token}${location.hash}`);
onhashchange = select;
$('script').onchange = () => location.replace(`#${$('script').value}`);
$('connect').onclick = () => target ? disconnect() : connect();
$('clear').onclick = clear;
for (const log of document.querySelectorAll('.log')) {
	log.onkeydown = moveFocus;
	log.onpointerover = explain;
	log.addEventListener('focusin', explain);
}
list().catch(error => say(`The list of scripts cannot be read: ${error.message}`));
