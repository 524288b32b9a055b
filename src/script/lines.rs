//! Lines of a file, for the page, which marks those that are played.

/// Lines of a file: the first and the last, counted from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    /// The first.
    pub first: u32,
    /// The last, which can be the same.
    pub last: u32,
}

impl Lines {
    /// Those of what is not in the file.
    pub const NONE: Lines = Lines { first: 0, last: 0 };

    /// One line.
    pub fn one(line: usize) -> Lines {
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        Lines { first: line, last: line }
    }
}
