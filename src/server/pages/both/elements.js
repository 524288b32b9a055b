'use strict';

// What both pages do with the document and with the server.

const $ = id => document.getElementById(id);

const say = text => { $('state').textContent = text; };

// An element with these properties. Its content is elements and text: nothing from a server is ever parsed as HTML.
function element(tag, properties, ...content) {
	const made = Object.assign(document.createElement(tag), properties);
	made.append(...content);
	return made;
}

// Text with its invisible characters escaped: every second part of it consists of these.
const escaped = text =>
	text.split(INVISIBLE).map((run, n) => n % 2 ? element('span', { className: 'escaped' }, escape(run)) : run);

// The response to a request. Throws what the server says if it refuses the request.
async function request(url, options) {
	const response = await fetch(url, options);
	if (!response.ok) throw new Error((await response.text()).trim());
	return response;
}

// An EventSource that calls the handler for the type of each event with the event's data, which is JSON.
function listen(url, handlers) {
	const source = new EventSource(url);
	for (const [type, handle] of Object.entries(handlers)) source.addEventListener(type, ({ data }) => handle(JSON.parse(data)));
	return source;
}
