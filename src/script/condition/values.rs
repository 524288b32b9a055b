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
    place: Place,
    wanted: Wanted,
}

/// Where the value is.
#[derive(Clone, Debug, PartialEq)]
enum Place {
    Placeholder(Name),
    /// In a placeholder such as `cookie`, whose key depends on the request. The name has the key as it is written.
    Keyed(Name, Template),
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
        let value = self.place.name(context).and_then(|name| name.value(context));
        value.map_or(false, |value| self.wanted.accepts(&value, context))
    }

    /// What the request has in this place, without the values for which `hides` is true.
    pub fn describe(&self, context: &RenderContext<'_>, hides: &dyn Fn(&Name) -> bool) -> String {
        if let Place::Keyed(name, key) = &self.place {
            if key.any_name(hides) {
                return format!("{} (name not shown)", name.kind());
            }
        }
        let name = match self.place.name(context) {
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
        match (&self.place, &self.wanted) {
            (Place::Placeholder(name), Wanted::Equal(method)) if name.is_method() => method.as_plain(),
            _ => None,
        }
    }

    /// Whether `predicate` is true for the name of any placeholder in it.
    pub fn any_name(&self, predicate: &dyn Fn(&Name) -> bool) -> bool {
        self.place.any_name(predicate) || self.wanted.any_name(predicate)
    }
}

impl Place {
    /// The placeholder; `None` if its key is empty for this request.
    fn name(&self, context: &RenderContext<'_>) -> Option<Cow<'_, Name>> {
        match self {
            Place::Placeholder(name) => Some(Cow::Borrowed(name)),
            Place::Keyed(name, key) => {
                let key = key.render(context);
                Name::parse(&format!("{}:{}", name.kind(), String::from_utf8_lossy(&key))).map(Cow::Owned)
            }
        }
    }

    fn any_name(&self, predicate: &dyn Fn(&Name) -> bool) -> bool {
        match self {
            Place::Placeholder(name) => predicate(name),
            Place::Keyed(name, key) => predicate(name) || key.any_name(predicate),
        }
    }
}

impl Wanted {
    fn any_name(&self, predicate: &dyn Fn(&Name) -> bool) -> bool {
        matches!(self, Wanted::Equal(text) | Wanted::Containing(text) if text.any_name(predicate))
    }

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
    if key.windows(2).any(|braces| braces == b"{{") {
        let template = Template::parse(key)?;
        let place = Name::parse(&written).map(|name| Place::Keyed(name, template));
        return Ok(place.map(|place| ValueCondition { place, wanted }));
    }
    condition(&written, wanted)
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
    let name = Name::parse(placeholder);
    Ok(name.map(|name| ValueCondition { place: Place::Placeholder(name), wanted }))
}
