//! Decides what a client is sent that comes back with `Last-Event-ID` (WHATWG, section 9.2.4): what stands after the
//! event it names, so that nothing is lost and nothing with an id is sent twice.

use crate::http::field::trim_ows;

/// A place in a part to play from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    pub(super) step: usize,
    /// Octets of the text of that step, not counting placeholders, that are passed over.
    pub(super) skip: u64,
}

/// For the events of a script that have an id, the places just after them, in their order. Looking through half a million
/// takes some 5 ms.
#[derive(Debug, Default)]
pub struct ResumeTable {
    after: Vec<(Vec<u8>, Place)>,
    events_with_id: usize,
}

#[derive(Debug)]
struct Place {
    position: Position,
    /// The event comes again in a later turn of a loop.
    in_loop: bool,
    /// How many events with an id there are up to here.
    events_with_id: usize,
}

/// The id an event carries.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum EventId {
    /// Bytes as they stand in the script.
    Literal(Vec<u8>),
    /// It holds a placeholder, so no id a client sends is known to be this one.
    Placeholder,
}

impl EventId {
    /// The id that a line of an event stream gives its event; `None` when it gives none: it is another field, the id is
    /// empty (a client that has it sends no `Last-Event-ID`), or it holds NUL (WHATWG, section 9.2.6).
    pub(super) fn of_line(line: &[u8], has_placeholder: bool) -> Option<EventId> {
        let value = line.strip_prefix(b"id:")?;
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match value {
            _ if has_placeholder => Some(EventId::Placeholder),
            [] => None,
            _ if value.contains(&0) => None,
            _ => Some(EventId::Literal(value.to_vec())),
        }
    }
}

impl ResumeTable {
    /// Notes that an event with this id ends at `position`.
    pub(super) fn add(&mut self, id: EventId, position: Position, in_loop: bool) {
        self.events_with_id += 1;
        if let EventId::Literal(id) = id {
            // A field value loses the white space around it on the way (RFC 9110, section 5.5).
            let id = trim_ows(&id).to_vec();
            let place = Place { position, in_loop, events_with_id: self.events_with_id };
            self.after.push((id, place));
        }
    }

    /// Where to go on after `id`: at the beginning when it is empty or unknown, nowhere (`None`) when no event with an
    /// id follows any more. The first event with this id counts: repeating is allowed, losing is not.
    pub fn after(&self, id: &[u8]) -> Option<Position> {
        match self.after.iter().find(|(other, _)| other == id) {
            Some((_, place)) if place.events_with_id == self.events_with_id && !place.in_loop => None,
            Some((_, place)) => Some(place.position),
            None => Some(Position::default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literal(id: &str) -> Option<EventId> {
        Some(EventId::Literal(id.as_bytes().to_vec()))
    }

    #[test]
    fn reads_ids_as_a_client_does() {
        assert_eq!(EventId::of_line(b"id: 7", false), literal("7"));
        assert_eq!(EventId::of_line(b"id:7", false), literal("7"));
        assert_eq!(EventId::of_line(b"id:  7 ", false), literal(" 7 "));
        assert_eq!(EventId::of_line(b"id: ", true), Some(EventId::Placeholder));
        for line in [&b"id"[..], b"id:", b"id: ", b"id: a\0b", b"data: id", b"ID: 7", b"identity: 7"] {
            assert_eq!(EventId::of_line(line, false), None, "{}", line.escape_ascii());
        }
    }

    #[test]
    fn goes_on_after_the_first_of_two_and_ends_after_the_last_id() {
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
