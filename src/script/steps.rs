//! The steps of a part, packed: a capture has a chunk and a wait for each event, and as values of [`Step`], these
//! would take more memory than small events themselves.
//!
//! ```text
//! data: one      Text, 11 bytes          the next 11 bytes of the script
//!
//! @sleep 80ms    Sleep, 80 ms
//! data: two      TextAfter, 11 bytes     12 bytes of the script are in between
//!
//! ```
//!
//! Each takes three or four bytes: a number for its kind, its value, and whether it is from the same lines as the step before;
//! the distance from the text before; and the lines. A step that cannot be packed is kept as it is. Packed steps can only be
//! read one after the other, which is how they are played; a loop remembers the place to which it goes back.

use super::lines::Lines;
use super::step::{Chunk, NextStep, Step, Wait};
use super::template::{Segment, Template};
use crate::text::shared::SharedBytes;
use std::time::Duration;

/// Bytes of the longest text that is copied. A longer one is kept as a [`Step`], because others may share its bytes.
const MAX_COPIED: usize = 4 * 1024;
/// The longest wait that is packed, so that its number has room for the kind.
const MAX_PACKED_WAIT: Duration = Duration::from_secs(u32::MAX as u64);
/// Bits of a number that are not the value: the kind, and whether lines follow.
const KIND_BITS: u32 = 4;
/// The bit for lines.
const HAS_LINES: u64 = 8;
/// Bits for the distance of a step from the lines before it.
const DISTANCE_BITS: u32 = 3;
/// The distance that stands for a longer one, which follows.
const LONG_DISTANCE: u32 = 7;

/// What a packed step is, and what its value means.
#[derive(Clone, Copy)]
enum Kind {
    /// Text that follows the text before it in the script; its length.
    Text,
    /// Text of the script, with a distance from the text before it.
    TextAfter,
    /// Text that is not in the script as it is sent; its length.
    Copy,
    /// A wait; its milliseconds.
    Sleep,
    Flush,
    /// The next of the steps that cannot be packed.
    Other,
}

/// The kinds by their numbers.
const KINDS: [Kind; 6] = [Kind::Text, Kind::TextAfter, Kind::Copy, Kind::Sleep, Kind::Flush, Kind::Other];

/// Steps, each with the lines of the file that it was made from.
#[derive(Clone, Debug, Default)]
pub struct Steps {
    /// The text of the script, whose parts most chunks are.
    text: SharedBytes,
    /// The text of other chunks.
    copies: SharedBytes,
    /// The steps that cannot be packed.
    others: Vec<Step>,
    packed: Vec<u8>,
    count: usize,
    /// The place after the last step.
    end: Place,
}

/// A place between two steps.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    packed: usize,
    text: usize,
    copies: usize,
    others: usize,
    /// The lines of the step before it.
    lines: Lines,
}

impl Steps {
    /// No steps yet, of a script with this text.
    pub fn new(text: SharedBytes) -> Steps {
        Steps { text, ..Steps::default() }
    }

    /// The number of steps.
    pub fn len(&self) -> usize {
        self.count
    }

