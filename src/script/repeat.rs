//! How often `@repeat` plays its lines, and how fast: as the script says, or as the request says.

use super::context::RenderContext;
use super::template::Template;
use super::units::{parse_number, parse_time};
use super::words::invalid;
use std::time::Duration;

/// The most turns that a request can set, in all loops inside each other: enough for a test of any length, and few enough
/// that a loop which sends nothing is soon over.
pub(super) const MAX_REQUESTED_TURNS: u64 = 100_000;

/// How often the lines are played.
#[derive(Clone, Debug, PartialEq)]
pub enum Turns {
    /// Until the client disconnects.
    Endless,
    /// This often.
    Times(u64),
    /// As often as the request says.
    Requested(Template),
}

impl Turns {
    /// Parses a number, `forever` or text with placeholders.
    ///
    /// # Errors
    /// A message that says what is wrong.
    pub(super) fn parse(text: &[u8]) -> Result<Turns, String> {
        let template = Template::parse(text)?;
        match template.as_plain().map(parse_number) {
            None => {
                template.default_text().map_or(Ok(0), |text| requested_number(&text))?;
                Ok(Turns::Requested(template))
            }
            Some(Some(turns)) if turns > 0 => Ok(Turns::Times(turns)),
            Some(_) if text == b"forever" => Ok(Turns::Endless),
            Some(_) => Err(invalid("number", text, "1 or more, or forever")),
        }
    }

    /// How often for this request; `None` for an endless loop.
    ///
    /// # Errors
    /// A message, if the request does not contain a valid number.
    pub fn number(&self, context: &RenderContext<'_>) -> Result<Option<u64>, String> {
        match self {
            Turns::Endless => Ok(None),
            Turns::Times(number) => Ok(Some(*number)),
            Turns::Requested(template) => {
                let number = requested_number(&template.render(context));
                number.map(Some).map_err(|message| template.explain(&message))
            }
        }
    }

    /// Whether there is a second turn.
    pub fn repeats(&self) -> bool {
        *self != Turns::Times(1)
    }

    /// The text that says how many they are, if it has placeholders.
    pub(super) fn template(&self) -> Option<&Template> {
        match self {
            Turns::Requested(template) => Some(template),
            Turns::Endless | Turns::Times(_) => None,
        }
    }
}

fn requested_number(text: &[u8]) -> Result<u64, String> {
    let number = parse_number(text).filter(|number| (1..=MAX_REQUESTED_TURNS).contains(number));
    number.ok_or_else(|| invalid("number", text, &format!("1 to {MAX_REQUESTED_TURNS}")))
}

/// The time from the beginning of one turn to that of the next; zero if a turn follows when the one before is over.
#[derive(Clone, Debug, PartialEq)]
pub enum Every {
    /// Always this.
    Always(Duration),
    /// The time that the request contains.
    Requested(Template),
}

impl Every {
    /// Parses a time or text with placeholders.
    ///
    /// # Errors
    /// A message that says what is wrong.
    pub(super) fn parse(text: &[u8]) -> Result<Every, String> {
        let template = Template::parse(text)?;
        match template.as_plain() {
            None => {
                template.default_text().map_or(Ok(Duration::ZERO), |text| parse_time(&text))?;
                Ok(Every::Requested(template))
            }
            Some(time) => parse_time(time).map(Every::Always),
        }
    }

    /// The time for this request.
    ///
    /// # Errors
    /// A message, if the request does not contain a time.
    pub fn time(&self, context: &RenderContext<'_>) -> Result<Duration, String> {
        match self {
            Every::Always(time) => Ok(*time),
            Every::Requested(template) => {
                parse_time(&template.render(context)).map_err(|message| template.explain(&message))
            }
        }
    }

    /// Whether the request sets it.
    pub fn is_requested(&self) -> bool {
        matches!(self, Every::Requested(_))
    }

    /// The text of the time, if it has placeholders.
    pub(super) fn template(&self) -> Option<&Template> {
        match self {
            Every::Requested(template) => Some(template),
            Every::Always(_) => None,
        }
    }
}
