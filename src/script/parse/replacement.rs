//! Directions in the query of a request, which take the place of those in the script for one response: `?-drop=512` is
//! `@drop after 512`. So one captured stream can be sent with many faults.

use super::directions;
use super::part::PartParser;
use crate::http::uri::{form_decode, split_at_first};
use crate::text::escape::escape;
use std::borrow::Cow;
use std::fmt;

/// A parameter of a query, and the direction that it stands for.
struct Parameter {
    name: &'static str,
    direction: &'static str,
    /// What is in the argument of the direction before the value.
    before: &'static str,
    /// Whether the request sets the waits, so that they count towards its limit.
    sets_waits: bool,
}

const PARAMETERS: &[Parameter] = &[
    Parameter { name: "-status", direction: "status", before: "", sets_waits: false },
    Parameter { name: "-eol", direction: "eol", before: "", sets_waits: false },
    Parameter { name: "-cut", direction: "chunk", before: "", sets_waits: true },
    Parameter { name: "-pace", direction: "pace", before: "", sets_waits: true },
    Parameter { name: "-drop", direction: "drop", before: "after ", sets_waits: false },
];

/// A direction that takes the place of those of its kind in a script.
pub struct Replacement {
    parameter: &'static Parameter,
    argument: Vec<u8>,
}

impl Replacement {
    /// Whether it replaces a direction of the script. `@drop` without `after` is not the same kind as with it.
    pub(super) fn replaces(&self, name: &[u8], argument: &[u8]) -> bool {
        name == self.parameter.direction.as_bytes() && argument.starts_with(self.parameter.before.as_bytes())
    }

    /// Changes the part as if the direction were above its first line.
    pub(super) fn apply(&self, part: &mut PartParser) -> Result<(), String> {
        let Parameter { name, direction, .. } = self.parameter;
        let direction = directions::find(direction.as_bytes())?;
        part.body.waits_are_requested |= self.parameter.sets_waits;
        direction.apply(part, &self.argument).map_err(|message| format!("{name}: {message}"))
    }
}

/// As it is written in a query, but decoded.
impl fmt::Display for Replacement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parameter { name, before, .. } = self.parameter;
        write!(f, "{name}={}", escape(&self.argument[before.len()..]))
    }
}

/// The directions in a query. When a name is there more than once, the first counts.
///
/// # Errors
/// A message about a name that begins with `-` and is not known.
pub fn in_query(query: &[u8]) -> Result<Vec<Replacement>, String> {
    let mut found: Vec<Replacement> = Vec::new();
    for pair in query.split(|&byte| byte == b'&').filter(|pair| is_ours(pair)) {
        let (name, value) = split_at_first(pair, b'=');
        let name = form_decode(name);
        let parameter = PARAMETERS.iter().find(|parameter| parameter.name.as_bytes() == &*name);
        let parameter = parameter.ok_or_else(|| unknown(&name))?;
        if found.iter().all(|other| other.parameter.name != parameter.name) {
            let argument = [parameter.before.as_bytes(), &form_decode(value)].concat();
            found.push(Replacement { parameter, argument });
        }
    }
    Ok(found)
}

/// The query without these parameters; `None` if there is no other.
pub fn other_parameters(query: &[u8]) -> Option<Cow<'_, [u8]>> {
    if !query.split(|&byte| byte == b'&').any(is_ours) {
        return Some(Cow::Borrowed(query));
    }
    let others: Vec<&[u8]> = query.split(|&byte| byte == b'&').filter(|pair| !is_ours(pair)).collect();
    (!others.is_empty()).then(|| Cow::Owned(others.join(&b'&')))
}

fn is_ours(pair: &[u8]) -> bool {
    form_decode(pair).starts_with(b"-")
}

fn unknown(name: &[u8]) -> String {
    let names: Vec<&str> = PARAMETERS.iter().map(|parameter| parameter.name).collect();
    format!("unknown parameter `{}` (available: {})", escape(name), names.join(", "))
}
