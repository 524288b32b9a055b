//! The table of placeholders, and the expressions between braces: `{{query:n+1 as json|0}}`.

pub mod form;

use super::context::RenderContext;
use super::units::parse_number;
use crate::http::date::Timestamp;
use form::{on_one_line, Form};
use std::borrow::Cow;
use std::fmt;
use std::iter::successors;

/// One row of the table of placeholders.
pub struct Placeholder {
    /// How it is written: a name, and `:K` if it takes a key.
    pub usage: &'static str,
    /// Its value for a key; `None` if the request has none.
    value: for<'a> fn(&RenderContext<'a>, &str) -> Option<Cow<'a, [u8]>>,
}

/// All placeholders, in the order of the documents.
pub const PLACEHOLDERS: &[Placeholder] = &[
    Placeholder { usage: "elapsed", value: |context, _| number(context.elapsed) },
    Placeholder { usage: "time", value: |context, _| number(context.time) },
    Placeholder { usage: "date", value: |context, _| text(Timestamp(context.system_time())) },
    Placeholder { usage: "uuid", value: |context, _| text(context.request.random.uuid()) },
    Placeholder { usage: RANDOM, value: |context, range| number(random(context, range)?) },
    Placeholder { usage: TURN, value: |context, _| number(context.turn).filter(|_| context.turn > 0) },
    Placeholder { usage: "connection", value: |context, _| number(context.request.request_number) },
    Placeholder { usage: COUNT, value: |context, name| number(context.request.scripts?.requests_to(name)?) },
    Placeholder { usage: "last-event-id", value: |context, _| context.request.last_event_id() },
    Placeholder { usage: METHOD, value: |context, _| bytes(context.request.request.method().as_bytes()) },
    Placeholder { usage: "target", value: |context, _| bytes(context.request.request.target()) },
    Placeholder { usage: "path", value: |context, _| bytes(context.request.request.path()) },
    Placeholder { usage: "open", value: |context, _| number(context.request.open()) },
    Placeholder { usage: "host", value: |context, _| bytes(context.request.request.host_and_port()?.0) },
    Placeholder { usage: "port", value: |context, _| bytes(context.request.request.host_and_port()?.1) },
    Placeholder { usage: "other-port", value: |context, _| number(context.request.other_port?) },
    Placeholder { usage: "query:K", value: |context, key| context.request.query_value(key.as_bytes()) },
    Placeholder {
        usage: "header:K",
        value: |context, key| context.request.request.field(key).map(Cow::Borrowed),
    },
    Placeholder { usage: "headers", value: |context, _| text(context.request.headers()) },
    Placeholder { usage: "cookie:K", value: |context, key| context.request.cookie(key).map(Cow::Borrowed) },
    Placeholder { usage: BODY, value: |context, _| bytes(context.request.body) },
    Placeholder { usage: JSON, value: |context, path| context.request.json_value(path) },
];

/// The placeholder with the turn of the innermost loop.
const TURN: &str = "i";

/// The placeholder with the method of the request.
const METHOD: &str = "method";

/// The placeholders for which the body of a request is kept.
const BODY: &str = "body";
const JSON: &str = "json:PATH";

/// The placeholder for the number of requests to another script.
const COUNT: &str = "count:NAME";

/// The placeholder for random numbers.
const RANDOM: &str = "random:A..B";

/// The smallest and the largest number of `A..B`.
fn range(text: &str) -> Option<(u64, u64)> {
    let (least, most) = text.split_once("..")?;
    let (least, most) = (parse_number(least)?, parse_number(most)?);
    (least <= most).then_some((least, most))
}

fn random(context: &RenderContext<'_>, key: &str) -> Option<u64> {
    let (least, most) = range(key)?;
    Some(context.request.random.number(least, most))
}

fn text(value: impl fmt::Display) -> Option<Cow<'static, [u8]>> {
    Some(Cow::Owned(value.to_string().into_bytes()))
}

fn number(number: impl Into<u64>) -> Option<Cow<'static, [u8]>> {
    text(number.into())
}

fn bytes(bytes: &[u8]) -> Option<Cow<'_, [u8]>> {
    Some(Cow::Borrowed(bytes))
}

impl Placeholder {
    /// Its name without a key.
    pub(super) fn kind(&self) -> &'static str {
        self.usage.split(':').next().unwrap_or_default()
    }
}

impl fmt::Debug for Placeholder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.usage)
    }
}

/// The expression in `{{ }}`: a name, something to add, the form of the value, and a default for one that is absent.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    name: Name,
    plus: Option<Addend>,
    form: Form,
    default: Option<Fallback>,
}

