'use strict';

// A client for scripts that an EventSource cannot request, because it sends only GET: fetch, and the page's own parser.

class FetchSource {
	// Calls `happened` with what it does, in the form that `Matcher` takes.
	constructor({ method, target, body }, happened) {
		this.happened = (kind, state, more = {}) => happened({ kind, state, ...more });
		this.stopper = new AbortController();
		const headers = { accept: 'text/event-stream', 'content-type': 'application/json' };
		this.run(target, { method, headers, body, cache: 'no-store', signal: this.stopper.signal });
	}

	async run(target, options) {
		try {
			const response = await fetch(target, options);
			const isStream = response.ok && /^text\/event-stream *(;|$)/i.test(response.headers.get('content-type') ?? '');
			if (isStream) await this.read(response.body.getReader());
		} catch (error) {
			if (this.stopper.signal.aborted) return;
		}
		this.happened('error', CLOSED);
	}

	async read(reader) {
		this.happened('open', OPEN);
		const stream = new EventStream();
		for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
			const bytes = Array.from(value, byte => String.fromCharCode(byte)).join('');
			for (const { event } of stream.push(bytes)) if (event) this.happened('event', OPEN, { event });
		}
	}

	close() {
		this.stopper.abort();
	}
}

// What has to happen then: the same as with an EventSource, but without reconnecting after the end.
class FetchModel extends EventSourceModel {
	requested(head) {
		const must = super.requested(head);
		return { ...must, name: must.name === 'redirect' ? 'redirect' : 'fetch', isFetch: true };
	}

	responded(head) {
		const must = super.responded(head);
		if (!must) return null;
		return { ...must, isFetch: true, why: must.kind === 'open' ? status(head) : `${status(head)}, ${field(head, 'content-type') ?? 'no content-type'}` };
	}

	ended(why) {
		const must = super.ended(why);
		return must && { ...must, state: CLOSED, isFetch: true };
	}
}

// ---- The streams of large language models come in pieces of text, in JSON.

// The piece in the data of an event of one of the usual interfaces, or nothing.
function pieceOf(data) {
	let message;
	try {
		message = JSON.parse(data);
	} catch {
		return '';
	}
	const delta = message?.choices?.[0]?.delta ?? message?.delta ?? message?.candidates?.[0]?.content?.parts?.[0];
	const pieces = [delta, delta?.content, delta?.text, delta?.partial_json, delta?.tool_calls?.[0]?.function?.arguments];
	return pieces.find(piece => typeof piece === 'string') ?? '';
}
