//! Collects the errors in a script: each names the file, the line, what is wrong and the way out.

use std::collections::BTreeSet;
use std::fmt;

/// A value, and the line of the script that it comes from, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Located<T> {
    pub(crate) line: usize,
    pub(crate) value: T,
}

/// All errors in a script, printed one a line and in the order of their lines, each as `FILE:LINE: message`. Each is there
/// once, although one that concerns lines that all parts share can be found in each part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseErrors {
    /// The script's name: usually the path of its file.
    pub(super) file: String,
    /// What is wrong, and the way out in parentheses.
    pub(super) errors: BTreeSet<Located<String>>,
}

impl ParseErrors {
    /// One error.
    pub(super) fn one(file: &str, line: usize, message: String) -> ParseErrors {
        let errors = BTreeSet::from([Located { line, value: message }]);
        ParseErrors { file: file.to_owned(), errors }
    }

    /// The first of them, as a client sees it whose `parameters` caused it. One on line 0 is about a parameter alone.
    pub(super) fn first_because_of(&self, parameters: &str) -> String {
        let (line, message) = match self.errors.iter().next() {
            Some(Located { line: 0, value }) => return value.clone(),
            Some(Located { line, value }) => (line, value),
            None => return String::new(),
        };
        // The hint in parentheses at its end is for the author of the script.
        let problem = message.rsplit_once(" (").map_or(message.as_str(), |(problem, _)| problem);
        format!(
            "{parameters} conflicts with {}:{line}: {problem} (change the parameter or the script)",
            self.file
        )
    }

    /// What was compiled from one file, or all errors in it.
    pub(super) fn collect<T>(compiled: Vec<Result<T, ParseErrors>>) -> Result<Vec<T>, ParseErrors> {
        let mut valid = Vec::new();
        let mut invalid: Option<ParseErrors> = None;
        for result in compiled {
            match (result, &mut invalid) {
                (Ok(value), _) => valid.push(value),
                (Err(errors), Some(all)) => all.errors.extend(errors.errors),
                (Err(errors), None) => invalid = Some(errors),
            }
        }
        invalid.map_or(Ok(valid), Err)
    }
}

impl fmt::Display for ParseErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |error: &Located<String>| format!("{}:{}: {}", self.file, error.line, error.value);
        let errors: Vec<String> = self.errors.iter().map(line).collect();
        f.write_str(&errors.join("\n"))
    }
}
