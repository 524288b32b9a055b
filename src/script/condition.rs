//! Decides which part of a script answers a request: `@part connection 2+ and header accept~event-stream`.

use super::context::RequestContext;
use super::template::unescape;
use super::units::parse_number;
use crate::text::suggest;
use std::borrow::Cow;

/// Conditions that must all hold.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Conditions(Vec<Condition>);

#[derive(Debug, PartialEq, Eq)]
struct Condition {
    /// `no` stands before it.
    negated: bool,
    test: Test,
}

#[derive(Debug, PartialEq, Eq)]
enum Test {
    Connection { first: u64, last: u64 },
    Turn { number: u64, of: u64 },
    Method(Vec<u8>),
    Query(Vec<u8>, Wanted),
    Header(String, Wanted),
    Cookie(String, Wanted),
    LastEventId(Wanted),
    Body(Wanted),
    Otherwise,
}

/// What a value has to be.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Present,
    Equal(Vec<u8>),
    Containing(Vec<u8>),
}

impl Wanted {
    fn accepts(&self, value: Option<Cow<'_, [u8]>>) -> bool {
        match (self, value) {
            (_, None) => false,
            (Wanted::Present, Some(_)) => true,
            (Wanted::Equal(text), Some(value)) => value.as_ref() == text.as_slice(),
            (Wanted::Containing(text), Some(value)) => contains(&value, text),
        }
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    part.is_empty() || bytes.windows(part.len()).any(|window| window == part)
}

/// How conditions are written, for messages and for the README.
pub const CONDITIONS: [&str; 9] = [
    "connection 1 | 2-3 | 4+ | 1 of 3",
    "method M",
    "query K[=V]",
    "header K[=V|~V]",
    "cookie K[=V]",
    "last-event-id [V]",
    "body ~V",
    "no COND",
    "otherwise",
];

impl Conditions {
    /// Reads `COND and COND …`.
    ///
    /// # Errors
    /// Names the word that is wrong.
    pub fn parse(text: &[u8]) -> Result<Conditions, String> {
        let mut conditions = Vec::new();
        for words in words(text)?.split(|word| word == b"and") {
            conditions.push(Condition::parse(words)?);
        }
        match conditions.iter().any(|condition| condition.test == Test::Otherwise) && conditions.len() > 1 {
            true => Err("`otherwise` stands alone".to_owned()),
            false => Ok(Conditions(conditions)),
        }
    }

    /// Whether all of them hold.
    pub fn hold(&self, context: RequestContext<'_>) -> bool {
        self.0.iter().all(|condition| condition.test.holds(context) != condition.negated)
    }

    /// Whether they hold for every request.
    pub fn always_hold(&self) -> bool {
        self.0.iter().all(|condition| match condition.test {
            Test::Otherwise => true,
            Test::Connection { first: 1, last: u64::MAX } | Test::Turn { of: 1, .. } => !condition.negated,
            _ => false,
        })
    }

    /// Whether the request's body is asked for.
    pub fn want_body(&self) -> bool {
        self.0.iter().any(|condition| matches!(condition.test, Test::Body(_)))
    }
}

impl Condition {
    fn parse(words: &[Vec<u8>]) -> Result<Condition, String> {
        let nos = words.iter().take_while(|word| *word == b"no").count();
        match Test::parse(&words[nos..])? {
            Test::Otherwise if nos > 0 => Err("`no otherwise` never holds".to_owned()),
            test => Ok(Condition { negated: nos % 2 == 1, test }),
        }
    }
}

impl Test {
    fn parse(words: &[Vec<u8>]) -> Result<Test, String> {
        let (kind, arguments) = words.split_first().ok_or("a condition is missing")?;
        let kind = lossy(kind);
        match (kind.as_str(), arguments) {
            ("otherwise", []) => Ok(Test::Otherwise),
            ("connection", [range]) => connections(&lossy(range)).ok_or_else(|| no_connection(arguments)),
            ("connection", [number, of, all]) if of == b"of" => {
                turn(&lossy(number), &lossy(all)).ok_or_else(|| no_connection(arguments))
            }
            ("method", [method]) => Ok(Test::Method(method.clone())),
            ("query" | "header" | "cookie", [wanted]) => {
                let (key, wanted) = key_and_value(wanted)?;
                Ok(match kind.as_str() {
                    "query" => Test::Query(key.to_vec(), wanted),
                    "header" => Test::Header(lossy(key), wanted),
                    _ => Test::Cookie(lossy(key), wanted),
                })
            }
            ("last-event-id", []) => Ok(Test::LastEventId(Wanted::Present)),
            ("last-event-id", [id]) => Ok(Test::LastEventId(Wanted::Equal(unescape(id)?))),
            ("body", [part]) if part.starts_with(b"~") => {
                Ok(Test::Body(Wanted::Containing(unescape(&part[1..])?)))
            }
            _ => Err(unknown(&kind, &together(words))),
        }
    }

