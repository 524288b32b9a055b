//! Bytes that several owners share. A script is text of up to hundreds of MiB, and its chunks are parts of that text, which is in
//! memory once.

use std::ops::Deref;
use std::sync::Arc;

/// A range of bytes that others can share. A clone is another handle to the same bytes.
#[derive(Clone, Debug, Default)]
pub struct SharedBytes {
    all: Arc<Vec<u8>>,
    start: usize,
    end: usize,
}

impl SharedBytes {
    /// The range that `part` is, if it is borrowed from these bytes; otherwise a copy of it.
    pub fn part(&self, part: &[u8]) -> SharedBytes {
        let start = (part.as_ptr() as usize).wrapping_sub(self.all.as_ptr() as usize);
        match start.checked_add(part.len()) {
            Some(end) if start >= self.start && end <= self.end => {
                SharedBytes { all: Arc::clone(&self.all), start, end }
            }
            _ => part.to_vec().into(),
        }
    }

    /// Where `part` begins, if it is a range of these bytes.
    pub fn place_of(&self, part: &SharedBytes) -> Option<usize> {
        let is_inside = Arc::ptr_eq(&self.all, &part.all) && part.end <= self.end;
        part.start.checked_sub(self.start).filter(|_| is_inside)
    }

    /// Adds bytes at the end: makes the range longer if these bytes follow it in memory, and otherwise copies them.
    pub fn push(&mut self, bytes: &[u8]) {
        let following = &self.all[self.end..];
        if bytes.len() <= following.len() && bytes.as_ptr() == following.as_ptr() {
            self.end += bytes.len();
            return;
        }
        if self.len() < self.all.len() || Arc::get_mut(&mut self.all).is_none() {
            *self = self.to_vec().into();
        }
        Arc::make_mut(&mut self.all).extend_from_slice(bytes);
        self.end = self.all.len();
    }
}

impl From<Vec<u8>> for SharedBytes {
    fn from(bytes: Vec<u8>) -> SharedBytes {
        let end = bytes.len();
        SharedBytes { all: Arc::new(bytes), start: 0, end }
    }
}

impl From<&[u8]> for SharedBytes {
    fn from(bytes: &[u8]) -> SharedBytes {
        bytes.to_vec().into()
    }
}

impl Deref for SharedBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.all[self.start..self.end]
    }
}

impl PartialEq for SharedBytes {
    fn eq(&self, other: &SharedBytes) -> bool {
        **self == **other
    }
}

impl Eq for SharedBytes {}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_shared(bytes: &SharedBytes, all: &SharedBytes) -> bool {
        Arc::ptr_eq(&bytes.all, &all.all)
    }

    #[test]
    fn parts_and_what_follows_them_are_not_copied() {
        let all = SharedBytes::from(&b"one two three"[..]);
        let mut part = all.part(&all[..3]);
        part.push(&all[3..7]);
        assert!(*part == *b"one two" && is_shared(&part, &all));
        part.push(&all[8..]);
        assert!(*part == *b"one twothree" && !is_shared(&part, &all));
        part.push(b"!");
        part.push(b"");
        assert_eq!(*part, *b"one twothree!");
        assert_eq!(*all, *b"one two three");
    }

    #[test]
    fn other_bytes_are_copied() {
        let all = SharedBytes::from(&b"one two"[..]);
        let (first, second) = (all.part(&all[..4]), all.part(&all[4..]));
        assert!(*first.part(&second) == *b"two" && !is_shared(&first.part(&second), &all));
        assert!(*all.part(b"xyz") == *b"xyz" && !is_shared(&all.part(b"xyz"), &all));
        let mut copy = first.clone();
        copy.push(b"x");
        assert_eq!((&*copy, &*first), (&b"one x"[..], &b"one "[..]));
    }
}
