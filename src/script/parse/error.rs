//! Collects the errors in a script: each names the file, the line, what is wrong and the way out.

use std::collections::BTreeSet;
use std::fmt;

/// One error in a script.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ParseError {
    /// The script's name: usually the path of its file.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong, and the way out in parentheses.
    pub message: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

/// All errors in a script, printed one a line and in the order of their lines. Each is there once, although lines that
/// all parts share are parsed once for each part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParseErrors(pub BTreeSet<ParseError>);

impl fmt::Display for ParseErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let errors: Vec<String> = self.0.iter().map(ParseError::to_string).collect();
        f.write_str(&errors.join("\n"))
    }
}
