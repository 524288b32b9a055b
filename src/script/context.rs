//! Gathers what a script can know while it plays: the request, the client, and what changes from one moment to the next.

use super::random::Random;
use super::visits::Visit;
use crate::http::request::Request;
use crate::http::uri::{query_value, split_at_first};
use crate::text::json;
use crate::text::json_reader::{as_string, value_at};
use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What a script can know about the other scripts of the server.
pub trait OtherScripts: fmt::Debug {
    /// The number of requests that the script with this name has counted so far; `None` if there is none. The name is that of
    /// its file, without `.sse`.
    fn requests_to(&self, name: &str) -> Option<u64>;
}

/// A request and its client: what stays the same while a script plays.
#[derive(Clone, Copy, Debug)]
pub struct RequestContext<'a> {
    /// The head of the request.
    pub request: &'a Request,
    /// Its body; empty unless the script uses it.
    pub body: &'a [u8],
    /// The client's address.
    pub ip: IpAddr,
    /// The number of this request, from 1, as `@count` counts.
    pub request_number: u64,
    /// The time since the previous response to this client ended: zero if it has not. `None` for its first request.
    pub after: Option<Duration>,
    /// The count of this request, which has to know when the response ends. `None` for a request that is not counted.
    pub visit: Option<&'a Visit<'a>>,
    /// Clients connected to the server, kept up to date by it.
    pub open_clients: &'a AtomicUsize,
    /// Another port of the server, for test cases.
    pub other_port: Option<u16>,
    /// Whether an earlier request came on the same connection.
    pub reuses_connection: bool,
    /// The scripts of the server, for what a script can know about the others. `None` without a server.
    pub scripts: Option<&'a dyn OtherScripts>,
    /// The random numbers of this request.
    pub random: &'a Random,
}

impl<'a> RequestContext<'a> {
    /// The same request when it has been counted.
    pub fn counted(self, visit: &'a Visit<'a>, random: &'a Random) -> RequestContext<'a> {
        RequestContext {
            request_number: visit.number,
            after: visit.after,
            visit: Some(visit),
            random,
            ..self
        }
    }

    /// `Last-Event-ID`, or `lastEventId` in the query, where clients put it that cannot send the header. An empty one is
    /// the same as none.
    pub fn last_event_id(&self) -> Option<Cow<'a, [u8]>> {
        let header = self.request.field("last-event-id").map(Cow::Borrowed).filter(|id| !id.is_empty());
        header.or_else(|| self.query_value(b"lastEventId")).filter(|id| !id.is_empty())
    }

    /// The decoded value of the first parameter of this name in the query.
    pub fn query_value(&self, name: &[u8]) -> Option<Cow<'a, [u8]>> {
        query_value(self.request.query()?, name)
    }

    /// The value of a cookie (RFC 6265, section 4.2.1).
    pub fn cookie(&self, name: &str) -> Option<&'a [u8]> {
        let cookies = self.request.field("cookie")?.split(|&byte| byte == b';');
        let mut pairs = cookies.map(|pair| split_at_first(pair.strip_prefix(b" ").unwrap_or(pair), b'='));
        pairs.find(|(key, _)| *key == name.as_bytes()).map(|(_, value)| value)
    }

    /// All field lines as a JSON object.
    pub fn headers(&self) -> String {
        let lines = self.request.field_lines();
        json::object_of_lists(lines.map(|line| (line.name, String::from_utf8_lossy(line.value))))
    }

    /// The text of the value at this path in a JSON body. `None` if there is none, if it is `null`, or if the body is not
    /// valid JSON.
    pub fn json_text(&self, path: &str) -> Option<&'a str> {
        let body = std::str::from_utf8(self.body).ok()?;
        value_at(body, path).filter(|value| *value != "null")
    }

    /// The same, without the quotes and escapes of a string.
    pub fn json_value(&self, path: &str) -> Option<Cow<'a, [u8]>> {
        let text = self.json_text(path)?;
        match as_string(text) {
            Some(string) => Some(Cow::Owned(string.into_bytes())),
            None => Some(Cow::Borrowed(text.as_bytes())),
        }
    }

    /// Clients connected to the server at this moment.
    pub fn open(&self) -> u64 {
        self.open_clients.load(Ordering::Relaxed) as u64
    }
}

