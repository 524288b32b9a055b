'use strict';

// The rows of the columns. Nothing from a server is ever parsed as HTML.

// The rows that a column keeps, and the characters of a line that are shown: a stream may have no end.
const MOST_ROWS = 2000;
const MOST_CHARACTERS = 4000;

const $ = id => document.getElementById(id);

function element(tag, ...content) {
	const made = document.createElement(tag);
	made.append(...content);
	return made;
}

// The elements of each chunk.
const linked = new Map();

// A line for each line of the text.
const visible = text => (shorten(text, MOST_CHARACTERS).match(/[^\n]*\n|[^\n]+/g) ?? []).map(line => element('div', ...parts(line)));

// The parts of a line: blanks at its end are marked, and invisible characters escaped.
function parts(line) {
	const ends = line.match(/[\r\n]*$/)[0];
	let length = line.length - ends.length;
	while (line[length - 1] === ' ') length -= 1;
	const blanks = line.slice(length, line.length - ends.length);
	return [...escaped(line.slice(0, length)), ...(blanks ? [marked('blank', blanks)] : []), ...escaped(ends)];
}

// Every second part of a text is invisible characters.
const escaped = text => text.split(INVISIBLE).map((run, n) => n % 2 ? marked('escaped', escape(run)) : run);

function marked(className, text) {
	const made = element('span', text);
	made.className = className;
	return made;
}

// Shows a row at the end of its column.
function addRow(row) {
	const list = $(row.column).firstElementChild;
	const fresh = list.getElementsByClassName('fresh');
	row.element = element('li');
	row.element.row = row;
	fillRow(row);
	row.element.classList.add('fresh');
	list.append(row.element);
	link(row.chunk, row.element);
	while (fresh[0].row.chunk !== row.chunk) fresh[0].classList.remove('fresh');
	if (list.childElementCount > MOST_ROWS) removeRow(list.firstElementChild);
	for (const discarded of row.discards ?? []) {
		discarded.isDiscarded = true;
		fillRow(discarded);
	}
}

// Shows what a row says now.
function fillRow(row) {
	const { element: item, name, text, note, data, chunk } = row;
	if (!item) return; // It is not shown yet.
	const contents = [['b', name], ['code', text], ['small', note]].filter(([, text]) => text);
	item.replaceChildren(...contents.map(([tag, text]) => element(tag, ...visible(text))));
	item.tabIndex = -1;
	item.classList.toggle('other', !!row.isOther);
	item.classList.toggle('discarded', !!row.isDiscarded);
	Object.assign(item.dataset, { chunk, ...data });
}

function removeRow(item) {
	linked.get(item.row.chunk)?.delete(item);
	item.remove();
}

function link(chunk, item) {
	if (!linked.has(chunk)) linked.set(chunk, new Set());
	linked.get(chunk).add(item);
}

function clearRows() {
	linked.clear();
	document.querySelectorAll('.log ol').forEach(list => list.replaceChildren());
}

// ---- Pointing at a row marks all of the same chunk.

let pointed = null;

function point(row) {
	if (pointed) linked.get(pointed.chunk)?.forEach(item => item.classList.remove('same'));
	pointed = row;
	if (row) linked.get(row.chunk)?.forEach(item => item.classList.add('same'));
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
