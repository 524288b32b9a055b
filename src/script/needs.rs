//! What the placeholders and conditions of a script need: the body of the request, and the counts of other scripts.

use super::placeholder::Name;
use std::collections::BTreeMap;

/// What the placeholders and conditions of a script need.
#[derive(Clone, Debug, Default)]
pub struct Needs {
    /// Whether they need the body of the request.
    pub body: bool,
    /// The names of the scripts whose counts they need, each with the first line that needs the count.
    pub counts: BTreeMap<String, usize>,
}

impl Needs {
    /// Adds what the names on this line need. Lines have to be added in their order.
    pub fn add<'a>(&mut self, line: usize, names: impl Iterator<Item = &'a Name>) {
        for name in names {
            self.body |= name.uses_body();
            if let Some(script) = name.counted_script() {
                self.counts.entry(script.to_owned()).or_insert(line);
            }
        }
    }

    /// Adds what later lines need.
    pub fn append(&mut self, later: Needs) {
        self.body |= later.body;
        for (script, line) in later.counts {
            self.counts.entry(script).or_insert(line);
        }
    }
}
