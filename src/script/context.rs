//! What a script can know when it plays, and so send or decide by: of the request, of the server, of the moment.

use crate::http::uri::{percent_decode, split_at};
use std::borrow::Cow;
use std::time::{SystemTime, UNIX_EPOCH};

/// A request, as far as scripts ask for it.
pub trait Asked {
    /// The method, such as `GET`.
    fn method(&self) -> &[u8];
    /// The request target as it was sent.
    fn target(&self) -> &[u8];
    /// The path as it was sent.
    fn path(&self) -> &[u8];
    /// The query as it was sent, without its `?`.
    fn query(&self) -> Option<&[u8]>;
    /// The value of the first field line of this name.
    fn header(&self, name: &str) -> Option<&[u8]>;
    /// The body; empty unless some script asks for it.
    fn body(&self) -> &[u8];
    /// The client's address, without its port.
    fn ip(&self) -> String;
    /// Clients connected to the server at this moment.
    fn open(&self) -> u64;
}

/// What stays the same while a script plays.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// The request that is answered.
    pub asked: &'a dyn Asked,
    /// The how-manieth request this is, from 1, as `@count` counts.
    pub connection: u64,
}

/// What changes while a script plays.
#[derive(Clone, Copy, Debug, Default)]
pub struct Moment {
    /// Milliseconds since `@clock`, or since the head left.
    pub elapsed: u64,
    /// Milliseconds since 1970.
    pub time: u64,
    /// The turn of the innermost loop, from 1; 0 outside of loops.
    pub turn: u64,
    /// Clients connected to the server.
    pub open: u64,
}

impl Moment {
    /// The moment at which a head is made.
    pub fn of_head(asked: &dyn Asked) -> Moment {
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Moment { time: time.as_millis() as u64, open: asked.open(), ..Moment::default() }
    }
}

/// `Last-Event-ID`, or `lastEventId` in the query, where clients put it that cannot send the header. An empty one is none.
pub fn last_event_id(asked: &dyn Asked) -> Option<Cow<'_, [u8]>> {
    let header = asked.header("last-event-id").map(Cow::Borrowed);
    header.or_else(|| query_value(asked, b"lastEventId")).filter(|id| !id.is_empty())
}

/// The percent-decoded value of the first parameter of this name in the query; names are compared decoded.
pub fn query_value<'a>(asked: &'a dyn Asked, name: &[u8]) -> Option<Cow<'a, [u8]>> {
    let parameters = asked.query()?.split(|&byte| byte == b'&');
    parameters.map(|parameter| split_at(parameter, b'=')).find_map(|(key, value)| {
        let is_it = percent_decode(key).as_ref() == name;
        is_it.then(|| percent_decode(value))
    })
}

/// The value of a cookie (RFC 6265, section 4.2.1).
pub fn cookie<'a>(asked: &'a dyn Asked, name: &str) -> Option<&'a [u8]> {
    let cookies = asked.header("cookie")?.split(|&byte| byte == b';');
    let mut pairs = cookies.map(|pair| split_at(pair.strip_prefix(b" ").unwrap_or(pair), b'='));
    pairs.find(|(key, _)| *key == name.as_bytes()).map(|(_, value)| value)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::cell::Cell;

    /// A request made of a target and field lines.
    #[derive(Default)]
    pub struct Fake {
        pub method: &'static str,
        pub target: &'static str,
        pub headers: Vec<(&'static str, &'static str)>,
        pub body: &'static str,
        /// One more client at every look.
        pub open: Cell<u64>,
    }

    impl Asked for Fake {
        fn method(&self) -> &[u8] {
            self.method.as_bytes()
        }
        fn target(&self) -> &[u8] {
            self.target.as_bytes()
        }
        fn path(&self) -> &[u8] {
            self.target.split('?').next().unwrap().as_bytes()
        }
        fn query(&self) -> Option<&[u8]> {
            self.target.split_once('?').map(|(_, query)| query.as_bytes())
        }
        fn header(&self, name: &str) -> Option<&[u8]> {
            let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.as_bytes())
        }
        fn body(&self) -> &[u8] {
            self.body.as_bytes()
        }
        fn ip(&self) -> String {
            "127.0.0.1".to_owned()
        }
        fn open(&self) -> u64 {
            self.open.set(self.open.get() + 1);
            self.open.get()
        }
    }

    fn get(target: &'static str) -> Fake {
        Fake { target, ..Fake::default() }
    }

    #[test]
    fn query_values_are_decoded_and_the_first_one_counts() {
        let asked = get("/a?x=1&%79=a%20b%2&x=2&flag");
        let value = |name: &str| query_value(&asked, name.as_bytes()).map(|value| value.into_owned());
        assert_eq!(value("x").unwrap(), b"1");
        assert_eq!(value("y").unwrap(), b"a b%2");
        assert_eq!(value("flag").unwrap(), b"");
        assert_eq!(value("z"), None);
        assert_eq!(query_value(&get("/a"), b"x"), None);
    }

    #[test]
    fn cookies_are_found_by_name() {
        let asked = Fake { headers: vec![("Cookie", "a=1; b=2=3;c=4")], ..Fake::default() };
        assert_eq!(cookie(&asked, "a"), Some(&b"1"[..]));
        assert_eq!(cookie(&asked, "b"), Some(&b"2=3"[..]));
        assert_eq!(cookie(&asked, "c"), Some(&b"4"[..]));
        assert_eq!(cookie(&asked, "d"), None);
    }

    #[test]
    fn the_last_event_id_comes_from_the_header_or_the_query() {
        let with = |target, headers| Fake { target, headers, ..Fake::default() };
        let id = |asked: Fake| last_event_id(&asked).map(|id| id.into_owned());
        assert_eq!(id(with("/?lastEventId=1", vec![("last-event-id", "2")])).unwrap(), b"2");
        assert_eq!(id(with("/?lastEventId=%31", vec![])).unwrap(), b"1");
        assert_eq!(id(with("/", vec![("last-event-id", "")])), None);
    }
}
