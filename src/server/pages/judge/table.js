'use strict';

// The table: a row for each case, a column for each client.

const VERDICTS = ['pass', 'fail', 'slow', 'info', 'not-reported', 'running'];

const rows = new Map(); // The rows of the table, by the ID of the case.
const clients = new Map(); // For each client: its column header, and its cells by the ID of the case.
let shown; // The cell that the details are about.

// A query with these parameters.
const query = parameters => new URLSearchParams(parameters).toString();

const post = (path, parameters) => request(`${path}?${query(parameters)}`, { method: 'POST' });

function showCases(cases) {
	for (const client of [...clients.keys()]) removeClient(client);
	rows.clear();
	$('cases').replaceChildren(...cases.map(({ id, level, section, text }) => {
		const row = element('tr', {},
			element('th', { scope: 'row' }, id), element('td', { className: 'level' }, level),
			element('td', { className: 'section' }, section), element('td', {}, text));
		rows.set(id, row);
		return row;
	}));
}

// Every client has a cell in every row, empty where it has not begun the case.
function addClient(name) {
	const forget = element('button', { onclick: () => post('/-/judge/forget', { client: name }) }, 'Forget');
	forget.setAttribute('aria-label', `Forget ${name}`);
	const header = element('th', { scope: 'col' }, name, element('small', {}), forget);
	$('clients').append(header);
	const cells = new Map();
	for (const [id, row] of rows) {
		const cell = element('td', {});
		row.append(cell);
		cells.set(id, cell);
	}
	const client = { header, cells };
	clients.set(name, client);
	return client;
}

function removeClient(name) {
	const { header, cells } = clients.get(name);
	clients.delete(name);
	for (const cell of [header, ...cells.values()]) cell.remove();
	if (shown && !shown.isConnected) close();
	for (const row of rows.values()) markRow(row);
}

function showRun({ client: name, case: id, verdict = 'running', expected = '', got = '' }) {
	const client = clients.get(name) || addClient(name);
	const cell = client.cells.get(id);
	if (!cell) return;
	cell.dataset.verdict = verdict;
	const button = element('button', { onclick: () => open(cell) }, verdict === 'running' ? '…' : verdict);
	button.setAttribute('aria-label', `${name}, ${id}: ${verdict}`);
	button.setAttribute('aria-expanded', cell === shown);
	cell.replaceChildren(button);
	Object.assign(cell, { result: { name, id, verdict, expected, got } });
	markRow(rows.get(id));
	count(client);
	if (cell === shown) open(cell);
}

function forgetRun({ client: name, case: id }) {
	const client = clients.get(name);
	const cell = client?.cells.get(id);
	if (!cell) return;
	delete cell.dataset.verdict;
	cell.replaceChildren();
	if (![...client.cells.values()].some(cell => cell.dataset.verdict)) return removeClient(name);
	markRow(rows.get(id));
	count(client);
}

function markRow(row) {
	const hasOther = [...row.cells].some(cell => !['pass', undefined].includes(cell.dataset.verdict));
	row.classList.toggle('all-pass', !hasOther);
}

function count({ header, cells }) {
	const all = [...cells.values()].map(cell => cell.dataset.verdict);
	const counts = VERDICTS.map(verdict => [all.filter(other => other === verdict).length, verdict]);
	header.querySelector('small').textContent =
		counts.filter(([number]) => number).map(([number, verdict]) => `${number} ${verdict}`).join(', ');
}
