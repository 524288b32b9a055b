//! Decides which requests a script answers (`@on`), and which number each of them has (`@count`).

use super::context::RequestContext;
use super::words::wrong;
use crate::http::field::is_token;
use crate::http::uri::{percent_decode, percent_encode};
use crate::text::escape::escape;
use std::borrow::Cow;
use std::collections::hash_map::RandomState;
use std::collections::VecDeque;
use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::sync::{Mutex, PoisonError};

/// Keys counted by one script. A client can make up any number of them; beyond this one, the oldest are forgotten. Looking
/// through so many takes some microseconds.
const MAX_KEYS: usize = 10_000;

/// The requests a script answers.
#[derive(Debug)]
pub struct Route {
    /// In upper case usually; HEAD comes with GET.
    pub methods: Vec<String>,
    /// Percent-decoded, with its leading `/`.
    pub path: Vec<u8>,
    /// The exact query, without its `?`; `None` for any.
    pub query: Option<Vec<u8>>,
    /// What numbers them.
    pub count: CountBy,
    counted: Mutex<Counted>,
    hasher: RandomState,
}

/// Requests so far: how many with each key, the oldest key first. A key can be as long as a head, so its hash stands for it.
#[derive(Debug, Default)]
struct Counted(VecDeque<(u64, u64)>);

impl Counted {
    fn next(&mut self, key: u64) -> u64 {
        if let Some((_, number)) = self.0.iter_mut().find(|(counted, _)| *counted == key) {
            *number += 1;
            return *number;
        }
        if self.0.len() == MAX_KEYS {
            self.0.pop_front();
        }
        self.0.push_back((key, 1));
        1
    }
}

/// What makes two requests follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CountBy {
    /// That they go to the same script.
    Script,
    /// The client's address.
    Ip,
    /// A value in the query.
    Query(Vec<u8>),
    /// A field line.
    Header(String),
    /// A cookie.
    Cookie(String),
}

impl Route {
    /// `GET path`.
    pub fn get(path: &str) -> Route {
        Route {
            methods: vec!["GET".to_owned()],
            path: path.as_bytes().to_vec(),
            query: None,
            count: CountBy::Script,
            counted: Mutex::default(),
            hasher: RandomState::new(),
        }
    }