/// Everything a placeholder can stand for: a request, and what changes while a script plays.
#[derive(Clone, Copy, Debug)]
pub struct RenderContext<'a> {
    /// The request that is answered.
    pub request: RequestContext<'a>,
    /// Milliseconds since `@clock`, or since the head was sent.
    pub elapsed: u64,
    /// Milliseconds since 1970.
    pub time: u64,
    /// The turn of the innermost loop, from 1; 0 outside of loops.
    pub turn: u64,
}

impl<'a> RenderContext<'a> {
    /// The time that `time` stands for.
    pub fn system_time(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.time)
    }

    /// The context in which a response head is made.
    pub fn of_head(request: RequestContext<'a>) -> RenderContext<'a> {
        RenderContext { request, elapsed: 0, time: unix_milliseconds(SystemTime::now()), turn: 0 }
    }
}

/// Milliseconds since 1970; 0 before.
pub fn unix_milliseconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::http::request::HeadReader;
    use std::net::Ipv4Addr;

    /// A request from 127.0.0.1, and a server with one client.
    pub struct TestRequest {
        pub head: Request,
        pub body: &'static str,
        pub open_clients: AtomicUsize,
        pub random: Random,
    }

    impl TestRequest {
        /// `GET` with field lines, each of them ended by CR LF.
        pub fn get(target: &str, fields: &str) -> TestRequest {
            TestRequest::new("GET", target, fields)
        }

        pub fn new(method: &str, target: &str, fields: &str) -> TestRequest {
            let head = format!("{method} {target} HTTP/1.1\r\nHost: test\r\n{fields}\r\n");
            let mut reader = HeadReader::default();
            reader.push(head.as_bytes()).unwrap();
            TestRequest {
                head: reader.finish().unwrap(),
                body: "",
                open_clients: AtomicUsize::new(1),
                random: Random::new(1, 1),
            }
        }

        /// The context of this request, the first one.
        pub fn context(&self) -> RequestContext<'_> {
            RequestContext {
                request: &self.head,
                body: self.body.as_bytes(),
                ip: Ipv4Addr::LOCALHOST.into(),
                request_number: 1,
                after: None,
                visit: None,
                open_clients: &self.open_clients,
                other_port: None,
                reuses_connection: false,
                scripts: None,
                random: &self.random,
            }
        }
    }

    #[test]
    fn query_values_are_decoded_and_the_first_one_counts() {
        let request = TestRequest::get("/a?x=1&%79=a%20b%2&x=2&flag", "");
        let value = |name: &str| request.context().query_value(name.as_bytes());
        assert_eq!(value("x").unwrap().as_ref(), b"1");
        assert_eq!(value("y").unwrap().as_ref(), b"a b%2");
        assert_eq!(value("flag").unwrap().as_ref(), b"");
        assert_eq!(value("z"), None);
        assert_eq!(TestRequest::get("/a", "").context().query_value(b"x"), None);
    }

    #[test]
    fn cookies_are_found_by_name() {
        let request = TestRequest::get("/", "Cookie: a=1; b=2=3;c=4\r\n");
        let cookie = |name| request.context().cookie(name);
        assert_eq!(cookie("a"), Some(&b"1"[..]));
        assert_eq!(cookie("b"), Some(&b"2=3"[..]));
        assert_eq!(cookie("c"), Some(&b"4"[..]));
        assert_eq!(cookie("d"), None);
    }

    #[test]
    fn the_last_event_id_comes_from_the_header_or_the_query() {
        let id = |target, fields| {
            let request = TestRequest::get(target, fields);
            let id = request.context().last_event_id();
            id.map(|id| id.into_owned())
        };
        assert_eq!(id("/?lastEventId=1", "last-event-id: 2\r\n").unwrap(), b"2");
        assert_eq!(id("/?lastEventId=%31", "").unwrap(), b"1");
        assert_eq!(id("/", "last-event-id:\r\n"), None);
    }
}
