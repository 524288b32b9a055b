'use strict';

// The time axis: a mark for each request, chunk, event, wait and end, where it was in time. Times are the server's.

// The most time that is shown, and the least; in milliseconds.
const LONGEST = 60_000;
const SHORTEST = 500;
// Distances between the lines of the scale, in milliseconds, of which at most this many are shown.
const SCALES = [100, 200, 500, 1000, 2000, 5000, 10_000];
const MOST_LINES = 8;
const MOST_MARKS = 400;

const axis = { start: null, end: 0, scale: 0 };

// Adds the mark of a row, if it has one. What other clients do is not shown.
function addMark(row) {
	const kind = markOf(row);
	if (!kind || row.isOther || row.time === undefined) return;
	axis.start ??= row.time;
	const title = [row.name, row.text.slice(0, 80), row.note].filter(text => text).join(' · ');
	const mark = element('span', { className: `mark ${kind}`, row, title });
	mark.style.setProperty('--at', row.time - axis.start);
	if (kind === 'chunk') mark.style.setProperty('--size', Math.log10(parseInt(row.text, 16) || row.text.length));
	if (kind === 'wait') mark.style.setProperty('--length', row.duration);
	$('marks').append(mark);
	link(row.chunk, mark);
	if ($('marks').childElementCount > MOST_MARKS) removeRow($('marks').firstElementChild);
	stretch(row.time - axis.start);
}

function markOf({ column, name, data, duration, how }) {
	if (column === 'dispatched') return { event: 'event', missing: data.name === 'event' ? 'event missing' : null }[data.kind];
	if (column !== 'wire') return null;
	if (name === 'request line' || name === 'malformed') return name === 'malformed' ? 'loss' : 'request';
	if (name === 'chunk-size' || name === 'content') return 'chunk';
	if (name === 'last-chunk') return 'last';
	if (data.name === 'wait') return duration > 0 ? 'wait' : null;
	if (data.name === 'end') return /^complete|^ended by/.test(how) ? null : 'loss';
	return null;
}

// Lets the axis end at this time, or later if it does already. When it is full, it moves on.
function stretch(time) {
	if (time < axis.end) return;
	axis.end = time;
	const span = Math.min(LONGEST, Math.max(SHORTEST, axis.end * 1.04));
	const from = Math.max(0, axis.end * 1.04 - span);
	$('axis').style.setProperty('--from', from);
	$('axis').style.setProperty('--span', span);
	drawScale(from, span);
}

function drawScale(from, span) {
	const scale = SCALES.find(step => span / step <= MOST_LINES);
	const lines = [];
	for (let time = Math.ceil(from / scale) * scale; time <= from + span; time += scale) {
		const line = element('span', { className: 'line' }, `${time / 1000} s`);
		line.style.setProperty('--at', time);
		lines.push(line);
	}
	$('scale').replaceChildren(...lines);
}

function clearAxis() {
	Object.assign(axis, { start: null, end: 0 });
	$('marks').replaceChildren();
	$('scale').replaceChildren();
}
