//! Decides which requests a script answers (`@on`), and which number each of them has (`@count`).

use super::condition::Conditions;
use super::context::{RenderContext, RequestContext};
use super::path_pattern::PathPattern;
use super::placeholder::Name;
use super::visits::{Counter, Visit};
use super::words::{invalid, invalid_argument, word};
use crate::http::field::is_token;
use crate::http::uri::split_at_first;
use crate::text::escape::escape;
use std::borrow::Cow;
use std::fmt;

/// The requests that a script answers.
#[derive(Debug)]
pub struct Route {
    /// In upper case; `GET` stands for `HEAD` as well.
    pub methods: Vec<String>,
    /// Percent-decoded, with its leading `/`.
    pub path: PathPattern,
    /// The exact query, without its `?`; `None` for any.
    pub query: Option<Vec<u8>>,
    count_by: CountBy,
    /// What a request has to meet to be counted.
    count_when: Conditions,
    counter: Counter,
}

/// What two requests have in common when the second is counted after the first.
#[derive(Debug)]
enum CountBy {
    /// The script.
    Script,
    /// The address of the client.
    Ip,
    /// The value of a placeholder.
    Value(Name),
}

impl Route {
    /// `GET path`.
    pub fn get(path: &str) -> Route {
        Route {
            methods: vec!["GET".to_owned()],
            path: PathPattern::of_path(path),
            query: None,
            count_by: CountBy::Script,
            count_when: Conditions::default(),
            counter: Counter::default(),
        }
    }

    /// Applies the argument of `@on`: `METHOD[,METHOD] TARGET`.
    ///
    /// # Errors
    /// A message that says what is wrong.
    pub fn apply_on(&mut self, argument: &[u8]) -> Result<(), String> {
        let (listed, target) = word(argument);
        if target.is_empty() {
            return Err(invalid_argument(argument));
        }
        let methods = listed.split(|&byte| byte == b',').map(parse_method).collect::<Result<Vec<_>, _>>()?;
        if !target.starts_with(b"/") || target.iter().any(|byte| byte.is_ascii_whitespace() || *byte == b'#')
        {
            return Err(invalid("target", target, "a path such as `/chat`, without spaces or `#`"));
        }
        let (path, query) = split_at_first(target, b'?');
        self.path = PathPattern::parse(path)?;
        self.methods = methods;
        self.query = target.contains(&b'?').then(|| query.to_vec());
        Ok(())
    }

    /// Applies the argument of `@count`: `by WHAT`, `when COND and COND`, or both.
    ///
    /// # Errors
    /// A message that says what is wrong.
    pub fn apply_count(&mut self, argument: &[u8]) -> Result<(), String> {
        let mut rest = argument;
        if let (b"by", by) = word(rest) {
            let (key, after) = word(by);
            self.count_by = CountBy::parse(key).ok_or_else(|| invalid_argument(argument))?;
            rest = after;
        }
        match word(rest) {
            (b"when", conditions) => self.count_when = conditions_of_count(conditions)?,
            _ if rest.is_empty() && !argument.is_empty() => {}
            _ => return Err(invalid_argument(argument)),
        }
        Ok(())
    }

    /// Whether requests with this path and query are answered, if the method is one of those answered.
    pub fn matches(&self, path: &[u8], query: Option<&[u8]>) -> bool {
        self.path.matches(path) && (self.query.is_none() || self.query.as_deref() == query)
    }

    /// Whether requests with this method are answered.
    pub fn answers(&self, method: &str) -> bool {
        let is_listed = |method: &str| self.methods.iter().any(|listed| listed == method);
        is_listed(method) || (method == "HEAD" && is_listed("GET"))
    }

    /// A request that both routes answer, if neither of them is more specific.
    pub fn common_request(&self, other: &Route) -> Option<String> {
        if !self.path.is_ambiguous_with(&other.path) || self.query != other.query {
            return None;
        }
        self.common_method(other).map(|method| format!("{method} {}", self.target()))
    }

