'use strict';

// The descriptions of the scripts: in the list of the introduction, and of the one that is selected.

// A line such as `See it with   curl -N http://127.0.0.1:8080/slow`.
const CURL = / {3}(curl .*)/;

// The text of a script's introduction without its curl lines, and these, for this server.
function describeScript(script) {
	const { target, about, introduction } = script;
	const lines = (introduction || about).split('\n');
	const written = lines.map(line => line.match(CURL)?.[1]).filter(line => line).join('\n');
	const curl = written || `curl -N ${methodOf(script) === 'GET' ? '' : `-d '{"stream":true}' `}http://127.0.0.1:8080${target.replaceAll('*', 'x')}`;
	// Lines are broken for a file; an empty one separates paragraphs.
	const text = lines.filter(line => !CURL.test(line)).join('\n').trim().replace(/([^\n])\n(?!\n)/g, '$1 ');
	const [title, ...rest] = text.split(/(?<=\.) (?=[A-Z])|\n+/);
	return { title, text: rest.join(' '), curl: curl.replaceAll('http://127.0.0.1:8080', location.origin) };
}

// A `*` in the path of a script stands for any segment, so its requests need another path.
const hasChoice = script => script.target.includes('*');

// The target for the requests of a script: if there is a choice, that of its curl line.
function usualTarget(script) {
	if (!hasChoice(script)) return script.target;
	const [url] = describeScript(script).curl.match(/http:\/\/[^\s']+/);
	return url.slice(location.origin.length);
}

// A script's request: its target for GET, the method and the target for others.
const methodOf = ({ method }) => method.split(',').includes('GET') ? 'GET' : method.split(',')[0];
const nameOf = script => methodOf(script) === 'GET' ? script.target : `${methodOf(script)} ${script.target}`;
const fragmentOf = script => `#${encodeURI(nameOf(script))}`;

// An entry of the list. `choose` is called with the script when its link is used.
function scriptEntry(script, choose) {
	const { title, text, curl } = describeScript(script);
	const link = element('a', { href: fragmentOf(script), onclick: () => choose(script) }, nameOf(script));
	const more = text ? [element('p', {}, text)] : [];
	return element('li', {}, link, ` ${title}`, ...more, element('div', {}, element('code', {}, curl)));
}

function showAbout(script) {
	const { title, text, curl } = describeScript(script);
	$('about').children[0].textContent = title;
	$('about').children[1].textContent = text;
	$('about').children[2].textContent = curl;
}
