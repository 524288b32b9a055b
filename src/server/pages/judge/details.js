'use strict';

// The details of a cell: what was expected, what was received, and the wire.

async function open(cell) {
	const { name, id, verdict, expected, got } = cell.result;
	shown?.firstElementChild?.setAttribute('aria-expanded', false);
	const isOther = shown !== cell;
	shown = cell;
	cell.firstElementChild.setAttribute('aria-expanded', true);
	$('which').textContent = `${name}, ${id}: ${verdict}`;
	$('right').textContent = rows.get(id).cells[3].textContent;
	$('expected').replaceChildren(...escaped(expected || 'correct behaviour'));
	$('got').replaceChildren(...escaped(verdict === 'running' ? 'nothing yet' : got || 'as expected'));
	$('wire').textContent = '';
	$('details').hidden = false;
	if (isOther) $('details').focus();
	const response = await fetch(`/-/judge/report?${query({ client: name, case: id })}`);
	const { cases } = response.ok ? await response.json() : { cases: [] };
	if (shown === cell) $('wire').textContent = cases[0]?.wire ?? 'The wire is shown when the case is decided.';
}

function close() {
	const button = shown?.firstElementChild;
	shown = undefined;
	$('details').hidden = true;
	button?.setAttribute('aria-expanded', false);
	button?.focus();
}