    /// Whether the other route, of a built-in script, is no longer needed: this one answers all requests to its path.
    pub fn replaces(&self, other: &Route) -> bool {
        self.path.covers(&other.path) && self.query == other.query && self.common_method(other).is_some()
    }

    fn common_method<'a>(&'a self, other: &'a Route) -> Option<&'a str> {
        let listed = self.methods.iter().chain(&other.methods).map(String::as_str);
        listed.chain(["HEAD"]).find(|method| self.answers(method) && other.answers(method))
    }

    /// Path and query as they are written in a request.
    pub fn target(&self) -> String {
        let path = self.path.to_string();
        match &self.query {
            Some(query) => format!("{path}?{}", String::from_utf8_lossy(query)),
            None => path,
        }
    }

    /// The names of all placeholders by which requests are counted.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        let by = match &self.count_by {
            CountBy::Value(name) => Some(name),
            CountBy::Script | CountBy::Ip => None,
        };
        by.into_iter().chain(self.count_when.names())
    }

    /// Counts a request. Not inlined, because playing the script does not need its stack.
    #[inline(never)]
    pub fn count(&self, context: RequestContext<'_>) -> Visit<'_> {
        let key = match &self.count_by {
            CountBy::Script => Cow::default(),
            CountBy::Ip => Cow::Owned(context.ip.to_string().into_bytes()),
            CountBy::Value(name) => name.value(&RenderContext::of_head(context)).unwrap_or_default(),
        };
        self.counter.count(&key, self.count_when.hold(context))
    }

    /// The number of requests that were counted so far.
    pub fn counted(&self) -> u64 {
        self.counter.total()
    }

    /// Counts from 1 again.
    pub fn restart_count(&self) {
        self.counter.clear();
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

impl CountBy {
    /// Parses `ip`, `path`, `query:K`, `header:K`, `cookie:K` or `json:PATH`.
    fn parse(text: &[u8]) -> Option<CountBy> {
        if text == b"ip" {
            return Some(CountBy::Ip);
        }
        let text = std::str::from_utf8(text).ok()?;
        let name = if text == "path" { Name::parse(text) } else { Name::parse_with_key(text) };
        name.map(CountBy::Value)
    }
}

/// The conditions that a request has to meet to be counted.
fn conditions_of_count(text: &[u8]) -> Result<Conditions, String> {
    let conditions = Conditions::parse(text)?;
    if conditions.depend_on_count() {
        return Err("a request is counted before `connection`, `after`, and what follows it are known (use other conditions)".to_owned());
    }
    Ok(conditions)
}

fn parse_method(method: &[u8]) -> Result<String, String> {
    let name = escape(method);
    let is_any = [&b"any"[..], b"all", b"*"].iter().any(|any| method.eq_ignore_ascii_case(any));
    if is_any || (is_token(method) && method.contains(&b'|')) {
        return Err(format!("`{name}` is not a method (list the methods: `GET,POST`)"));
    }
    if method.is_empty() {
        return Err("missing method (list them without spaces: `GET,POST`)".to_owned());
    }
    if !is_token(method) {
        return Err(format!("invalid method `{name}`"));
    }
    let upper_case = name.to_ascii_uppercase();
    if name != upper_case {
        return Err(format!("invalid method `{name}` (did you mean `{upper_case}`?)"));
    }
    Ok(upper_case)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::context::tests::TestRequest;
    use crate::script::visits::MAX_KEYS;

    fn on(argument: &str) -> Route {
        let mut route = Route::get("/default");
        route.apply_on(argument.as_bytes()).unwrap();
        route
    }

    #[test]
    fn on_sets_methods_and_a_target() {
        let route = on("POST,PUT /v1/chat%20x");
        assert!(
            route.answers("POST") && route.answers("PUT") && !route.answers("GET") && !route.answers("HEAD")
        );
        assert!(route.matches(b"/v1/chat%20x", Some(b"a=b")));
        assert_eq!(route.to_string(), "POST,PUT /v1/chat%20x");
        assert!(on("GET /a?x=1").matches(b"/a", Some(b"x=1")));
        assert!(!on("GET /a?x=1").matches(b"/a", None));
        assert!(on("GET /a").answers("HEAD"));
        assert!(on("GET \t/a").matches(b"/a", None));
        let mut route = Route::get("/a");
        assert_eq!(route.apply_count(b"by \tip"), Ok(()));
    }

    #[test]
    fn invalid_arguments_are_errors() {
        for argument in ["", "GET", "GET a", "G(T /a", "GET,  /a", "GET /a b", "GET /a#b", "GET http://h/a"] {
            assert!(Route::get("/").apply_on(argument.as_bytes()).is_err(), "{argument}");
        }
        for path in ["/users/:id", "/users/{id}", "/<id>", "/[id]", "/a*"] {
            let message = Route::get("/").apply_on(format!("GET {path}").as_bytes()).unwrap_err();
            assert!(message.contains(" looks like a pattern "), "{message}");
        }
        assert!(on("GET /users/*/events").matches(b"/users/7/events", None));
        assert!(on("POST /v1/m:generate?a=*").matches(b"/v1/m:generate", Some(b"a=*")));
        for argument in ["", "ip", "by", "by ips", "by query:", "by x:y"] {
            assert!(Route::get("/").apply_count(argument.as_bytes()).is_err(), "{argument}");
        }
    }

    #[test]
    fn a_request_that_two_routes_answer_is_found() {
        assert_eq!(on("GET,PUT /a").common_request(&on("PUT,POST /%61")).unwrap(), "PUT /a");
        assert_eq!(on("GET /a").common_request(&on("HEAD /a")).unwrap(), "HEAD /a");
        assert_eq!(on("GET /a").common_request(&on("POST /a")), None);
        assert_eq!(on("GET /a").common_request(&on("GET /a?x")), None);
        assert_eq!(on("GET /a/*").common_request(&on("GET /*/b")).unwrap(), "GET /a/*");
        assert_eq!(on("GET /a/*").common_request(&on("GET /a/b")), None);
        assert!(on("GET /a/*").replaces(&on("GET /a/b")) && !on("GET /a/b").replaces(&on("GET /a/*")));
    }

    #[test]
    fn requests_are_counted_by_their_key() {
        let number = |route: &Route, target| route.count(TestRequest::get(target, "").context()).number;
        let mut route = Route::get("/a");
        assert_eq!(["/a", "/a?k=1"].map(|target| number(&route, target)), [1, 2]);
        route.apply_count(b"by query:k").unwrap();
        let numbers = ["/a?k=1", "/a?k=2", "/a?k=1", "/a"].map(|target| number(&route, target));
        assert_eq!(numbers, [1, 1, 2, 3]);
    }

    #[test]
    fn only_requests_that_meet_the_conditions_are_counted() {
        let number = |route: &Route, target| route.count(TestRequest::get(target, "").context()).number;
        let mut route = Route::get("/a");
        route.apply_count(b"by query:k when query x and no query y").unwrap();
        let targets = ["/a?k=1", "/a?k=1&x", "/a?k=1", "/a?k=1&x&y", "/a?k=2&x", "/a?k=1&x"];
        assert_eq!(targets.map(|target| number(&route, target)), [0, 1, 1, 1, 1, 2]);
        assert_eq!(route.counted(), 3);
        for conditions in ["connection 2", "no after 1s..2s", "events", "never", "", "query x or query y"] {
            assert!(
                Route::get("/").apply_count(format!("when {conditions}").as_bytes()).is_err(),
                "{conditions}"
            );
        }
    }

    #[test]
    fn the_oldest_keys_are_forgotten() {
        let mut route = Route::get("/a");
        route.apply_count(b"by header:k").unwrap();
        let number =
            |key: usize| route.count(TestRequest::get("/a", &format!("k: {key}\r\n")).context()).number;
        for key in 0..MAX_KEYS + 10 {
            number(key);
        }
        assert_eq!(route.counter.keys(), MAX_KEYS);
        assert_eq!(number(MAX_KEYS + 9), 2);
    }
}
