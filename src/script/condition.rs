//! Decides which part of a script answers a request: `@part connection 2+ and header accept~event-stream`.

pub mod reports;
mod values;
mod words;

use super::context::{RenderContext, RequestContext};
use super::placeholder::Name;
use super::units::{parse_number, parse_wait};
use super::words::{invalid, unknown};
use reports::ReportCondition;
use std::ops::RangeInclusive;
use std::time::Duration;
use values::ValueCondition;
use words::split_words;

/// Conditions that must all hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Conditions(Vec<Condition>);

#[derive(Clone, Debug, PartialEq)]
enum Condition {
    /// The number of the request is one of these.
    Connection(RangeInclusive<u64>),
    /// It is one of every `of` requests.
    Turn {
        number: u64,
        of: u64,
    },
    Value(ValueCondition),
    /// The time since this client's previous response ended is in this range.
    After(RangeInclusive<Duration>),
    /// An earlier request came on the same connection.
    ReusedConnection,
    /// With this probability, in percent.
    Chance(u64),
    Not(Box<Condition>),
    Otherwise,
    Never,
    /// The client reports something. No request shows whether it does.
    Reports(ReportCondition),
}

/// One row of the table of conditions.
struct ConditionKind {
    /// How it is written, for messages and for the documents; the first word is its name.
    usage: &'static str,
    /// Makes a condition of its name and the words that follow.
    parse: fn(&'static str, &[Vec<u8>]) -> Parsed,
}

/// A condition; `None` if the words are not what the usage says.
type Parsed = Result<Option<Condition>, String>;

/// All conditions, in the order of the reference.
const CONDITIONS: &[ConditionKind] = &[
    ConditionKind { usage: "connection 1 | 2-3 | 4+ | 1 of 3", parse: connection },
    ConditionKind { usage: "method M", parse: |name, words| value(values::equal(name, words)) },
    ConditionKind { usage: "path ~V", parse: |name, words| value(values::containing(name, words)) },
    ConditionKind { usage: "query K[=V]", parse: |name, words| value(values::keyed(name, words)) },
    ConditionKind { usage: "header K[=V|~V]", parse: |name, words| value(values::keyed(name, words)) },
    ConditionKind { usage: "cookie K[=V]", parse: |name, words| value(values::keyed(name, words)) },
    ConditionKind {
        usage: "last-event-id [V]",
        parse: |name, words| value(values::present_or_equal(name, words)),
    },
    ConditionKind { usage: "body ~V", parse: |name, words| value(values::containing(name, words)) },
    ConditionKind { usage: "json PATH[=V|~V]", parse: |name, words| value(values::keyed(name, words)) },
    ConditionKind { usage: "count NAME=N", parse: |name, words| value(values::keyed_number(name, words)) },
    ConditionKind { usage: "after T..T", parse: after },
    ConditionKind { usage: "reused-connection", parse: |_, words| alone(words, Condition::ReusedConnection) },
    ConditionKind { usage: "chance N%", parse: chance },
    ConditionKind { usage: "no COND", parse: no },
    ConditionKind { usage: "otherwise", parse: |_, words| alone(words, Condition::Otherwise) },
    ConditionKind { usage: "never", parse: |_, words| alone(words, Condition::Never) },
    ConditionKind { usage: "events [within T]", parse: |_, words| report(reports::events(words)) },
    ConditionKind {
        usage: "reported STATE[, STATE] [within T]",
        parse: |_, words| report(reports::states(words)),
    },
    ConditionKind { usage: "disconnect within T", parse: |_, words| report(reports::disconnect(words)) },
];

/// How every condition is written, in the order of the reference.
pub fn usages() -> impl Iterator<Item = &'static str> {
    CONDITIONS.iter().map(|kind| kind.usage)
}

impl ConditionKind {
    fn name(&self) -> &'static str {
        self.usage.split(' ').next().unwrap_or_default()
    }

    /// What is expected instead of this number of words after the name.
    fn expected(&self, words: usize) -> String {
        let usage = self.usage;
        if words > 1 && usage.contains('V') {
            return format!("`{usage}`; write a V with spaces as `\"a b\"`, and a quote in it as `\\\"`");
        }
        format!("`{usage}`")
    }
}

