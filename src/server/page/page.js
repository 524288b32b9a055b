'use strict';

// The controls, and what is shown around the columns.

// The server shows the wire of every client. Ours is the one whose Referer field contains this token.
const token = 'w=' + Math.random().toString(36).slice(2);

const types = []; // The event types in the scripts.
let session = null;

const say = text => { $('state').textContent = text; };

const view = {
	show(row) {
		addRow(row);
		showBuffers(row.buffers);
	},
	changed: fillRow,
	said: say,
	lost(why) {
		say(/^complete|^ended by/.test(why)
			? 'The response is complete. To an EventSource this is a lost connection: it waits, then reconnects.'
			: `The connection was lost (${why}): the browser waits, then reconnects.`);
	},
	closed: stop,
};

function showBuffers(buffers) {
	if (!buffers) return;
	for (const name of ['unfinished', 'data', 'type', 'id']) $(name).textContent = quote(buffers[name]);
	$('retry').textContent = buffers.retry === null ? 'the browser’s default' : `${buffers.retry} ms`;
}

function explain(event) {
	const row = event.target.closest('li')?.row;
	if (!row) return;
	$('details').textContent = row.detail;
	point(row);
}

function connect() {
	session?.end();
	clearRows();
	say('Connecting …');
	$('connect').textContent = 'Disconnect';
	session = new Session($('script').value, types, token, view);
}

function stop(why) {
	session.close();
	$('connect').textContent = 'Connect';
	say(why);
}

function disconnect() {
	view.show({
		column: 'dispatched', chunk: session.last?.chunk ?? 0, name: 'close()', text: '', note: 'readyState 2 CLOSED',
		detail: `The page closed the EventSource, ${WHATWG}.2.`, data: { kind: 'closed', name: 'close' },
	});
	session.end();
	stop('Disconnected.');
}

const isConnected = () => session !== null && !session.isClosed;

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
$('connect').onclick = () => isConnected() ? disconnect() : connect();
$('clear').onclick = clearRows;
for (const log of document.querySelectorAll('.log')) {
	log.onkeydown = moveFocus;
	log.onpointerover = explain;
	log.addEventListener('focusin', explain);
}
list().catch(error => say(`The list of scripts cannot be read: ${error.message}`));
