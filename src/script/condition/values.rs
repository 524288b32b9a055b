//! Conditions on a value of the request: `query K=V`, `body ~V`.

use crate::script::context::RenderContext;
use crate::script::placeholder::Name;
use crate::script::template::Template;
use crate::script::units::parse_number;
use crate::text::escape::escape;
use std::borrow::Cow;

/// A placeholder has a value in the request, and it is the one that is wanted.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueCondition {
    /// The placeholder, with its key as it is written.
    name: Name,
    /// The key, if it depends on the request.
    key: Option<Template>,
    wanted: Wanted,
}

/// What a value has to be.
#[derive(Clone, Debug, PartialEq)]
enum Wanted {
    Present,
    Equal(Template),
    Containing(Template),
}

/// A condition; `None` if the words are not what the usage says.
type Parsed = Result<Option<ValueCondition>, String>;

impl ValueCondition {
    /// Whether it holds for this request.
    pub fn holds(&self, context: &RenderContext<'_>) -> bool {
        let value = self.name(context).and_then(|name| name.value(context));
        value.map_or(false, |value| self.wanted.accepts(&value, context))
    }

    /// What the request has for this placeholder, without the values for which `hides` is true.
    pub fn describe(&self, context: &RenderContext<'_>, hides: &dyn Fn(&Name) -> bool) -> String {
        if self.key.iter().flat_map(Template::names).any(hides) {
            return format!("{} (name not shown)", self.name.kind());
        }
        let name = match self.name(context) {
            Some(name) => name,
            None => return "no name".to_owned(),
        };
        match name.value(context) {
            Some(_) if hides(&name) => format!("{name} (not shown)"),
            Some(value) => format!("{name} `{}`", escape(value)),
            None => format!("no {name}"),
        }
    }

    /// The method that a request must have, if it requires one.
    pub fn method(&self) -> Option<&[u8]> {
        match &self.wanted {
            Wanted::Equal(method) if self.name.is_method() => method.as_plain(),
            _ => None,
        }
    }

    /// The names of all placeholders in it.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        let wanted = match &self.wanted {
            Wanted::Present => None,
            Wanted::Equal(text) | Wanted::Containing(text) => Some(text),
        };
        [&self.name].into_iter().chain(self.key.iter().chain(wanted).flat_map(Template::names))
    }

    /// The placeholder for this request; `None` if its key is empty.
    fn name(&self, context: &RenderContext<'_>) -> Option<Cow<'_, Name>> {
        match &self.key {
            None => Some(Cow::Borrowed(&self.name)),
            Some(key) => {
                let key = key.render(context);
                let name = Name::parse(&format!("{}:{}", self.name.kind(), String::from_utf8_lossy(&key)));
                name.map(Cow::Owned)
            }
        }
    }
}

impl Wanted {
    fn accepts(&self, value: &[u8], context: &RenderContext<'_>) -> bool {
        match self {
            Wanted::Present => true,
            Wanted::Equal(text) => *value == *text.render(context),
            Wanted::Containing(text) => {
                let text = text.render(context);
                text.is_empty() || value.windows(text.len()).any(|window| window == &*text)
            }
        }
    }
}

/// `V`.
pub fn equal(name: &str, words: &[Vec<u8>]) -> Parsed {
    match words {
        [value] => condition(name, Wanted::Equal(Template::parse(value)?)),
        _ => Ok(None),
    }
}

/// `V`, or nothing.
pub fn present_or_equal(name: &str, words: &[Vec<u8>]) -> Parsed {
    match words {
        [] => condition(name, Wanted::Present),
        [value] => condition(name, Wanted::Equal(Template::parse_escaped(value)?)),
        _ => Ok(None),
    }
}

/// `~V`.
pub fn containing(name: &str, words: &[Vec<u8>]) -> Parsed {
    match words {
        [word] if word.starts_with(b"~") && word.len() > 1 => {
            condition(name, Wanted::Containing(Template::parse_escaped(&word[1..])?))
        }
        _ => Ok(None),
    }
}

/// `K`, `K=V` or `K~V`.
pub fn keyed(name: &str, words: &[Vec<u8>]) -> Parsed {
    let word = match words {
        [word] => word,
        _ => return Ok(None),
    };
    let key_length = word.iter().take_while(|byte| !b"=~".contains(byte)).count();
    let (key, rest) = word.split_at(key_length);
    // `page>1` or `page!=1`: a comparison that does not exist, and not a key.
    if key.iter().any(|byte| b"<>!".contains(byte)) {
        return Ok(None);
    }
    let wanted = match rest {
        [] => Wanted::Present,
        [b'=', value @ ..] => Wanted::Equal(Template::parse_escaped(value)?),
        // Every value contains the empty string.
        [_] => return Ok(None),
        [_, value @ ..] => Wanted::Containing(Template::parse_escaped(value)?),
    };
    let written = format!("{name}:{}", String::from_utf8_lossy(key));
    let parsed = condition(&written, wanted)?;
    if !written.contains("{{") {
        return Ok(parsed);
    }
    let key = Some(Template::parse(key)?);
    Ok(parsed.map(|condition| ValueCondition { key, ..condition }))
}

/// `K=N`. The number can contain placeholders.
pub fn keyed_number(name: &str, words: &[Vec<u8>]) -> Parsed {
    // The value is compared as text, in which a number has no leading zeros.
    let is_plain_number =
        |plain: &[u8]| parse_number(plain).map_or(false, |number| number.to_string().as_bytes() == plain);
    let is_number = |text: &Template| text.as_plain().map_or(true, is_plain_number);
    let parsed = keyed(name, words)?;
    Ok(parsed.filter(|condition| matches!(&condition.wanted, Wanted::Equal(text) if is_number(text))))
}

fn condition(placeholder: &str, wanted: Wanted) -> Parsed {
    Ok(Name::parse(placeholder).map(|name| ValueCondition { name, key: None, wanted }))
}
