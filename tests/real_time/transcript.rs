//! The transcripts in the documents: a command and the lines that it prints, and how they are compared with those that it
//! really prints.

/// The documents with transcripts.
const DOCUMENTS: [(&str, &str); 6] = [
    ("README.md", include_str!("../../README.md")),
    ("examples/README.md", include_str!("../../examples/README.md")),
    ("examples/judge/README.md", include_str!("../../examples/judge/README.md")),
    ("examples/proxies/README.md", include_str!("../../examples/proxies/README.md")),
    ("examples/small-machines.md", include_str!("../../examples/small-machines.md")),
    ("src/script/reference.md", include_str!("../../src/script/reference.md")),
];

/// A line of a transcript that stands for any number of lines.
const ANY_LINES: &str = "…";
/// Begins a remark after a line of a transcript.
const REMARK: &str = " ← ";
/// The rest of a line after one of these differs between two runs or between two versions of curl.
const VARYING: [&str; 7] =
    ["date: ", "User-Agent: ", "* wait          ", "curl: (", "{\"time\":", "@sleep ", " events in "];

/// A command of a document, and the lines that it prints.
pub struct Transcript {
    pub document: &'static str,
    pub command: String,
    lines: Vec<String>,
}

/// All transcripts: the code blocks of the language `console`, whose first line begins with `$ `.
pub fn transcripts() -> Vec<Transcript> {
    let blocks = |(document, text): (&'static str, &'static str)| {
        text.split("```console\n").skip(1).map(move |block| (document, block.split("```").next().unwrap()))
    };
    DOCUMENTS
        .into_iter()
        .flat_map(blocks)
        .map(|(document, block)| Transcript::parse(document, block))
        .collect()
}

/// The scripts in the documents with their names: the code blocks of the language `text` that begin with `@# NAME.sse`.
pub fn scripts() -> Vec<(&'static str, &'static str)> {
    let blocks = DOCUMENTS.into_iter().flat_map(|(_, text)| text.split("```text\n@# ").skip(1));
    blocks.map(|block| block.split("```").next().unwrap().split_once('\n').unwrap()).collect()
}

impl Transcript {
    fn parse(document: &'static str, block: &str) -> Transcript {
        let mut lines = block.lines();
        let command = lines.next().unwrap().strip_prefix("$ ").unwrap().to_owned();
        // The server prints arrows itself.
        let has_remarks = !command.contains("--trace");
        let without_remark = |line: &str| match line.split_once(REMARK) {
            Some((line, _)) if has_remarks => normal(line),
            _ => normal(line),
        };
        Transcript { document, lines: lines.map(without_remark).collect(), command }
    }

    /// Compares the lines with those that the command printed.
    ///
    /// # Errors
    /// The first line that was not printed where it should be.
    pub fn compare(&self, printed: &[String]) -> Result<(), String> {
        let mut printed = printed.iter().map(|line| normal(line));
        let mut skipping = false;
        for line in &self.lines {
            if line == ANY_LINES {
                skipping = true;
                continue;
            }
            let is_line = |other: String| other == *line;
            let found = if skipping { printed.any(is_line) } else { printed.next().map_or(false, is_line) };
            if !found {
                return Err(line.clone());
            }
            skipping = false;
        }
        match printed.next() {
            Some(more) if !skipping => Err(format!("(the end), but `{more}` follows")),
            _ => Ok(()),
        }
    }
}

/// A line as it is compared: without CR, ports and times. Timestamps of the demo are rounded down to seconds.
fn normal(line: &str) -> String {
    let line = with_address(&without_times(line.trim_end()), "127.0.0.1:*");
    if let Some((at, mark)) = VARYING.iter().find_map(|mark| Some((line.find(mark)? + mark.len(), mark))) {
        // The exit status in curl's messages is compared.
        let status = if mark.ends_with('(') { line[at..].split(')').next() } else { None };
        return format!("{}{}*", &line[..at], status.unwrap_or_default());
    }
    match ["timestamp", "data message at"].iter().find_map(|mark| line.find(mark)) {
        Some(mark) => in_seconds(&line, mark),
        None => line,
    }
}

/// Replaces every address `127.0.0.1:PORT` in a text.
pub fn with_address(text: &str, address: &str) -> String {
    let mut parts = text.split("127.0.0.1:");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + address + part.trim_start_matches(|c: char| c.is_ascii_digit()))
}

/// The line without the times of a trace, `#1   0.123 `, and of a log, `…T…Z` and `seconds=0.123`.
fn without_times(line: &str) -> String {
    if let Some((number, rest)) = line.strip_prefix('#').and_then(|line| line.split_once(' ')) {
        let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit() || " .".contains(c));
        return format!("#{number} {rest}");
    }
    match ["Z request client=", "Z end client="].iter().find_map(|mark| line.find(mark)) {
        Some(at) => {
            let line = &line[at..];
            let seconds = line.split("seconds=").nth(1).and_then(|rest| rest.split(' ').next());
            line.replace(&format!("seconds={}", seconds.unwrap_or_default()), "seconds=*")
        }
        None => line.to_owned(),
    }
}

/// The line with the number after `mark` rounded down to thousands, as all timestamps in the documents are.
fn in_seconds(line: &str, mark: usize) -> String {
    let is_digit = |c: char| c.is_ascii_digit();
    let start = line[mark..].find(is_digit).map_or(line.len(), |at| mark + at);
    let length = line[start..].find(|c| !is_digit(c)).unwrap_or(line.len() - start);
    let (number, rest) = line[start..].split_at(length);
    let seconds = number.parse::<u64>().map_or(String::new(), |number| (number - number % 1_000).to_string());
    format!("{}{seconds}{rest}", &line[..start])
}
