//! Writes the results of all cases for one client: as text, JSON, JUnit XML and HTML.

use super::result::{CaseResult, CaseVerdict};
use crate::text::json;
use std::fmt;

/// What came of all cases for one client.
///
/// Its `Display` output has a line for each case, and a last line with how many there are of each verdict.
///
/// This judges a client in four cases at the same time. [`CaseRun::report`](crate::CaseRun::report) would take the
/// events that the client dispatches.
///
/// ```
/// use rust_sse_server::{EventSource, Report, Server};
/// use std::thread;
///
/// let server = Server::new().judge().start("127.0.0.1:0")?;
/// let judge = |case: &str| {
///     let run = server.judge("EventSource", case).unwrap();
///     let client = EventSource::new(&server.case_url(&run)).unwrap();
///     let running = client.clone();
///     thread::spawn(move || running.run());
///     let result = run.wait();
///     client.close();
///     result
/// };
/// let results = thread::scope(|scope| {
///     let runs = ["P05a", "P06", "P16", "R03"].map(|case| scope.spawn(move || judge(case)));
///     runs.map(|run| run.join().unwrap()).to_vec()
/// });
/// let report = Report::new("EventSource", results);
/// assert!(report.passed(), "{report}");
/// # Ok::<(), rust_sse_server::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// The client: a name, or its command.
    pub client: String,
    /// The results, in the order of the cases.
    pub results: Vec<CaseResult>,
}

impl Report {
    /// A report on this client.
    pub fn new(client: impl Into<String>, results: Vec<CaseResult>) -> Report {
        Report { client: client.into(), results }
    }

    /// Whether the client violated no case of the level `must`.
    pub fn passed(&self) -> bool {
        !self.results.iter().any(CaseResult::is_violation)
    }

    /// How many cases there are of each verdict, such as `3 pass, 1 fail`.
    pub fn counts(&self) -> String {
        let mut counts = Vec::new();
        for verdict in CaseVerdict::ALL {
            let count = self.results.iter().filter(|result| result.verdict == verdict).count();
            if count > 0 {
                counts.push(format!("{count} {}", verdict.as_str()));
            }
        }
        counts.join(", ")
    }

    /// The number of cases, and of each verdict: `2 cases: 1 pass, 1 fail`.
    pub fn summary(&self) -> String {
        let count = self.results.len();
        format!("{count} case{}: {}", if count == 1 { "" } else { "s" }, self.counts())
    }

    /// A JSON object with `client` and `cases`, which holds an object for each case (see [`CaseResult::to_json`]).
    pub fn to_json(&self) -> String {
        let cases: Vec<String> = self.results.iter().map(CaseResult::to_json).collect();
        let cases = format!("[\n{}\n]", cases.join(",\n"));
        json::Object::new().string("client", &self.client).member("cases", cases).finish() + "\n"
    }

    /// A test suite as JUnit writes it, which CI systems read. Only violations of a `must` are failures; cases without a
    /// verdict are skipped.
    pub fn to_junit(&self) -> String {
        let failures = self.results.iter().filter(|result| result.is_violation()).count();
        let skipped = self.results.iter().filter(|result| is_skipped(result)).count();
        let mut xml = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <testsuite name=\"{}\" tests=\"{}\" failures=\"{failures}\" skipped=\"{skipped}\">\n",
            markup(&self.client),
            self.results.len()
        );
        for result in &self.results {
            let CaseResult { id, section, text, expected, got, wire, .. } = result;
            xml += &format!("<testcase classname=\"{}\" name=\"{id}: {}\">", markup(section), markup(text));
            if result.is_violation() {
                let message = markup(&format!("expected {expected}, got {got}"));
                xml += &format!("<failure message=\"{message}\">{}</failure>", markup(wire));
            } else if is_skipped(result) {
                xml += &format!("<skipped message=\"{}\"/>", markup(got));
            }
            xml += "</testcase>\n";
        }
        xml + "</testsuite>\n"
    }

    /// A page that needs no other file: a table of the cases, each of which opens to what was expected, what came, and
    /// what went over the wire.
    pub fn to_html(&self) -> String {
        let client = markup(&self.client);
        let mut rows = String::new();
        for result in &self.results {
            let CaseResult { id, level, section, text, verdict, expected, got, wire } = result;
            let verdict = verdict.as_str();
            let mut details = String::new();
            for (name, value) in [("expected", expected), ("got", got)] {
                if !value.is_empty() {
                    details += &format!("<p><b>{name}</b> {}</p>", markup(value));
                }
            }
            rows += &format!(
                "<tr class=\"{verdict}\"><td>{id}<td>{level}<td>{section}<td>{verdict}<td><details><summary>{}</summary>\
                 {details}<pre>{}</pre></details>\n",
                markup(text),
                markup(wire),
                section = markup(section),
            );
        }
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>{client}</title>\n\
             <style>{STYLE}</style>\n<h1>{client}</h1>\n<p>{}</p>\n\
             <table><tr><th>case<th>level<th>section<th>verdict<th>correct behaviour\n{rows}</table>\n</html>\n",
            self.counts()
        )
    }
}

