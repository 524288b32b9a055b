'use strict';

// Does work in turns, so that the browser can do something else in between: a browser may dispatch hundreds of events at once.

// Milliseconds that a turn takes.
const LONGEST_TURN = 12;

class Turns {
	constructor() {
		this.work = []; // Functions to call, in this order.
		this.timer = null;
	}

	add(work) {
		this.work.push(work);
		this.timer ??= setTimeout(() => this.turn(), 0);
	}

	turn() {
		const end = performance.now() + LONGEST_TURN;
		let count = 0;
		while (count < this.work.length && performance.now() < end) this.work[count++]();
		this.work.splice(0, count);
		this.timer = this.work.length ? setTimeout(() => this.turn(), 0) : null;
	}

	// Forgets the work that is left. It may be called from this work.
	clear() {
		this.work = [];
	}
}
