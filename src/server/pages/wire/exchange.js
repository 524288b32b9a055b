'use strict';

// A request and its response, as /-/wire shows them piece by piece.

class Exchange {
	constructor(connection) {
		this.connection = connection;
		this.request = ''; // The heads so far.
		this.response = '';
		this.held = []; // Pieces, until the head of the request is complete and shows whose it is; then null.
		this.isOurs = false;
		this.chunk = 0; // The number of the chunk, or head, that it is at.
		this.body = []; // The pieces of the body, if they are kept.
		this.sentAt = undefined; // When the request came; later, when the response ended, and how.
		this.endedAt = this.how = undefined;
		this.before = ''; // The name of the last piece, with an ellipsis if its line has no end yet.
	}

	add({ from, name, bytes }) {
		if (name === 'status line' && isComplete(this.response)) this.response = ''; // The one before was an interim response.
		if (!name.endsWith(' line')) return;
		if (from === 'client') this.request += bytes;
		else this.response += bytes;
	}

	// Whether this piece is the beginning of a chunk or a head.
	begins({ name, bytes }) {
		const { before } = this;
		this.before = /line|size|last/.test(name) && !bytes.endsWith('\n') ? name + '…' : name;
		if (name === 'malformed') return before !== name;
		return /request line|status line|chunk-size|last-chunk|content/.test(name) && before !== name + '…';
	}
}