    fn holds(&self, context: RequestContext<'_>) -> bool {
        let request = context.request;
        match self {
            Test::Otherwise => true,
            Test::Connection { first, last } => (*first..=*last).contains(&context.connection),
            Test::Turn { number, of } => context.connection % of == number % of,
            Test::Method(method) => request.method().as_bytes() == method.as_slice(),
            Test::Query(key, wanted) => wanted.accepts(context.query_value(key)),
            Test::Header(key, wanted) => wanted.accepts(request.field(key).map(Cow::Borrowed)),
            Test::Cookie(key, wanted) => wanted.accepts(context.cookie(key).map(Cow::Borrowed)),
            Test::LastEventId(wanted) => wanted.accepts(context.last_event_id()),
            Test::Body(wanted) => wanted.accepts(Some(Cow::Borrowed(context.body))),
        }
    }
}

/// `1`, `2-3` or `4+`.
fn connections(range: &str) -> Option<Test> {
    let (first, last) = match range.strip_suffix('+') {
        Some(first) => (parse_number(first)?, u64::MAX),
        None => match range.split_once('-') {
            Some((first, last)) => (parse_number(first)?, parse_number(last)?),
            None => (parse_number(range)?, parse_number(range)?),
        },
    };
    (first >= 1 && first <= last).then_some(Test::Connection { first, last })
}

fn turn(number: &str, of: &str) -> Option<Test> {
    let (number, of) = (parse_number(number)?, parse_number(of)?);
    (1..=of).contains(&number).then_some(Test::Turn { number, of })
}

fn no_connection(words: &[Vec<u8>]) -> String {
    let text = together(words);
    format!("`{text}` is no connection (write `connection 1`, `2-3`, `4+` or `1 of 3`)")
}

fn unknown(first: &str, all: &str) -> String {
    let known = CONDITIONS.iter().map(|usage| usage.split(' ').next().unwrap_or_default());
    match CONDITIONS.iter().find(|usage| usage.split(' ').next() == Some(first)) {
        Some(usage) => format!("`{all}` is no condition (write `{usage}`)"),
        None => format!("unknown condition `{first}`{}", suggest::hint(first, known)),
    }
}

/// `K`, `K=V` or `K~V`.
fn key_and_value(text: &[u8]) -> Result<(&[u8], Wanted), String> {
    let length = text.iter().take_while(|byte| !b"=~".contains(byte)).count();
    let wanted = match &text[length..] {
        [] => Wanted::Present,
        [b'=', value @ ..] => Wanted::Equal(unescape(value)?),
        [_, value @ ..] => Wanted::Containing(unescape(value)?),
    };
    match length {
        0 => Err("a name is missing before `=` or `~`".to_owned()),
        _ => Ok((&text[..length], wanted)),
    }
}

fn lossy(word: &[u8]) -> String {
    String::from_utf8_lossy(word).into_owned()
}

fn together(words: &[Vec<u8>]) -> String {
    let mut text = String::new();
    for word in words {
        text += &String::from_utf8_lossy(word);
        text.push(' ');
    }
    text.pop();
    text
}

/// Splits at blanks; what stands in double quotes stays together and loses the quotes.
fn words(text: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let mut words: Vec<Vec<u8>> = Vec::new();
    let (mut quoted, mut inside) = (false, false);
    for &byte in text {
        match byte {
            b'"' => quoted = !quoted,
            b' ' | b'\t' if !quoted => {
                inside = false;
                continue;
            }
            _ => {}
        }
        if !inside {
            words.push(Vec::new());
            inside = true;
        }
        if let (Some(word), false) = (words.last_mut(), byte == b'"') {
            word.push(byte);
        }
    }
    match quoted {
        true => Err("a double quote is not closed (write \\x22 for one that is meant)".to_owned()),
        false => Ok(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::context::tests::TestRequest;

    fn holds(text: &str, connection: u64) -> bool {
        let fields = "Accept: text/event-stream\r\nCookie: id=7\r\nLast-Event-ID: a b\r\n";
        let mut request = TestRequest::new("POST", "/a?type=2&flag", fields);
        request.body = "{\"stream\": true}";
        let context = RequestContext { connection, ..request.context() };
        Conditions::parse(text.as_bytes()).unwrap().hold(context)
    }

    #[test]
    fn connections_are_numbers_ranges_and_turns() {
        let which = |text: &str| (1..=7).filter(|number| holds(text, *number)).collect::<Vec<u64>>();
        assert_eq!(which("connection 2"), [2]);
        assert_eq!(which("connection 2-4"), [2, 3, 4]);
        assert_eq!(which("connection 5+"), [5, 6, 7]);
        assert_eq!(which("connection 1 of 3"), [1, 4, 7]);
        assert_eq!(which("connection 3 of 3"), [3, 6]);
        assert_eq!(which("no connection 2+"), [1]);
    }

    #[test]
    fn requests_are_looked_at_from_every_side() {
        for text in [
            "method POST",
            "query type",
            "query type=2",
            "query flag",
            "header accept",
            "header Accept=text/event-stream",
            "header accept~event",
            "cookie id",
            "cookie id=7",
            "last-event-id",
            "last-event-id \"a b\"",
            "last-event-id a\\sb",
            "body ~stream",
            "body ~\\x22stream\\x22:\\strue",
            "body ~",
            "no method GET and query type=2 and no cookie other",
            "no no method POST",
            "otherwise",
        ] {
            assert!(holds(text, 1), "{text}");
        }
        for text in [
            "method post",
            "query type=",
            "query none",
            "header accept=text",
            "body ~x",
            "method POST and cookie x",
        ] {
            assert!(!holds(text, 1), "{text}");
        }
    }

    #[test]
    fn mistakes_name_the_word() {
        let error = |text: &str| Conditions::parse(text.as_bytes()).unwrap_err();
        assert_eq!(error("conection 1"), "unknown condition `conection` (did you mean `connection`?)");
        assert_eq!(
            error("connection 0"),
            "`0` is no connection (write `connection 1`, `2-3`, `4+` or `1 of 3`)"
        );
        assert_eq!(
            error("connection 3-2"),
            "`3-2` is no connection (write `connection 1`, `2-3`, `4+` or `1 of 3`)"
        );
        assert_eq!(
            error("connection 4 of 3"),
            "`4 of 3` is no connection (write `connection 1`, `2-3`, `4+` or `1 of 3`)"
        );
        assert_eq!(error("method"), "`method` is no condition (write `method M`)");
        assert_eq!(error("body x"), "`body x` is no condition (write `body ~V`)");
        assert_eq!(error("query =x"), "a name is missing before `=` or `~`");
        assert_eq!(error("method GET and"), "a condition is missing");
        assert_eq!(error("otherwise and method GET"), "`otherwise` stands alone");
        assert_eq!(error("no otherwise"), "`no otherwise` never holds");
        assert_eq!(error("body ~\"x"), "a double quote is not closed (write \\x22 for one that is meant)");
    }

    #[test]
    fn some_conditions_always_hold() {
        let always = |text: &str| Conditions::parse(text.as_bytes()).unwrap().always_hold();
        assert!(always("otherwise") && always("connection 1+"));
        assert!(!always("connection 2+") && !always("no connection 1+") && !always("method GET"));
    }
}