    /// The steps, in order.
    pub fn iter(&self) -> Iter<'_> {
        Iter { steps: self, later: None, place: Place::default() }
    }

    /// The steps, in order, and then those of `later`.
    pub fn chain<'a>(&'a self, later: &'a Steps) -> Iter<'a> {
        Iter { later: Some(later), ..self.iter() }
    }

    /// Gives back memory that was reserved for more steps.
    pub fn shrink(&mut self) {
        self.packed.shrink_to_fit();
        self.others.shrink_to_fit();
    }

    /// Adds text that is a chunk.
    pub fn push_text(&mut self, text: SharedBytes, lines: Lines) {
        let length = text.len();
        if let Some(distance) = self.text.place_of(&text).and_then(|at| at.checked_sub(self.end.text)) {
            self.end.text += distance + length;
            let kind = if distance == 0 { Kind::Text } else { Kind::TextAfter };
            self.put_step(kind, length as u64, distance as u64, lines);
        } else if length <= MAX_COPIED {
            self.copies.push(&text);
            self.put_step(Kind::Copy, length as u64, 0, lines);
        } else {
            self.push(Step::Chunk(Chunk::Rendered(Template(vec![Segment::Text(text)]))), lines);
        }
    }

    /// Adds a flush.
    pub fn push_flush(&mut self, lines: Lines) {
        self.put_step(Kind::Flush, 0, 0, lines);
    }

    /// Adds a step.
    pub fn push(&mut self, step: Step, lines: Lines) {
        match step {
            Step::Sleep(Wait::Between(time, most)) if time == most && is_packed(time) => {
                self.put_step(Kind::Sleep, time.as_millis() as u64, 0, lines);
            }
            step => {
                self.others.push(step);
                self.put_step(Kind::Other, 0, 0, lines);
            }
        }
    }

    /// Adds a step of other steps.
    pub fn push_copy(&mut self, step: NextStep<'_>) {
        match step {
            NextStep::Text(text) => self.push_text(text.into(), Lines::NONE),
            NextStep::Sleep(time) => self.push(Step::Sleep(Wait::Between(time, time)), Lines::NONE),
            NextStep::Flush => self.push_flush(Lines::NONE),
            NextStep::Other(step) => self.push(step.clone(), Lines::NONE),
        }
    }

    fn put_step(&mut self, kind: Kind, value: u64, distance: u64, lines: Lines) {
        let has_lines = lines != self.end.lines;
        let flag = if has_lines { HAS_LINES } else { 0 };
        put(&mut self.packed, value << KIND_BITS | flag | kind as u64);
        if let Kind::TextAfter = kind {
            put(&mut self.packed, distance);
        }
        if has_lines {
            self.put_lines(lines);
        }
        self.count += 1;
    }

    fn put_lines(&mut self, lines: Lines) {
        let distance = lines.first.wrapping_sub(self.end.lines.last);
        let more = u64::from(lines.last.wrapping_sub(lines.first));
        put(&mut self.packed, more << DISTANCE_BITS | u64::from(distance.min(LONG_DISTANCE)));
        if distance >= LONG_DISTANCE {
            put(&mut self.packed, distance.into());
        }
        self.end.lines = lines;
    }

    /// The step at this place, which is moved to the next one.
    fn at(&self, place: &mut Place) -> Option<NextStep<'_>> {
        if place.packed == self.packed.len() {
            return None;
        }
        let number = self.take(place);
        let value = (number >> KIND_BITS) as usize;
        let kind = KINDS[(number & (HAS_LINES - 1)) as usize];
        if let Kind::TextAfter = kind {
            place.text += self.take(place) as usize;
        }
        if number & HAS_LINES != 0 {
            self.take_lines(place);
        }
        Some(match kind {
            Kind::Text | Kind::TextAfter => {
                place.text += value;
                NextStep::Text(&self.text[place.text - value..place.text])
            }
            Kind::Copy => {
                place.copies += value;
                NextStep::Text(&self.copies[place.copies - value..place.copies])
            }
            Kind::Sleep => NextStep::Sleep(Duration::from_millis(value as u64)),
            Kind::Flush => NextStep::Flush,
            Kind::Other => {
                place.others += 1;
                NextStep::Other(&self.others[place.others - 1])
            }
        })
    }

    fn take_lines(&self, place: &mut Place) {
        let number = self.take(place);
        let distance = match number as u32 & LONG_DISTANCE {
            LONG_DISTANCE => self.take(place) as u32,
            distance => distance,
        };
        let first = place.lines.last.wrapping_add(distance);
        place.lines = Lines { first, last: first.wrapping_add((number >> DISTANCE_BITS) as u32) };
    }

    /// A number, as [`put`] has packed it.
    #[inline]
    fn take(&self, place: &mut Place) -> u64 {
        let (mut number, mut bits) = (0, 0);
        for byte in &self.packed[place.packed..] {
            place.packed += 1;
            number |= u64::from(byte & 0x7f) << bits;
            if *byte < 0x80 {
                break;
            }
            bits += 7;
        }
        number
    }
}

/// Packs a number: seven bits in each byte, the lowest first, and the eighth bit in all but the last.
fn put(packed: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        packed.push(number as u8 | 0x80);
        number >>= 7;
    }
    packed.push(number as u8);
}

/// Whether this time is a number of milliseconds that can be packed.
fn is_packed(time: Duration) -> bool {
    time.subsec_nanos() % 1_000_000 == 0 && time <= MAX_PACKED_WAIT
}

/// Steps from some place to the end. A copy of it is a place to go back to.
#[derive(Clone, Copy)]
pub struct Iter<'a> {
    steps: &'a Steps,
    /// The steps that follow those.
    later: Option<&'a Steps>,
    place: Place,
}

impl Iter<'_> {
    /// The lines of the step that was returned last; `None` if it is not in the file, as what a parameter of the request
    /// has set.
    pub fn lines(&self) -> Option<Lines> {
        Some(self.place.lines).filter(|lines| *lines != Lines::NONE)
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = NextStep<'a>;

    fn next(&mut self) -> Option<NextStep<'a>> {
        if let Some(step) = self.steps.at(&mut self.place) {
            return Some(step);
        }
        self.steps = self.later.take()?;
        self.place = Place::default();
        self.next()
    }
}

#[cfg(test)]
mod tests;
