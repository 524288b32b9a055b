'use strict';

// Shows the results, which come as events.

function watch() {
	const results = listen('/-/judge/results', {
		cases: showCases,
		forget: forgetRun,
		run(run) {
			showRun(run);
			if (run.verdict && run.client === nameOfBrowser()) ending.get(run.case)?.end();
		},
	});
	results.onerror = () => {
		const isOver = results.readyState === EventSource.CLOSED;
		say(isOver ? 'The results cannot be shown: too many pages show them.' : 'The connection to the server was lost.');
	};
}

$('url').textContent = `${location.origin}/case/NAME/ID`;
$('judge').onclick = judge;
$('close').onclick = close;
$('details').onkeydown = event => { if (event.key === 'Escape') close(); };
$('differing').onchange = event => $('cases').classList.toggle('only-differing', event.target.checked);
watch();
