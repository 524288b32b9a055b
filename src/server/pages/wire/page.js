'use strict';

// The controls, and what is shown around the columns.

// The server shows the wire of every client. Ours is the one whose Referer field contains this token.
const token = 'w=' + Math.random().toString(36).slice(2);

const scripts = []; // As the server lists them.
let session = null;

let latest = null; // The buffers after the last row.

const playback = new Playback(row => {
	addRow(row);
	addMark(row);
	latest = row.buffers ?? latest;
	playLines(row);
	if (row.data.kind === 'event') assemble(row);
}, () => {
	if (!pointed) showLatest();
});

function showLatest() {
	showBuffers(latest);
	markPlayed();
}

// Joins the pieces of text that the streams of large language models consist of.
function assemble({ text }) {
	const piece = text.length <= MOST_CHARACTERS ? pieceOf(text) : '';
	$('assembled').hidden &&= !piece;
	$('text').append(...escaped(piece));
}

const view = {
	show: row => playback.add(row),
	changed: changeRow,
	said: say,
	lost(why) {
		if ($('once').checked) return stop('Disconnected at the end of the response.');
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

// Explains the row, or the mark on the time axis, that is pointed at.
function explain(event) {
	const row = event.target.closest('li, .mark')?.row;
	if (!row) return;
	$('details').textContent = row.detail;
	point(row);
	showBuffers(row.buffers);
	markPlayed();
	if (event.type === 'focusin') reveal(row);
}

function stopExplaining(event) {
	if (event.currentTarget.contains(document.activeElement?.closest('li'))) return; // It is still selected.
	point(null);
	showLatest();
}

function connect() {
	session?.end();
	clear();
	introduce(false);
	say('Connecting …');
	$('connect').textContent = 'Disconnect';
	const request = selectedRequest();
	$('by').textContent = request.method === 'GET' ? 'by this browser’s EventSource' : 'by this page’s parser, from fetch';
	session = new Session(request, scripts.flatMap(({ types }) => types), token, view);
}

function selectedRequest() {
	const script = selected();
	const target = hasChoice(script) ? $('target').value : script.target;
	return { method: methodOf(script), target, body: $('body').value };
}

// Shows the introduction in place of the columns, or the columns.
function introduce(isShown) {
	document.body.classList.toggle('resting', isShown);
	$('introduce').setAttribute('aria-expanded', isShown);
	$('about').open = isShown;
}

function stop(why) {
	session.close();
	$('connect').textContent = 'Connect';
	say(why);
}

function disconnect() {
	const { chunk, step } = session.last ?? { chunk: 0, step: 0 };
	view.show({
		column: 'dispatched', chunk, step, name: session.isFetch ? 'abort()' : 'close()', text: '',
		note: session.isFetch ? 'the page disconnects' : 'readyState 2 CLOSED', detail: 'The page disconnects.', data: { kind: 'closed', name: 'close' },
	});
	session.end();
	stop('Disconnected.');
}

function clear() {
	playback.clear();
	clearRows();
	clearAxis();
	latest = null;
	clearPlayed();
	$('assembled').hidden = true;
	$('text').replaceChildren();
}

const isConnected = () => session !== null && !session.isClosed;

// ---- The controls of the rows.

function showPlayback() {
	$('pause').setAttribute('aria-pressed', playback.isPaused);
	$('slow').checked = playback.slow !== null;
}

function pause() {
	if (playback.isPaused) playback.resume();
	else playback.pause();
	showPlayback();
}

function step(next) {
	if (!playback.isPaused) playback.pause();
	if (!next.call(playback)) say('Nothing more has arrived.');
	showPlayback();
}

function goSlowly() {
	if ($('slow').checked) playback.goSlowly();
	else playback.resume();
	showPlayback();
}

function handleKey(event) {
	const action = { ' ': pause, n: () => step(playback.nextRow), c: () => step(playback.nextChunk) }[event.key];
	if (!action || event.ctrlKey || event.altKey || event.metaKey) return moveFocus(event);
	event.preventDefault();
	action();
}

// ---- Saving and copying.

function save() {
	if (!session?.kept.length) return say('Nothing has arrived that could be saved.');
	const script = new Blob([toBytes(scriptOf(session.request, session.kept))], { type: 'text/plain' });
	const download = `${session.target.split('?')[0].split('/').pop() || 'stream'}.sse`;
	const link = element('a', { href: URL.createObjectURL(script), download });
	link.click();
	setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
	say(`Saved as ${download}. Play it with: rust_sse_server --script ${download}`);
}

async function copy() {
	const request = selectedRequest();
	const line = curlLine(request, session?.target === request.target ? session.model.stream?.lastEventId : '');
	// A page that was not loaded from this machine may not be allowed to write to the clipboard.
	const isCopied = await navigator.clipboard?.writeText(line).then(() => true, () => false);
	say(isCopied ? `Copied: ${line}` : line);
}

// ---- The list of scripts.

const selected = () => scripts[$('script').selectedIndex];

// Selects the script that the fragment of the URL names.
function select() {
	const index = scripts.findIndex(script => fragmentOf(script) === location.hash);
	if (index >= 0) $('script').selectedIndex = index;
	describe();
}

function describe() {
	const script = selected();
	if (!script) return;
	showAbout(script);
	$('request-target').hidden = !hasChoice(script);
	$('target').value = usualTarget(script);
	$('request-body').hidden = methodOf(script) === 'GET';
	showScript(script);
}

function choose(script) {
	location.replace(fragmentOf(script));
	$('script').selectedIndex = scripts.indexOf(script);
	describe();
}

async function list() {
	const response = await request('/-/scripts');
	scripts.splice(0, scripts.length, ...await response.json());
	$('script').replaceChildren();
	$('scripts').replaceChildren();
	for (const script of scripts) {
		$('script').add(new Option(nameOf(script), nameOf(script)));
		$('scripts').append(scriptEntry(script, () => {
			choose(script);
			connect();
		}));
	}
	select();
}

history.replaceState(null, '', `?${token}${location.hash}`);
onhashchange = select;
$('script').onchange = () => {
	choose(selected());
	if (isConnected()) connect();
};
$('introduce').onclick = () => introduce(!document.body.classList.contains('resting'));
$('connect').onclick = () => isConnected() ? disconnect() : connect();
for (const log of document.querySelectorAll('.log')) {
	log.onkeydown = handleKey;
	log.onpointerover = explain;
	log.onpointerleave = stopExplaining;
	log.addEventListener('focusin', explain);
}
$('marks').onpointerover = explain;
$('marks').onpointerleave = stopExplaining;
$('marks').onclick = event => event.target.closest('.mark')?.row.element.focus();
$('pause').onclick = pause;
$('next-row').onclick = () => step(playback.nextRow);
$('next-chunk').onclick = () => step(playback.nextChunk);
$('slow').onchange = goSlowly;
$('clear').onclick = clear;
$('save').onclick = save;
$('copy').onclick = copy;
$('source-pane').ontoggle = describe;
$('play').onclick = playEdited;
$('source').oninput = markPlayed;
$('source').onscroll = followScrolling;
list().then(() => say('Choose a script and connect.'), error => say(`The list of scripts cannot be read: ${error.message}`));
