//! Decides where a part is played from for a client that reconnects with `Last-Event-ID` (WHATWG, section 9.2.4): after
//! the event that it names, so that nothing is lost and nothing with an id is sent twice.

use crate::http::field::trim_ows;
use std::collections::HashMap;

/// A place in a part to play from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    pub(super) step: usize,
    /// Bytes of the text of that step, not counting placeholders, that are skipped.
    pub(super) skip: u64,
}

/// The places just after the events of a part, by their ids.
#[derive(Clone, Debug, Default)]
pub struct ResumeTable {
    after: HashMap<Vec<u8>, Place>,
    events_with_id: usize,
}

#[derive(Clone, Debug)]
struct Place {
    position: Position,
    /// The event is sent again in a later turn of a loop.
    in_loop: bool,
    /// How many events with an id there are up to here.
    events_with_id: usize,
}

/// The id of an event.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum EventId {
    /// Bytes as they are in the script.
    Literal(Vec<u8>),
    /// It has a placeholder in it, so no id that a client sends is known to be this one.
    Placeholder,
}

impl EventId {
    /// The id that a line of an event stream gives its event. `None` if the line is another field, if the id is empty (a
    /// client with an empty last event ID sends no `Last-Event-ID`), and if it contains NUL (WHATWG, section 9.2.6).
    pub(super) fn of_line(line: &[u8], has_placeholder: bool) -> Option<EventId> {
        let after_colon = line.strip_prefix(b"id:")?;
        let id = after_colon.strip_prefix(b" ").unwrap_or(after_colon);
        if has_placeholder {
            return Some(EventId::Placeholder);
        }
        let is_ignored = id.is_empty() || id.contains(&0);
        (!is_ignored).then(|| EventId::Literal(id.to_vec()))
    }
}

impl ResumeTable {
    /// Adds an event with this id that ends at `position`. Of several events with the same id the first counts: sending
    /// an event twice is allowed, losing one is not.
    pub(super) fn add(&mut self, id: EventId, position: Position, in_loop: bool) {
        self.events_with_id += 1;
        if let EventId::Literal(id) = id {
            // A field value loses the white space around it on the way (RFC 9110, section 5.5).
            let id = trim_ows(&id).to_vec();
            let place = Place { position, in_loop, events_with_id: self.events_with_id };
            self.after.entry(id).or_insert(place);
        }
    }

    /// The place after the event with this id. The beginning when there is no such event; `None` when no event with an id
    /// follows.
    pub fn after(&self, id: &[u8]) -> Option<Position> {
        let place = match self.after.get(id) {
            Some(place) => place,
            None => return Some(Position::default()),
        };
        let is_last = place.events_with_id == self.events_with_id && !place.in_loop;
        (!is_last).then_some(place.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literal(id: &str) -> Option<EventId> {
        Some(EventId::Literal(id.as_bytes().to_vec()))
    }

    #[test]
    fn ids_are_read_as_a_client_reads_them() {
        assert_eq!(EventId::of_line(b"id: 7", false), literal("7"));
        assert_eq!(EventId::of_line(b"id:7", false), literal("7"));
        assert_eq!(EventId::of_line(b"id:  7 ", false), literal(" 7 "));
        assert_eq!(EventId::of_line(b"id: ", true), Some(EventId::Placeholder));
        for line in [&b"id"[..], b"id:", b"id: ", b"id: a\0b", b"data: id", b"ID: 7", b"identity: 7"] {
            assert_eq!(EventId::of_line(line, false), None, "{}", line.escape_ascii());
        }
    }

    #[test]
    fn the_first_of_two_equal_ids_counts_and_nothing_follows_the_last_id() {
        let at = |step| Position { step, skip: 0 };
        let mut table = ResumeTable::default();
        for (step, id) in ["1", "2", "1", "3"].iter().enumerate() {
            table.add(EventId::Literal(id.as_bytes().to_vec()), at(step + 1), false);
        }
        assert_eq!(table.after(b"1"), Some(at(1)));
        assert_eq!(table.after(b"2"), Some(at(2)));
        assert_eq!(table.after(b"3"), None);
        assert_eq!(table.after(b"unknown"), Some(at(0)));
        assert_eq!(table.after(b""), Some(at(0)));
    }

    #[test]
    fn after_the_last_id_of_a_loop_comes_its_next_turn() {
        let mut table = ResumeTable::default();
        table.add(EventId::Literal(b"1".to_vec()), Position { step: 1, skip: 0 }, true);
        assert_eq!(table.after(b"1"), Some(Position { step: 1, skip: 0 }));
    }

    #[test]
    fn an_event_whose_id_is_a_placeholder_is_still_to_come() {
        let mut table = ResumeTable::default();
        table.add(EventId::Literal(b"1".to_vec()), Position { step: 1, skip: 0 }, false);
        table.add(EventId::Placeholder, Position { step: 2, skip: 0 }, false);
        assert_eq!(table.after(b"1"), Some(Position { step: 1, skip: 0 }));
    }
}
