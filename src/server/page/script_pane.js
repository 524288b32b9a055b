'use strict';

// The text of the selected script. If the server was started with --control, it can be changed and played.

const pathOf = ({ name }) => '/-/scripts' + name.split('/').map(encodeURIComponent).join('/');

async function showScript(script) {
	if (!$('source-pane').open) return;
	const [text, options] = await Promise.all([fetch(pathOf(script)), fetch(pathOf(script), { method: 'OPTIONS' })]);
	const source = await text.text();
	if (script !== selected()) return; // Another one was selected meanwhile.
	const isEditable = options.headers.get('allow')?.includes('PUT') ?? false;
	$('source').value = source;
	$('source').readOnly = !isEditable;
	$('play').disabled = !isEditable;
	$('play-hint').textContent = isEditable ? '' : 'To change scripts here, start the server with --control.';
}

// Replaces the script with the text, and plays it.
async function playEdited() {
	const script = selected();
	const response = await fetch(pathOf(script), { method: 'PUT', body: $('source').value });
	if (!response.ok) return say(await response.text());
	await list();
	$('script').selectedIndex = Math.max(0, scripts.findIndex(({ name }) => name === script.name));
	describe();
	connect();
}