    /// Does what `@on` says: `METHOD[,METHOD] TARGET`.
    ///
    /// # Errors
    /// A message that names what is wrong.
    pub fn apply_on(&mut self, argument: &[u8]) -> Result<(), String> {
        let words = std::str::from_utf8(argument).ok().and_then(|text| text.split_once(' '));
        let (listed, target) = words.ok_or_else(|| wrong(argument, "is no request"))?;
        let mut methods = Vec::new();
        for method in listed.split(',') {
            if !is_token(method.as_bytes()) {
                return Err(format!("`{}` is no method", escape(method)));
            }
            if method.bytes().any(|byte| byte.is_ascii_lowercase()) {
                return Err(format!("methods are in upper case (write `{}`)", method.to_ascii_uppercase()));
            }
            methods.push(method.to_owned());
        }
        let target = target.trim_start_matches(&[' ', '\t'][..]);
        if !target.starts_with('/') || target.contains(|c: char| c.is_whitespace() || c == '#') {
            return Err(format!("a target begins with `/`, not as `{}`", escape(target)));
        }
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query.as_bytes().to_vec())),
            None => (target, None),
        };
        self.methods = methods;
        self.path = percent_decode(path.as_bytes()).into_owned();
        self.query = query;
        Ok(())
    }

    /// Does what `@count by` says.
    ///
    /// # Errors
    /// A message that names what is wrong.
    pub fn apply_count(&mut self, argument: &[u8]) -> Result<(), String> {
        let text = String::from_utf8_lossy(argument);
        let key =
            text.strip_prefix("by ").map(|key| key.trim_start_matches(&[' ', '\t'][..])).unwrap_or_default();
        self.count = match key.split_once(':') {
            None if key == "ip" => CountBy::Ip,
            Some(("query", key)) if !key.is_empty() => CountBy::Query(key.as_bytes().to_vec()),
            Some(("header", key)) if !key.is_empty() => CountBy::Header(key.to_owned()),
            Some(("cookie", key)) if !key.is_empty() => CountBy::Cookie(key.to_owned()),
            _ => return Err(format!("`{}` is nothing to count by", escape(argument))),
        };
        Ok(())
    }

    /// Whether requests with this path and query are answered, by whichever method.
    pub fn is_at(&self, path: &[u8], query: Option<&[u8]>) -> bool {
        self.path == path && self.query.as_deref().map_or(true, |wanted| Some(wanted) == query)
    }

    /// Whether this method is answered.
    pub fn answers(&self, method: &str) -> bool {
        let listed = |method: &str| self.methods.iter().any(|listed| listed == method);
        listed(method) || (method == "HEAD" && listed("GET"))
    }

    /// A request that both routes answer.
    pub fn in_common(&self, other: &Route) -> Option<String> {
        let both = |method: &&str| self.answers(method) && other.answers(method);
        let listed = self.methods.iter().chain(&other.methods).map(String::as_str);
        let method = listed.chain(["HEAD"]).find(both)?;
        (self.path == other.path && self.query == other.query).then(|| format!("{method} {}", self.target()))
    }

    /// Path and query as they are written in a request.
    pub fn target(&self) -> String {
        let path = percent_encode(&self.path);
        match &self.query {
            Some(query) => format!("{path}?{}", String::from_utf8_lossy(query)),
            None => path,
        }
    }

    /// Counts a request and gives its number, from 1.
    pub fn next_number(&self, context: &RequestContext<'_>) -> u64 {
        let key = match &self.count {
            CountBy::Script => Cow::default(),
            CountBy::Ip => Cow::Owned(context.ip.to_string().into_bytes()),
            CountBy::Query(key) => context.query_value(key).unwrap_or_default(),
            CountBy::Header(key) => Cow::Borrowed(context.request.field(key).unwrap_or_default()),
            CountBy::Cookie(key) => Cow::Borrowed(context.cookie(key).unwrap_or_default()),
        };
        let mut hasher = self.hasher.build_hasher();
        hasher.write(&key);
        self.counted.lock().unwrap_or_else(PoisonError::into_inner).next(hasher.finish())
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.methods.as_slice() {
            [get] if get == "GET" => f.write_str(&self.target()),
            methods => write!(f, "{} {}", methods.join(","), self.target()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::context::tests::TestRequest;

    fn on(argument: &str) -> Route {
        let mut route = Route::get("/default");
        route.apply_on(argument.as_bytes()).unwrap();
        route
    }

    #[test]
    fn on_names_methods_and_a_target() {
        let route = on("POST,PUT /v1/chat%20x");
        assert!(
            route.answers("POST") && route.answers("PUT") && !route.answers("GET") && !route.answers("HEAD")
        );
        assert!(route.is_at(b"/v1/chat x", Some(b"a=b")));
        assert_eq!(route.to_string(), "POST,PUT /v1/chat%20x");
        assert!(on("GET /a?x=1").is_at(b"/a", Some(b"x=1")));
        assert!(!on("GET /a?x=1").is_at(b"/a", None));
        assert!(on("GET /a").answers("HEAD"));
        assert!(on("GET \t/a").is_at(b"/a", None));
        let mut route = Route::get("/a");
        assert_eq!(route.apply_count(b"by \tip"), Ok(()));
    }

    #[test]
    fn what_is_no_request_is_a_mistake() {
        for argument in ["", "GET", "GET a", "G(T /a", "GET,  /a", "GET /a b", "GET /a#b", "GET http://h/a"] {
            assert!(Route::get("/").apply_on(argument.as_bytes()).is_err(), "{argument}");
        }
        for argument in ["", "ip", "by", "by ips", "by query:", "by x:y"] {
            assert!(Route::get("/").apply_count(argument.as_bytes()).is_err(), "{argument}");
        }
    }

    #[test]
    fn two_routes_have_a_request_in_common_or_not() {
        assert_eq!(on("GET,PUT /a").in_common(&on("PUT,POST /%61")).unwrap(), "PUT /a");
        assert_eq!(on("GET /a").in_common(&on("HEAD /a")).unwrap(), "HEAD /a");
        assert_eq!(on("GET /a").in_common(&on("POST /a")), None);
        assert_eq!(on("GET /a").in_common(&on("GET /a?x")), None);
    }

    #[test]
    fn requests_are_counted_by_their_key() {
        let number = |route: &Route, target| route.next_number(&TestRequest::get(target, "").context());
        let mut route = Route::get("/a");
        assert_eq!(["/a", "/a?k=1"].map(|target| number(&route, target)), [1, 2]);
        route.apply_count(b"by query:k").unwrap();
        let numbers = ["/a?k=1", "/a?k=2", "/a?k=1", "/a"].map(|target| number(&route, target));
        assert_eq!(numbers, [1, 1, 2, 3]);
    }

    #[test]
    fn made_up_keys_do_not_fill_the_memory() {
        let mut route = Route::get("/a");
        route.apply_count(b"by header:k").unwrap();
        let number =
            |key: usize| route.next_number(&TestRequest::get("/a", &format!("k: {key}\r\n")).context());
        for key in 0..MAX_KEYS + 10 {
            number(key);
        }
        assert_eq!(route.counted.lock().unwrap().0.len(), MAX_KEYS);
        assert_eq!(number(MAX_KEYS + 9), 2);
    }
}
