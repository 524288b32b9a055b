//! Divides the lines of a file at the directions that begin a script or a part.

use super::directions::Direction;
use super::error::Located;
use crate::script::words::{trim_end, word};

/// Lines of the file that follow one another. They are found again each time, because a list of them takes more memory
/// than a script with small events.
#[derive(Clone, Copy)]
pub(super) struct TextLines<'a> {
    /// The number of the first, counted from 1.
    pub first: usize,
    pub text: &'a [u8],
}

/// The lines below a direction that divides the file.
pub(super) struct Section<'a> {
    /// The line of the direction.
    pub line: usize,
    pub argument: &'a [u8],
    pub lines: TextLines<'a>,
}

impl<'a> TextLines<'a> {
    /// Each line, with its end.
    pub fn iter(self) -> impl Iterator<Item = Located<&'a [u8]>> {
        let lines = self.text.split_inclusive(|&byte| byte == b'\n');
        (self.first..).zip(lines).map(|(line, value)| Located { line, value })
    }

    /// The lines above the first direction of this kind, and the sections that such directions begin.
    pub fn split(self, direction: &Direction) -> (TextLines<'a>, Vec<Section<'a>>) {
        let mut above = self;
        let mut sections: Vec<Section> = Vec::new();
        let mut rest = self.text;
        for Located { line, value } in self.iter() {
            let below = &rest[value.len()..];
            if let Some(argument) = argument_of(direction, value) {
                let last = sections.last_mut().map_or(&mut above, |section| &mut section.lines);
                last.text = &last.text[..last.text.len() - rest.len()];
                sections.push(Section { line, argument, lines: TextLines { first: line + 1, text: below } });
            }
            rest = below;
        }
        (above, sections)
    }
}

/// What follows this direction in a line; `None` for any other line.
fn argument_of<'a>(direction: &Direction, line: &'a [u8]) -> Option<&'a [u8]> {
    let (name, argument) = word(trim_end(line.strip_prefix(b"@")?));
    (name == direction.name().as_bytes()).then_some(argument)
}
