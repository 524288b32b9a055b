//! Decides where a part is played from for a client that reconnects with `Last-Event-ID` (WHATWG, section 9.2.4): after
//! the event that it names, so that nothing is lost and nothing with an id is sent twice.

use super::context::{RenderContext, RequestContext};
use super::placeholder::{Addend, Name};
use super::repeat::Turns;
use super::units::parse_number;
use super::words::trim_end;
use crate::http::field::trim_ows;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

/// A place in a part to play from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    pub(super) step: usize,
    /// Bytes of the text of that step, not counting placeholders, that are skipped.
    pub(super) skip: u64,
    /// The turn of the innermost loop there, if it is not the first.
    pub(super) turn: Option<u64>,
}

/// The places just after the events of a part, by their ids.
#[derive(Clone, Debug, Default)]
pub struct ResumeTable {
    /// The events that all parts share, which come first.
    common: Option<Arc<ResumeTable>>,
    after: HashMap<Vec<u8>, Place>,
    /// The places after events whose ids contain the turn of a loop.
    after_turns: Vec<(TurnId, Place)>,
    events_with_id: usize,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    position: Position,
    /// The event is sent again in a later turn of a loop.
    in_loop: bool,
    /// How many events with an id there are up to here.
    events_with_id: usize,
}

/// The id of an event.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum EventId {
    /// Bytes as they are in the script.
    Literal(Vec<u8>),
    /// It is different in every turn of a loop.
    Turn(TurnId),
    /// It has another placeholder in it, so no id that a client sends is known to be this one.
    Placeholder,
}

/// Where the last event ID of a request is, beside `Last-Event-ID`. Without any of these names, it is in the parameter
/// `lastEventId` of the query.
#[derive(Clone, Debug, Default)]
pub struct IdSource(Vec<Name>);

impl IdSource {
    /// Reads nothing, or `by` and one or more of `query:K`, `header:K`, `cookie:K` and `json:PATH`; `None` for anything
    /// else.
    pub(super) fn parse(text: &[u8]) -> Option<IdSource> {
        let mut words = std::str::from_utf8(text).ok()?.split_ascii_whitespace();
        match words.next() {
            None => return Some(IdSource::default()),
            Some("by") => {}
            Some(_) => return None,
        }
        let names: Option<Vec<Name>> = words.map(Name::parse_with_key).collect();
        names.filter(|names| !names.is_empty()).map(IdSource)
    }

    /// The names of the values that can be the last event ID.
    pub(super) fn names(&self) -> impl Iterator<Item = &Name> {
        self.0.iter()
    }

    /// The last event ID: the field comes first, because a browser that reconnects keeps the query. An empty one is the
    /// same as none.
    pub(super) fn id<'a>(&self, context: RequestContext<'a>) -> Option<Cow<'a, [u8]>> {
        if self.0.is_empty() {
            return context.last_event_id();
        }
        let field = context.request.field("last-event-id").map(Cow::Borrowed);
        let others = self.0.iter().filter_map(|name| name.value(&RenderContext::of_head(context)));
        field.into_iter().chain(others).find(|id| !id.is_empty())
    }
}

/// An id such as `a-{{i+100}}`: text around the turn of a loop, to which something may be added.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TurnId {
    pub before: Vec<u8>,
    pub plus: Addend,
    pub after: Vec<u8>,
    /// The turns of the loop.
    pub turns: Turns,
}

impl TurnId {
    /// The turn in which this is the id.
    fn turn(&self, id: &[u8], context: &RenderContext<'_>) -> Option<u64> {
        // A field value loses the white space around it on the way, as below.
        let blanks = self.before.iter().take_while(|byte| b" \t".contains(byte)).count();
        let number = id.strip_prefix(&self.before[blanks..])?.strip_suffix(trim_end(&self.after))?;
        let turn = parse_number(number)?.checked_sub(self.plus.number(context))?;
        let is_canonical = number.len() == 1 || !number.starts_with(b"0");
        (is_canonical && turn >= 1 && turn <= self.number(context).unwrap_or(turn)).then_some(turn)
    }

    /// The turns of the loop for this request; `None` if it is endless.
    fn number(&self, context: &RenderContext<'_>) -> Option<u64> {
        self.turns.number(context).unwrap_or(None)
    }
}