impl Conditions {
    /// Parses `COND and COND …`.
    ///
    /// # Errors
    /// A message that names the condition, what is wrong and the way out.
    pub fn parse(text: &[u8]) -> Result<Conditions, String> {
        let words = split_words(text);
        let parsed = words.split(|word| word == b"and").map(Condition::parse).collect::<Result<Vec<_>, _>>();
        let conditions = parsed?;
        if conditions.len() > 1 && conditions.contains(&Condition::Otherwise) {
            return Err("`otherwise` always holds (remove it or the other conditions)".to_owned());
        }
        Ok(Conditions(conditions))
    }

    /// That the request has this number.
    pub(super) fn connection(number: u64) -> Conditions {
        Conditions(vec![Condition::Connection(number..=number)])
    }

    /// Whether all of them hold.
    pub fn hold(&self, context: RequestContext<'_>) -> bool {
        let context = RenderContext::of_head(context);
        self.0.iter().all(|condition| condition.holds(&context))
    }

    /// Whether they hold for no request.
    pub fn never_hold(&self) -> bool {
        self.0.contains(&Condition::Never)
    }

    /// The time range that one of them requires, if one does.
    pub fn time_range(&self) -> Option<&RangeInclusive<Duration>> {
        self.0.iter().find_map(|condition| match condition {
            Condition::After(range) => Some(range),
            _ => None,
        })
    }

    /// What the request has where the conditions look that do not hold, or where all of them look if they hold.
    /// The values for which `hides` is true are left out.
    pub fn describe(&self, context: RequestContext<'_>, hides: &dyn Fn(&Name) -> bool) -> String {
        let context = RenderContext::of_head(context);
        let holds: Vec<bool> = self.0.iter().map(|condition| condition.holds(&context)).collect();
        let all_hold = !holds.contains(&false);
        let looked_at = self.0.iter().zip(holds).filter(|(_, holds)| all_hold || !holds);
        looked_at.map(|(condition, _)| condition.describe(&context, hides)).collect::<Vec<_>>().join(", ")
    }

    /// What the client has to report, if one of them is about that, which no request can show.
    pub fn report(&self) -> Option<&ReportCondition> {
        self.0.iter().find_map(|condition| match condition {
            Condition::Reports(report) => Some(report),
            _ => None,
        })
    }

    /// The method that a request must have, if one of them requires one.
    pub fn method(&self) -> Option<&[u8]> {
        self.0.iter().find_map(|condition| match condition {
            Condition::Value(condition) => condition.method(),
            _ => None,
        })
    }

    /// Whether they hold for every request.
    pub fn always_hold(&self) -> bool {
        self.0.iter().all(Condition::always_holds)
    }

    /// Whether one of them depends on the number of the request, or on what comes after it.
    pub fn depend_on_count(&self) -> bool {
        self.0.iter().any(Condition::depends_on_count)
    }

    /// The names of all placeholders that they look at.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.0.iter().filter_map(Condition::value).flat_map(ValueCondition::names)
    }
}

impl Condition {
    fn parse(words: &[Vec<u8>]) -> Result<Condition, String> {
        let (name, arguments) = words.split_first().ok_or("missing condition")?;
        let found = CONDITIONS.iter().find(|kind| kind.name().as_bytes() == name);
        let kind =
            found.ok_or_else(|| unknown("condition", name, CONDITIONS.iter().map(ConditionKind::name)))?;
        let condition = (kind.parse)(kind.name(), arguments)?;
        condition.ok_or_else(|| invalid("condition", &words.join(&b' '), &kind.expected(arguments.len())))
    }

    fn holds(&self, context: &RenderContext<'_>) -> bool {
        let number = context.request.request_number;
        match self {
            Condition::Connection(range) => range.contains(&number),
            Condition::Turn { number: turn, of } => number % of == turn % of,
            Condition::Value(condition) => condition.holds(context),
            Condition::After(range) => context.request.after.map_or(false, |after| range.contains(&after)),
            Condition::ReusedConnection => context.request.reuses_connection,
            Condition::Chance(percent) => context.request.random.number(1, 100) <= *percent,
            Condition::Not(condition) => !condition.holds(context),
            Condition::Otherwise | Condition::Reports(_) => true,
            Condition::Never => false,
        }
    }