/// What an absent value is replaced by.
#[derive(Clone, Debug, PartialEq)]
enum Fallback {
    Text(Vec<u8>),
    /// Another value, with its own default.
    Value(Box<Value>),
}

/// What is added to a value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Addend {
    Number(u64),
    Name(Name),
}

/// A placeholder with its key, which is empty if it takes none.
#[derive(Clone, Debug)]
pub struct Name {
    placeholder: &'static Placeholder,
    key: String,
}

impl PartialEq for Name {
    fn eq(&self, other: &Name) -> bool {
        self.placeholder.usage == other.placeholder.usage && self.key == other.key
    }
}

/// As it is written in a condition: the name, and the key if there is one.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind();
        if !self.key.is_empty() {
            write!(f, "{kind} {}", self.key)
        } else {
            f.write_str(kind)
        }
    }
}

impl Name {
    /// Reads `NAME` or `NAME:K`; `None` for an unknown name.
    pub fn parse(text: &str) -> Option<Name> {
        let (name, key) = text.split_once(':').unwrap_or((text, ""));
        let placeholder =
            PLACEHOLDERS.iter().find(|placeholder| match placeholder.usage.split_once(':') {
                Some((usage, _)) => usage == name && !key.is_empty(),
                None => placeholder.usage == text,
            })?;
        let is_invalid = placeholder.usage == RANDOM && range(key).is_none();
        (!is_invalid).then(|| Name { placeholder, key: key.to_owned() })
    }

    /// Reads one of the names that take a key, such as `query:K`; `None` for another name, and for a list such as
    /// `query:a,cookie:b`.
    pub fn parse_with_key(text: &str) -> Option<Name> {
        Name::parse(text).filter(|name| name.has_key() && !name.key.contains(','))
    }

    /// Whether it is one of those that look for a key in the request: `query:K`, `header:K`, `cookie:K` or `json:PATH`.
    pub fn has_key(&self) -> bool {
        !self.key.is_empty() && ![RANDOM, COUNT].contains(&self.placeholder.usage)
    }

    /// Its name without a key, such as `header`.
    pub fn kind(&self) -> &'static str {
        self.placeholder.kind()
    }

    /// Its name, such as `header`, and its key.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        [self.kind(), &self.key].into_iter()
    }

    /// The script whose requests it counts, unless the request decides which one.
    pub fn counted_script(&self) -> Option<&str> {
        let is_fixed = self.placeholder.usage == COUNT && !self.key.contains("{{");
        is_fixed.then(|| &*self.key)
    }

    /// The value in this context; `None` if the request has none.
    pub fn value<'a>(&self, context: &RenderContext<'a>) -> Option<Cow<'a, [u8]>> {
        (self.placeholder.value)(context, &self.key)
    }

    /// The value as a number. What is not a number counts as 0.
    fn number(&self, context: &RenderContext<'_>) -> u64 {
        let value = self.value(context).unwrap_or_default();
        parse_number(value).unwrap_or(0)
    }

    /// Whether its value is the method of the request.
    pub fn is_method(&self) -> bool {
        self.placeholder.usage == METHOD
    }

    /// Whether the value can be a secret, or contain one: a field, a parameter, a cookie or the body.
    pub fn can_be_secret(&self) -> bool {
        self.has_key() || self.placeholder.usage == BODY
    }

    /// Whether the client decides how long the value is.
    pub(super) fn is_from_request(&self) -> bool {
        self.can_be_secret()
            || ["target", "path", "headers", "last-event-id"].contains(&self.placeholder.usage)
    }

    /// Whether the body of the request is needed.
    pub fn uses_body(&self) -> bool {
        [BODY, JSON].contains(&self.placeholder.usage)
    }
}

/// The most values in one placeholder, `{{query:a||query:b||…}}`. Each is read and sent by a nested call, and the stack
/// of a client's thread is small.
pub(super) const MAX_VALUES: usize = 8;

/// Whether a placeholder with this text has more than [`MAX_VALUES`].
pub(super) fn has_too_many_values(text: &[u8]) -> bool {
    text.windows(2).filter(|pair| pair == b"||").count() >= MAX_VALUES
}