impl EventId {
    /// The id that a line of an event stream gives its event. `None` if the line is another field, if the id is empty (a
    /// client with an empty last event ID sends no `Last-Event-ID`), and if it contains NUL (WHATWG, section 9.2.6).
    pub(super) fn of_line(line: &[u8], has_placeholder: bool) -> Option<EventId> {
        let id = EventId::value(line)?;
        if has_placeholder {
            return Some(EventId::Placeholder);
        }
        let is_ignored = id.is_empty() || id.contains(&0);
        (!is_ignored).then(|| EventId::Literal(id.to_vec()))
    }

    /// The value of an `id` field.
    pub(super) fn value(line: &[u8]) -> Option<&[u8]> {
        let after_colon = line.strip_prefix(b"id:")?;
        Some(after_colon.strip_prefix(b" ").unwrap_or(after_colon))
    }
}

impl ResumeTable {
    /// Moves the events so far to where clones share them.
    pub(super) fn share(&mut self) {
        let common = std::mem::take(self);
        self.events_with_id = common.events_with_id;
        self.common = Some(Arc::new(common));
    }

    /// Whether no event has an id.
    pub(super) fn is_empty(&self) -> bool {
        self.events_with_id == 0
    }

    /// Adds an event with this id that ends at `position`. Of several events with the same id the first counts: sending
    /// an event twice is allowed, losing one is not.
    pub(super) fn add(&mut self, id: EventId, position: Position, in_loop: bool) {
        self.events_with_id += 1;
        let place = Place { position, in_loop, events_with_id: self.events_with_id };
        match id {
            EventId::Literal(id) => {
                // A field value loses the white space around it on the way (RFC 9110, section 5.5).
                self.after.entry(trim_ows(&id).to_vec()).or_insert(place);
            }
            EventId::Turn(id) => self.after_turns.push((id, place)),
            EventId::Placeholder => {}
        }
    }

    /// The place after the event with this id. The beginning when there is no such event; `None` when no event with an id
    /// follows.
    pub fn after(&self, id: &[u8], context: RequestContext<'_>) -> Option<Position> {
        let place = match self.place(id, &RenderContext::of_head(context)) {
            Some(place) => place,
            None => return Some(Position::default()),
        };
        let is_last = place.events_with_id == self.events_with_id && !place.in_loop;
        (!is_last).then_some(place.position)
    }

    /// The first place after an event with this id.
    fn place(&self, id: &[u8], context: &RenderContext<'_>) -> Option<Place> {
        let in_common = self.common.as_ref().and_then(|common| common.place(id, context));
        let in_turn = self.after_turns.iter().find_map(|(turn_id, place)| {
            let turn = turn_id.turn(id, context)?;
            let position = Position { turn: Some(turn), ..place.position };
            Some(Place {
                position,
                in_loop: place.in_loop || turn_id.number(context) != Some(turn),
                ..*place
            })
        });
        let places = [in_common, self.after.get(id).copied(), in_turn];
        places.into_iter().flatten().min_by_key(|place| place.events_with_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::context::tests::TestRequest;

    fn literal(id: &str) -> Option<EventId> {
        Some(EventId::Literal(id.as_bytes().to_vec()))
    }

    fn after(table: &ResumeTable, id: &[u8]) -> Option<Position> {
        table.after(id, TestRequest::get("/", "").context())
    }

    fn at(step: usize) -> Position {
        Position { step, ..Position::default() }
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
        let mut table = ResumeTable::default();
        for (step, id) in ["1", "2", "1", "3"].iter().enumerate() {
            table.add(EventId::Literal(id.as_bytes().to_vec()), at(step + 1), false);
        }
        assert_eq!(after(&table, b"1"), Some(at(1)));
        assert_eq!(after(&table, b"2"), Some(at(2)));
        assert_eq!(after(&table, b"3"), None);
        assert_eq!(after(&table, b"unknown"), Some(at(0)));
        assert_eq!(after(&table, b""), Some(at(0)));
    }

    #[test]
    fn after_the_last_id_of_a_loop_comes_its_next_turn() {
        let mut table = ResumeTable::default();
        table.add(EventId::Literal(b"1".to_vec()), at(1), true);
        assert_eq!(after(&table, b"1"), Some(at(1)));
    }

    #[test]
    fn an_event_whose_id_is_a_placeholder_is_still_to_come() {
        let mut table = ResumeTable::default();
        table.add(EventId::Literal(b"1".to_vec()), at(1), false);
        table.add(EventId::Placeholder, at(2), false);
        assert_eq!(after(&table, b"1"), Some(at(1)));
    }
}
