'use strict';

// The event stream of one response: WHATWG HTML, sections 9.2.5 (parsing) and 9.2.6 (interpreting). It takes bytes in pieces of
// any size, and describes each line that they complete:
//
//   kind      'field', 'comment', 'empty line', or 'line end' for a LF whose CR has ended the line before
//   text      the line without its end
//   end       its end: LF, CR LF or CR
//   effect    what the line does, as text
//   event     the event that it dispatches: type, data, lastEventId; or null
//   buffers   the buffers after it

class EventStream {
	// A client keeps the last event ID and the reconnection time of the stream before.
	constructor(before) {
		this.decoder = new TextDecoder(); // Removes one byte order mark at the start; invalid UTF-8 becomes U+FFFD.
		this.afterCr = false;
		this.lastEventId = before?.lastEventId ?? '';
		this.retry = before?.retry ?? null; // The reconnection time, in milliseconds.
		this.id = this.lastEventId; // The last event ID buffer. It becomes the last event ID at an empty line.
		this.data = ''; // The data buffer.
		this.type = ''; // The event type buffer.
		this.line = ''; // A line without its end so far.
		this.block = []; // The lines since the last empty line that are about the next event.
		this.blockText = ''; // The text of all lines since the last empty line.
	}

	// The bytes come as a string with one character for each byte.
	push(bytes) {
		let text = this.decoder.decode(toBytes(bytes), { stream: true });
		if (!text) return [];
		const lines = [];
		const completesCrLf = this.afterCr && text[0] === '\n';
		this.afterCr = text.endsWith('\r');
		if (completesCrLf) {
			lines.push(this.describe('line end', '', '\n', 'the second half of CR LF, which ended the line before'));
			text = text.slice(1);
		}
		for (const [, part, end] of text.matchAll(/([^\r\n]*)(\r\n|\r|\n|$)/g)) {
			this.line += part;
			if (end) lines.push(this.endLine(end));
		}
		return lines;
	}

	endLine(end) {
		const text = this.line;
		this.line = '';
		if (text === '') return this.endBlock(end);
		const colon = text.indexOf(':');
		const name = colon < 0 ? text : text.slice(0, colon);
		const value = colon < 0 ? '' : text.slice(colon + 1).replace(/^ /, '');
		const effect = colon === 0 ? 'a comment: ignored' : this.field(name, value);
		this.blockText += text + '\n';
		const line = this.describe(colon === 0 ? 'comment' : 'field', text, end, effect);
		if (['data', 'event', 'id'].includes(name)) this.block.push(line);
		return line;
	}

	// An empty line dispatches the event, if there is data.
	endBlock(end) {
		const { data, type } = this;
		this.lastEventId = this.id; // What the client sends when it reconnects.
		this.clear();
		if (data === '') return this.describe('empty line', '', end, 'nothing to dispatch: the data buffer is empty');
		const event = { type: type || 'message', data: data.slice(0, -1), lastEventId: this.lastEventId };
		return this.describe('empty line', '', end, `dispatch ${quote(event.type)}`, event);
	}

	describe(kind, text, end, effect, event = null) {
		return { kind, text, end, effect, event, buffers: this.buffers() };
	}

	// Does what a field says, and returns a description of it.
	field(name, value) {
		switch (name) {
			case 'data':
				this.data += value + '\n';
				return 'data buffer: the value and LF added';
			case 'event':
				this.type = value;
				return `event type buffer: ${quote(value)}`;
			case 'id':
				if (value.includes('\0')) return 'ignored: an id must not contain U+0000';
				this.id = value;
				return `last event ID buffer: ${quote(value)}`;
			case 'retry':
				if (!/^[0-9]+$/.test(value)) return 'ignored: retry must be digits only';
				this.retry = Number(value);
				return `reconnection time: ${this.retry} ms`;
			default:
				return `ignored: unknown field ${quote(name)}`;
		}
	}

	// The stream has ended: discards the lines that have no empty line after them, and returns them. An incomplete one comes last.
	end() {
		const discarded = this.block;
		const { line } = this;
		this.line = '';
		this.id = this.lastEventId;
		this.clear();
		if (line) discarded.push(this.describe('incomplete', line, '', 'a line without its end'));
		return discarded;
	}

	clear() {
		this.data = this.type = this.blockText = '';
		this.block = [];
	}

	// A copy of the buffers as they are now.
	buffers() {
		const { blockText, line, data, type, id, retry } = this;
		return { unfinished: blockText + line, data, type, id, retry };
	}
}
