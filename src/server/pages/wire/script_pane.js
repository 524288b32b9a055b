'use strict';

// The text of the selected script, with marks at the lines that are played. If the server was started with --control, it can be
// changed and played.

const pathOf = ({ name }) => '/-/scripts' + name.split('/').map(encodeURIComponent).join('/');

let source = { name: '', text: '', shown: '' }; // The script in the pane, as the server has it and as the pane has it.

async function showScript(script) {
	if (!$('source-pane').open) return;
	const [response, options] = await Promise.all([fetch(pathOf(script)), fetch(pathOf(script), { method: 'OPTIONS' })]);
	const text = await response.text();
	if (script !== selected()) return; // Another one was selected meanwhile.
	const isEditable = options.headers.get('allow')?.includes('PUT') ?? false;
	if (source.name !== script.name || source.text !== text) $('source').value = text;
	source = { name: script.name, text, shown: $('source').value };
	$('source').readOnly = !isEditable;
	$('play').disabled = !isEditable;
	$('play-hint').textContent = isEditable ? '' : 'To change scripts here, start the server with --control.';
	markPlayed();
}

// Replaces the script with the text, and plays it.
async function playEdited() {
	const script = selected();
	try {
		await request(pathOf(script), { method: 'PUT', body: $('source').value });
		await list();
	} catch (error) {
		return say(error.message);
	}
	$('script').selectedIndex = Math.max(0, scripts.findIndex(({ name }) => name === script.name));
	describe();
	connect();
}

// ---- The lines that are played.

const played = { sent: null, now: null }; // The lines that have sent the latest bytes, and those at which the script is.

// Notes which lines a row comes from.
function playLines({ column, isOther, name, data, lines = null }) {
	if (data.kind === 'closed') return clearPlayed();
	if (column !== 'wire' || isOther) return;
	// The script may have changed since the last request.
	if (name === 'request line' && !isEdited()) showScript(selected());
	played.now = lines;
	if (name !== 'wait') played.sent = lines;
}

function clearPlayed() {
	played.sent = played.now = null;
	markPlayed();
}

const isEdited = () => $('source').value !== source.shown;

// While a row is pointed at, the lines that it comes from are marked instead.
const markPlayed = () => pointed ? markLines(pointed.lines, pointed.lines) : markLines(played.sent, played.now);

// Marks lines of the script, unless they are of another one, or of its text before it was edited.
function markLines(sent, now) {
	$('played').textContent = now ? describeLines(now) : '';
	mark($('sent-lines'), sent);
	mark($('played-lines'), now);
}

function describeLines({ script, first, last }) {
	const which = first === last ? `Line ${first}` : `Lines ${first} to ${last}`;
	return `${which} of ${script}`;
}

function mark(element, lines) {
	element.hidden = lines?.script !== source.name || isEdited();
	if (element.hidden) return;
	const first = shownLine(lines.first);
	element.style.setProperty('--first', first);
	element.style.setProperty('--count', shownLine(lines.last) - first + 1);
	// A reader who is in the text scrolls it.
	if (!$('source').matches(':hover, :focus')) scrollTo(element);
}

// The number of a line in the pane, where a CR also ends a line.
const shownLine = number => source.text.split('\n', number - 1).join('\n').split(/\r(?!\n|$)/).length + number - 1;

function scrollTo({ offsetTop, offsetHeight }) {
	const below = offsetTop + offsetHeight - $('source').clientHeight;
	if (offsetTop < 0 || below > 0) $('source').scrollTop += offsetTop < 0 ? offsetTop : Math.min(below, offsetTop);
	followScrolling();
}

function followScrolling() {
	$('lines').style.setProperty('--scrolled', `${$('source').scrollTop}px`);
}
