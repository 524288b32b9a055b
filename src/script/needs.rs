//! What the placeholders and conditions of a script need that is not kept for every script.

use super::placeholder::Name;
use std::collections::BTreeMap;

/// What the names in a script need.
#[derive(Clone, Debug, Default)]
pub struct Needs {
    /// Whether they need the body of the request.
    pub body: bool,
    /// The scripts whose requests they count, by their names, each with the first line that needs its count.
    pub counts: BTreeMap<String, usize>,
}

impl Needs {
    /// Adds what these names need, on a line below those of what is already needed.
    pub fn add<'a>(&mut self, line: usize, names: impl Iterator<Item = &'a Name>) {
        for name in names {
            self.body |= name.uses_body();
            if let Some(script) = name.counted_script() {
                self.counts.entry(script.to_owned()).or_insert(line);
            }
        }
    }

    /// Adds what the following lines need.
    pub fn append(&mut self, later: Needs) {
        self.body |= later.body;
        for (script, line) in later.counts {
            self.counts.entry(script).or_insert(line);
        }
    }
}
