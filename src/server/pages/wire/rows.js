'use strict';

// The rows of the columns. Nothing from a server is ever parsed as HTML.

// The rows that a column keeps, and the characters of a line that are shown: a stream may have no end.
const MOST_ROWS = 600;
const MOST_CHARACTERS = 4000;

// The elements of each chunk.
const linked = new Map();

// A line for each line of the text.
const visible = text => (shorten(text, MOST_CHARACTERS).match(/[^\n]*\n|[^\n]+/g) ?? []).map(line => element('div', {}, ...parts(line)));

// The parts of a line: blanks at its end are marked, and invisible characters escaped.
function parts(line) {
	const ends = line.match(/[\r\n]*$/)[0];
	let length = line.length - ends.length;
	while (line[length - 1] === ' ') length -= 1;
	const blanks = line.slice(length, line.length - ends.length);
	return [...escaped(line.slice(0, length)), ...(blanks ? [element('span', { className: 'blank' }, blanks)] : []), ...escaped(ends)];
}

const fresh = {}; // The latest rows of each column.
let rowsMade = 0;
let pointed = null; // The row that is pointed at.

// Shows a row at the end of its column.
function addRow(row) {
	const list = $(row.column).firstElementChild;
	row.element = element('li', { id: `row-${rowsMade += 1}`, row });
	row.element.setAttribute('aria-labelledby', row.element.id); // Its name is its text.
	fillRow(row);
	list.append(row.element);
	link(row.chunk, row.element);
	freshen(row);
	if (list.childElementCount > MOST_ROWS) removeRow(list.firstElementChild);
	for (const discarded of row.discards ?? []) {
		discarded.isDiscarded = true;
		fillRow(discarded);
	}
}

// The rows of the last chunk of each column stand out.
function freshen({ column, chunk, element: item }) {
	if (fresh[column]?.[0].row.chunk !== chunk) {
		for (const old of fresh[column] ?? []) old.classList.remove('fresh');
		fresh[column] = [];
	}
	fresh[column].push(item);
	item.classList.add('fresh');
}

// Shows what a row says now.
function fillRow(row) {
	const { element: item, name, text, note, data, chunk } = row;
	if (!item) return; // It is not shown yet.
	const contents = [['b', name], ['code', text], ['small', note]].filter(([, text]) => text);
	item.replaceChildren(...contents.map(([tag, text]) => element(tag, {}, ...visible(text))));
	item.tabIndex = -1;
	item.classList.toggle('other', !!row.isOther);
	item.classList.toggle('discarded', !!row.isDiscarded);
	Object.assign(item.dataset, { chunk, ...data });
}

// Lets a row say something else. It may also belong to another chunk.
function changeRow(row, values) {
	if (row.element) linked.get(row.chunk)?.delete(row.element);
	Object.assign(row, values);
	if (row.element) link(row.chunk, row.element);
	fillRow(row);
}

function removeRow(item) {
	linked.get(item.row.chunk)?.delete(item);
	item.remove();
}

function link(chunk, item) {
	if (!linked.has(chunk)) linked.set(chunk, new Set());
	linked.get(chunk).add(item);
	item.classList.toggle('same', pointed?.chunk === chunk);
}

function clearRows() {
	linked.clear();
	pointed = null;
	for (const column of Object.keys(fresh)) delete fresh[column];
	document.querySelectorAll('.log ol').forEach(list => list.replaceChildren());
}

// ---- Pointing at a row marks all of the same chunk.

function point(row) {
	const mark = isSame => linked.get(pointed.chunk)?.forEach(item => item.classList.toggle('same', isSame));
	if (pointed) mark(false);
	pointed = row;
	if (pointed) mark(true);
}

// Scrolls the other columns to the same chunk.
function reveal(row) {
	const logs = new Set([row.element?.closest('.log')]);
	for (const item of linked.get(row.chunk) ?? []) {
		const log = item.closest('.log');
		if (log && !logs.has(log)) item.scrollIntoView({ block: 'nearest' });
		logs.add(log);
	}
}

// ---- The keyboard: up and down in a column, left and right to the same chunk in another.

function moveFocus(event) {
	const log = event.currentTarget;
	const next = nextRow(log, event.target.closest('li'), event.key);
	if (!next) return;
	event.preventDefault();
	next.focus();
}

function nextRow(log, item, key) {
	const list = log.firstElementChild;
	switch (key) {
		case 'ArrowDown': return item ? item.nextElementSibling : list.firstElementChild;
		case 'ArrowUp': return item ? item.previousElementSibling : list.lastElementChild;
		case 'Home': return list.firstElementChild;
		case 'End': return list.lastElementChild;
		case 'ArrowRight': return item && rowBeside(log, item, 1);
		case 'ArrowLeft': return item && rowBeside(log, item, -1);
		default: return null;
	}
}

// The first row of the same chunk in the next column that has one, to the right or to the left.
function rowBeside(log, item, direction) {
	const logs = [...document.querySelectorAll('.log')];
	for (let at = logs.indexOf(log) + direction; logs[at]; at += direction) {
		const beside = [...linked.get(item.row.chunk)].find(other => logs[at].contains(other));
		if (beside) return beside;
	}
	return null;
}