    /// What the request has in the place that the condition looks at.
    fn describe(&self, context: &RenderContext<'_>, hides: &dyn Fn(&Name) -> bool) -> String {
        match self {
            Condition::Connection(_) | Condition::Turn { .. } => {
                format!("connection {}", context.request.request_number)
            }
            Condition::Value(condition) => condition.describe(context, hides),
            Condition::After(_) => match context.request.after {
                Some(after) => format!("after {} ms", after.as_millis()),
                None => "no previous response".to_owned(),
            },
            Condition::ReusedConnection if context.request.reuses_connection => {
                "the same connection".to_owned()
            }
            Condition::ReusedConnection => "another connection".to_owned(),
            Condition::Not(condition) => condition.describe(context, hides),
            Condition::Chance(_) | Condition::Otherwise | Condition::Never | Condition::Reports(_) => {
                "a request".to_owned()
            }
        }
    }

    fn always_holds(&self) -> bool {
        match self {
            Condition::Connection(range) => *range == (1..=u64::MAX),
            Condition::Turn { of, .. } => *of == 1,
            Condition::Otherwise => true,
            _ => false,
        }
    }

    /// The condition on a value, if this is one or the opposite of one.
    fn value(&self) -> Option<&ValueCondition> {
        match self {
            Condition::Value(condition) => Some(condition),
            Condition::Not(condition) => condition.value(),
            _ => None,
        }
    }

    fn depends_on_count(&self) -> bool {
        match self {
            Condition::Connection(_) | Condition::Turn { .. } | Condition::After(_) => true,
            Condition::Reports(_) | Condition::Never => true,
            Condition::Not(condition) => condition.depends_on_count(),
            _ => false,
        }
    }
}

fn connection(_: &str, words: &[Vec<u8>]) -> Parsed {
    Ok(match words {
        [range] => connection_range(range),
        [number, of, all] if of == b"of" => connection_turn(number, all),
        _ => None,
    })
}

/// `1`, `2-3` or `4+`.
fn connection_range(range: &[u8]) -> Option<Condition> {
    let range = std::str::from_utf8(range).ok()?;
    let (first, last) = match range.strip_suffix('+') {
        Some(first) => (parse_number(first)?, u64::MAX),
        None => {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            (parse_number(first)?, parse_number(last)?)
        }
    };
    (1 <= first && first <= last).then_some(Condition::Connection(first..=last))
}

/// `1 of 3`.
fn connection_turn(number: &[u8], of: &[u8]) -> Option<Condition> {
    let (number, of) = (parse_number(number)?, parse_number(of)?);
    (1 <= number && number <= of).then_some(Condition::Turn { number, of })
}

/// `COND`, which can begin with further `no`s.
fn no(_: &str, words: &[Vec<u8>]) -> Parsed {
    let more = words.iter().take_while(|word| *word == b"no").count();
    match Condition::parse(&words[more..])? {
        Condition::Otherwise => Err("`no otherwise` never holds (write `never`)".to_owned()),
        Condition::Never => Err("`no never` always holds (remove it)".to_owned()),
        Condition::Reports(_) => Err("no request shows what a client reports (remove the `no`)".to_owned()),
        condition if more % 2 == 0 => Ok(Some(Condition::Not(Box::new(condition)))),
        condition => Ok(Some(condition)),
    }
}

/// `T..T`.
fn after(_: &str, words: &[Vec<u8>]) -> Parsed {
    match words {
        [range] => parse_wait(range).map(|(shortest, longest)| Some(Condition::After(shortest..=longest))),
        _ => Ok(None),
    }
}

/// `N%`.
fn chance(_: &str, words: &[Vec<u8>]) -> Parsed {
    let percent = match words {
        [word] => word.strip_suffix(b"%").and_then(parse_number),
        _ => None,
    };
    match percent {
        Some(percent) if !(1..=99).contains(&percent) => {
            Err(format!("invalid chance `{percent}%` (expected 1% to 99%)"))
        }
        percent => Ok(percent.map(Condition::Chance)),
    }
}

/// Nothing.
fn alone(words: &[Vec<u8>], condition: Condition) -> Parsed {
    Ok(words.is_empty().then_some(condition))
}

fn value(parsed: Result<Option<ValueCondition>, String>) -> Parsed {
    Ok(parsed?.map(Condition::Value))
}

fn report(parsed: Result<Option<ReportCondition>, String>) -> Parsed {
    Ok(parsed?.map(Condition::Reports))
}

#[cfg(test)]
mod tests;