const STYLE: &str = "body{font:1em/1.4 system-ui,sans-serif;margin:2em}\
    table{border-collapse:collapse}td,th{padding:.2em .6em;text-align:left;vertical-align:top}\
    tr{border-top:1px solid #8884}pre{overflow:auto;background:#8882;padding:.5em}\
    .fail td:nth-child(4){color:#c00;font-weight:bold}.slow td:nth-child(4){color:#a60}.pass td:nth-child(4){color:#080}";

fn is_skipped(result: &CaseResult) -> bool {
    result.verdict == CaseVerdict::NotReported
}

/// The text as it is written in XML and HTML, in an element or between double quotes. XML allows no control characters.
fn markup(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\n' | '\t' => escaped.push(c),
            _ if c.is_control() => escaped.push('\u{FFFD}'),
            _ => escaped.push(c),
        }
    }
    escaped
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for result in &self.results {
            writeln!(f, "{result}")?;
        }
        writeln!(f, "{}", self.summary())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let result = |id: &str, verdict| CaseResult {
            id: id.to_owned(),
            level: "must",
            section: "9.2.6".to_owned(),
            text: "a < b".to_owned(),
            verdict,
            expected: "\"x\"".to_owned(),
            got: "no request".to_owned(),
            wire: "  0.001 > GET / HTTP/1.1\\r\\n\n".to_owned(),
        };
        let verdicts = [CaseVerdict::Pass, CaseVerdict::Fail, CaseVerdict::NotReported];
        let results = ["P01", "P02", "P03"].iter().zip(verdicts).map(|(id, verdict)| result(id, verdict));
        Report::new("node & co", results.collect())
    }

    #[test]
    fn the_text_has_a_line_for_each_case_and_one_with_the_counts() {
        assert_eq!(
            report().to_string(),
            "P01 must 9.2.6 pass: a < b\n\
             P02 must 9.2.6 fail: a < b (expected \"x\", got no request)\n\
             P03 must 9.2.6 not-reported: a < b (no request)\n\
             3 cases: 1 pass, 1 fail, 1 not-reported\n"
        );
        assert!(!report().passed());
    }

    #[test]
    fn json_has_an_object_for_each_case() {
        let text = report().to_json();
        assert!(
            text.starts_with("{\"client\":\"node & co\",\"cases\":[\n{\"id\":\"P01\",\"level\":\"must\","),
            "{text}"
        );
        assert!(
            text.contains("\"verdict\":\"fail\",\"expected\":\"\\\"x\\\"\",\"got\":\"no request\","),
            "{text}"
        );
    }

    #[test]
    fn markup_is_escaped() {
        let (xml, html) = (report().to_junit(), report().to_html());
        assert!(
            xml.contains("<testsuite name=\"node &amp; co\" tests=\"3\" failures=\"1\" skipped=\"1\">"),
            "{xml}"
        );
        let failure = "<testcase classname=\"9.2.6\" name=\"P02: a &lt; b\">\
             <failure message=\"expected &quot;x&quot;, got no request\">  0.001 &gt; GET / HTTP/1.1";
        assert!(xml.contains(failure), "{xml}");
        assert!(xml.contains("<skipped message=\"no request\"/>"), "{xml}");
        assert!(html.contains("<summary>a &lt; b</summary>") && !html.contains("http://"), "{html}");
    }
}