impl Value {
    /// Reads `NAME`, `NAME+1` or `NAME+NAME`, each with or without a form and `|default` or `||NAME`; `None` for an unknown
    /// name.
    pub fn parse(text: &[u8]) -> Option<Value> {
        let text = std::str::from_utf8(text).ok()?;
        if has_too_many_values(text.as_bytes()) || text.contains("{{") {
            return None;
        }
        let (sum, default) = match text.split_once('|') {
            Some((sum, default)) => (sum, Some(Fallback::parse(default)?)),
            None => (text, None),
        };
        let (sum, form) = match sum.split_once(" as ") {
            Some((sum, name)) => (sum, Form::named(name)?),
            None => (sum, Form::Bytes),
        };
        let (name, plus) = match sum.split_once('+') {
            Some((name, addend)) => (name, Some(Addend::parse(addend)?)),
            None => (sum, None),
        };
        Some(Value { name: Name::parse(name)?, plus, form, default })
    }

    /// The bytes to send in this context; none for a value that is absent and has no default.
    pub fn render<'a>(&'a self, context: &RenderContext<'a>) -> Cow<'a, [u8]> {
        match self.form {
            Form::Json => self.as_json(context),
            form => form.apply(self.value(context).unwrap_or_default()),
        }
    }

    /// The value, the sum, or the default.
    fn value<'a>(&'a self, context: &RenderContext<'a>) -> Option<Cow<'a, [u8]>> {
        let value = self.own_value(context);
        value.or_else(|| self.default.as_ref()?.value(context))
    }

    /// The value or the sum. A sum with an absent value is absent if there is a default.
    fn own_value<'a>(&self, context: &RenderContext<'a>) -> Option<Cow<'a, [u8]>> {
        let value = self.name.value(context);
        match &self.plus {
            Some(_) if value.is_none() && self.default.is_some() => None,
            Some(addend) => number(self.name.number(context).saturating_add(addend.number(context))),
            None => value,
        }
    }

    /// The value as JSON: one of a JSON body as it is there, any other as a string.
    fn as_json<'a>(&'a self, context: &RenderContext<'a>) -> Cow<'a, [u8]> {
        let is_json = self.name.placeholder.usage == JSON && self.plus.is_none();
        if let Some(text) = context.request.json_text(&self.name.key).filter(|_| is_json) {
            return on_one_line(text.as_bytes());
        }
        match (self.own_value(context), &self.default) {
            (None, Some(Fallback::Value(value))) => value.as_json(context),
            (None, None) => Cow::Borrowed(b"null"),
            (None, Some(Fallback::Text(text))) => Form::Json.apply(Cow::Borrowed(text)),
            (Some(value), _) => Form::Json.apply(value),
        }
    }

    /// What it stands for if the request has none of its values; `None` if it has no default.
    pub(super) fn default_text(&self) -> Option<&[u8]> {
        match self.default.as_ref()? {
            Fallback::Text(text) => Some(text),
            Fallback::Value(value) => value.default_text(),
        }
    }

    /// What is added to the turn of the innermost loop, if the value is that or a sum that begins with it.
    pub(super) fn added_to_turn(&self) -> Option<Addend> {
        match &self.plus {
            _ if self.name.placeholder.usage != TURN || self.form != Form::Bytes => None,
            None => Some(Addend::Number(0)),
            // It would have another value in every turn.
            Some(Addend::Name(name)) if name.placeholder.usage == TURN => None,
            Some(addend) => Some(addend.clone()),
        }
    }

    /// All names in it, in the order in which they are written.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        let values = successors(Some(self), |value| match &value.default {
            Some(Fallback::Value(default)) => Some(default),
            _ => None,
        });
        values.flat_map(|value| {
            let addend = match &value.plus {
                Some(Addend::Name(name)) => Some(name),
                _ => None,
            };
            [&value.name].into_iter().chain(addend)
        })
    }
}

impl Fallback {
    /// Reads what follows the first `|`.
    fn parse(text: &str) -> Option<Fallback> {
        match text.strip_prefix('|') {
            Some(value) => Some(Fallback::Value(Box::new(Value::parse(value.as_bytes())?))),
            None => Some(Fallback::Text(text.as_bytes().to_vec())),
        }
    }

    fn value<'a>(&'a self, context: &RenderContext<'a>) -> Option<Cow<'a, [u8]>> {
        match self {
            Fallback::Text(text) => Some(Cow::Borrowed(text)),
            Fallback::Value(value) => value.value(context),
        }
    }
}

impl Addend {
    fn parse(text: &str) -> Option<Addend> {
        parse_number(text).map(Addend::Number).or_else(|| Name::parse(text).map(Addend::Name))
    }

    pub fn number(&self, context: &RenderContext<'_>) -> u64 {
        match self {
            Addend::Number(number) => *number,
            Addend::Name(name) => name.number(context),
        }
    }
}
