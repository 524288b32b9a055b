//! Says which lines of a file each step of a part was made from, for the page, which marks the lines that are played.

use std::sync::Arc;

/// Lines of a file: the first and the last, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lines {
    /// The first.
    pub first: u32,
    /// The last, which can be the same.
    pub last: u32,
}

impl Lines {
    /// One line.
    pub fn one(line: usize) -> Lines {
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        Lines { first: line, last: line }
    }
}

/// The lines of each step, in order, and then of the ending if it has one. They are not in the steps, because playing needs
/// only those.
#[derive(Clone, Debug)]
pub struct LinesOfSteps {
    /// Those of the steps that all parts share.
    common: Arc<[Lines]>,
    /// Those of what follows.
    others: Vec<Lines>,
}

impl Default for LinesOfSteps {
    fn default() -> LinesOfSteps {
        LinesOfSteps { common: Arc::new([]), others: Vec::new() }
    }
}

impl LinesOfSteps {
    /// Adds the lines of a step.
    pub fn push(&mut self, lines: Lines) {
        self.others.push(lines);
    }

    /// Moves all so far to where clones share them.
    pub fn share(&mut self) {
        self.common = std::mem::take(&mut self.others).into();
    }

    /// The lines of the step with this index; `None` if it is not in the file, as an ending at the end of the file.
    pub fn get(&self, index: usize) -> Option<Lines> {
        let lines = match index.checked_sub(self.common.len()) {
            Some(index) => self.others.get(index),
            None => self.common.get(index),
        };
        // What a parameter of the request has set has no line.
        lines.copied().filter(|lines| lines.first > 0)
    }
}
