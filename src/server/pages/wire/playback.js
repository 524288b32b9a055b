'use strict';

// Shows rows in the order of their steps: at once, slowly, or one at a time on request. The connection continues
// meanwhile.

// Milliseconds between two rows when slow.
const SLOW = 400;

class Playback {
	// `show` is called with each row, `done` after some of them.
	constructor(show, done) {
		this.show = show;
		this.done = done;
		this.waiting = []; // Rows that are not shown yet, in the order of their steps.
		this.limit = Infinity; // The last step that may be shown.
		this.shown = 0; // The last step that was shown.
		this.turn = null; // The timer for the next turn.
		this.slow = null; // The timer for the next slow row.
	}

	add(row) {
		// A row of the third column can belong to a step before those that wait.
		let at = this.waiting.length;
		while (at > 0 && this.waiting[at - 1].step > row.step) at -= 1;
		this.waiting.splice(at, 0, row);
		this.turn ??= setTimeout(() => this.play(), 0);
	}

	play() {
		clearTimeout(this.turn);
		this.turn = null;
		const end = performance.now() + LONGEST_TURN;
		let count = 0;
		while (count < this.waiting.length && this.waiting[count].step <= this.limit && performance.now() < end) {
			this.shown = this.waiting[count].step;
			this.show(this.waiting[count]);
			count += 1;
		}
		this.waiting.splice(0, count);
		if (count) this.done();
		if (this.waiting[0]?.step <= this.limit) this.turn = setTimeout(() => this.play(), 0);
	}

	get isPaused() {
		return this.limit < Infinity && this.slow === null;
	}

	pause() {
		this.stopSlow();
		this.limit = this.shown;
	}

	resume() {
		this.stopSlow();
		this.limit = Infinity;
		this.play();
	}

	goSlowly() {
		this.pause();
		this.slow = setInterval(() => this.nextRow(), SLOW);
	}

	stopSlow() {
		clearInterval(this.slow);
		this.slow = null;
	}

	// Shows the next row, and what was dispatched by it. Returns whether there is one.
	nextRow() {
		return this.showUpTo(row => row.step);
	}

	// Shows the rest of a chunk, or the next one.
	nextChunk() {
		const [first] = this.waiting;
		return this.showUpTo(() => {
			const next = this.waiting.find(({ chunk }) => chunk !== first.chunk);
			return next ? next.step - 1 : this.waiting[this.waiting.length - 1].step;
		});
	}

	showUpTo(step) {
		if (this.waiting.length === 0) return false;
		this.limit = step(this.waiting[0]);
		this.play();
		return true;
	}

	clear() {
		clearTimeout(this.turn);
		this.turn = null;
		this.waiting = [];
		this.shown = 0;
		if (this.limit < Infinity) this.limit = 0;
	}
}
