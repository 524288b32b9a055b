//! Which lines of a script the bytes of a response come from. A script sends what is due at the same time in one write, so
//! bytes are seen later than the lines that made them are played.

use crate::text::json::Object;
use std::collections::VecDeque;

/// The first and the last of some lines of a file, counted from 1.
pub type Lines = [u32; 2];

/// The script that is played on a connection, and how far its bytes were sent.
#[derive(Debug, Default)]
pub struct Playing {
    script: String,
    /// The number of lines before the script in its file.
    lines_before: u32,
    /// The lines that are played, each with the number of bytes of the response before them. The first are those of the
    /// bytes that are seen next. There are few, because a script gathers few bytes.
    marks: VecDeque<(u64, Option<Lines>)>,
    /// Bytes of the response that were sent.
    sent: u64,
    /// Those of them that were shown to the observers.
    seen: u64,
}

impl Playing {
    /// Begins to play the script with this name, which has `lines_before` lines before it in its file.
    pub fn begin(&mut self, script: &str, lines_before: u32) {
        self.script = script.to_owned();
        self.lines_before = lines_before;
    }

    /// Notes that these lines are played from now on, while this number of bytes from lines before is still to be sent.
    pub fn play(&mut self, lines: Option<Lines>, unsent: usize) {
        let before = self.sent + unsent as u64;
        // Lines that sent nothing have no bytes to be found by.
        if matches!(self.marks.back(), Some((last, _)) if *last == before) {
            self.marks.pop_back();
        }
        self.marks.push_back((before, lines));
    }

    /// Notes that bytes were sent.
    pub fn send(&mut self, bytes: &[u8]) {
        self.sent += bytes.len() as u64;
    }

    /// Notes that the next of these bytes are seen.
    pub fn see(&mut self, bytes: &[u8]) {
        while matches!(self.marks.get(1), Some((before, _)) if *before <= self.seen) {
            self.marks.pop_front();
        }
        self.seen += bytes.len() as u64;
    }

    /// Adds to `object` the lines that made the bytes that were seen last.
    pub fn add_seen(&self, object: Object) -> Object {
        self.add(self.marks.front(), object)
    }

    /// Adds to `object` the lines that are played now.
    pub fn add_now(&self, object: Object) -> Object {
        self.add(self.marks.back(), object)
    }

    fn add(&self, mark: Option<&(u64, Option<Lines>)>, object: Object) -> Object {
        match mark {
            Some((_, Some(lines))) => {
                let [first, last] = lines.map(|line| line.saturating_sub(self.lines_before));
                object.string("script", &self.script).member("lines", format_args!("[{first},{last}]"))
            }
            _ => object,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::json::Object;

    fn lines(first: u32, last: u32) -> Option<Lines> {
        Some([first, last])
    }

    #[test]
    fn bytes_that_were_gathered_belong_to_the_lines_that_made_them() {
        let mut playing = Playing::default();
        playing.play(lines(1, 2), 0);
        playing.play(lines(3, 3), 5);
        playing.play(lines(4, 4), 5);
        playing.play(None, 9);
        playing.send(b"aaaaabbbb");
        assert_eq!(playing.add_now(Object::new()).finish(), "{}");
        for (bytes, lines) in [("aa", "[1,2]}"), ("aaa", "[1,2]}"), ("bbbb", "[4,4]}"), ("c", "{}")] {
            playing.see(bytes.as_bytes());
            let seen = playing.add_seen(Object::new()).finish();
            assert!(seen.ends_with(lines), "{bytes}: {seen}");
        }
        playing.play(lines(5, 6), 0);
        assert!(playing.add_now(Object::new()).finish().ends_with("[5,6]}"));
    }
}
