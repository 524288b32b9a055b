'use strict';

// Judges this browser: requests a case, opens it, and reports events and states, until there is no further case.

// Cases that run at a time. A browser opens six connections to a host: one is for the results, and one has to be left for
// requests of this page.
const PARALLEL = 4;

const ending = new Map(); // What ends the cases that this browser runs, by their IDs.

// Browsers also name each other in this field, so the most specific name comes first.
const BROWSERS = [['Edg', 'Edge'], ['OPR', 'Opera'], ['Firefox', 'Firefox'], ['Chrome', 'Chromium'], ['Version', 'Safari']];

function nameOfBrowser() {
	for (const [token, name] of BROWSERS) {
		const version = navigator.userAgent.match(new RegExp(`${token}/([0-9]+)`))?.[1];
		if (version) return `${name} ${version}`;
	}
	return 'this browser';
}

async function judge() {
	const client = nameOfBrowser();
	const cases = new URLSearchParams(location.search).get('cases');
	const parameters = { client, profile: 'browser', ...(cases && { cases }) };
	$('judge').disabled = true;
	say(`Judging ${client}. This takes a minute or more.`);
	try {
		await post('/-/judge/forget', { client });
		await Promise.all(Array.from({ length: PARALLEL }, () => runCases(parameters)));
		await Promise.all([...ending.values()].map(({ decided }) => decided));
		say(`${client} has run all cases: ${clients.get(client)?.header.querySelector('small').textContent}.`);
	} catch (error) {
		say(`Not all cases were run: ${error.message}`);
	}
	$('judge').disabled = false;
}

async function runCases(parameters) {
	for (;;) {
		const response = await post('/-/judge/next', parameters);
		if (response.status === 204) return;
		await runCase(await response.json());
	}
}

// Returns when the case is decided, or when the EventSource has closed for good and no longer needs a connection.
function runCase({ id, url, report, withCredentials }) {
	const source = new EventSource(url, { withCredentials });
	const tell = reporter(report);
	// The events of the cases are of these types. `close` asks for the EventSource to be closed.
	for (const type of ['message', 'x', 'close']) {
		source.addEventListener(type, ({ data, lastEventId }) => tell({ type, data, id: lastEventId }));
	}
	for (const state of ['open', 'error']) source.addEventListener(state, () => tell({ state }));
	source.addEventListener('close', () => {
		source.close();
		tell({ state: 'closed' });
	});
	return new Promise(closed => {
		const decided = new Promise(end => ending.set(id, {
			end() {
				source.close();
				ending.delete(id);
				end();
				closed();
			},
		}));
		ending.get(id).decided = decided;
		source.onerror = () => { if (source.readyState === EventSource.CLOSED) closed(); };
	});
}

// Reports events and states in their order: those that come while a report is sent are in the next one.
function reporter(url) {
	let lines = [];
	let isSending = false;
	return async line => {
		lines.push(JSON.stringify(line));
		if (isSending) return;
		isSending = true;
		while (lines.length) {
			const body = lines.join('\n');
			lines = [];
			await fetch(url, { method: 'POST', body });
		}
		isSending = false;
	};
}
