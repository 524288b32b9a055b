//! Decides which script answers a request: holds all of a server's, those that are compiled in and those of the user.

use super::parse::ParseErrors;
use super::Script;
use crate::http::uri::percent_decode;

/// Name and text of every script in the binary; the demo first, the others in the order in which to learn from them.
const BUILT_IN: &[(&str, &[u8])] = &[
    ("events", include_bytes!("../scripts/events.sse")),
    ("fields", include_bytes!("../scripts/fields.sse")),
    ("line-ends", include_bytes!("../scripts/line-ends.sse")),
    ("unicode", include_bytes!("../scripts/unicode.sse")),
    ("nul-in-id", include_bytes!("../scripts/nul-in-id.sse")),
    ("clock", include_bytes!("../scripts/clock.sse")),
    ("reconnect", include_bytes!("../scripts/reconnect.sse")),
    ("stop", include_bytes!("../scripts/stop.sse")),
    ("busy", include_bytes!("../scripts/busy.sse")),
    ("redirect", include_bytes!("../scripts/redirect.sse")),
    ("wrong-type", include_bytes!("../scripts/wrong-type.sse")),
    ("slow", include_bytes!("../scripts/slow.sse")),
    ("hang", include_bytes!("../scripts/hang.sse")),
    ("drop", include_bytes!("../scripts/drop.sse")),
    ("reset", include_bytes!("../scripts/reset.sse")),
    ("broken-chunk", include_bytes!("../scripts/broken-chunk.sse")),
    ("big", include_bytes!("../scripts/big.sse")),
    ("chat-completions", include_bytes!("../scripts/chat-completions.sse")),
    ("messages", include_bytes!("../scripts/messages.sse")),
];

/// The scripts a server answers with.
#[derive(Debug, Default)]
pub struct Catalogue {
    built_in: Vec<Script>,
    added: Vec<Script>,
}

/// What there is at a path.
#[derive(Debug)]
pub enum Found<'a> {
    /// A script that answers the method.
    Script(&'a Script),
    /// Scripts that answer these other methods.
    Methods(Vec<&'a str>),
    /// Nothing.
    Nothing,
}

impl Catalogue {
    /// The scripts in the binary.
    ///
    /// # Errors
    /// None in a released binary: a test loads every script that is compiled in.
    pub fn built_in() -> Result<Catalogue, ParseErrors> {
        let mut catalogue = Catalogue::default();
        for (name, text) in BUILT_IN {
            catalogue.built_in.push(Script::compile(&format!("{name}.sse"), &format!("/{name}"), text)?);
        }
        Ok(catalogue)
    }

    /// Adds a script. One that is compiled in gives way to it.
    ///
    /// # Errors
    /// A message that names both scripts, if another was added that answers the same request.
    pub fn add(&mut self, script: Script) -> Result<(), String> {
        let clash = |other: &Script| {
            script.route.in_common(&other.route).map(|request| (other.file.clone(), request))
        };
        if let Some((other, request)) = self.added.iter().find_map(clash) {
            return Err(format!(
                "{}: {other} answers {request} already (change @on or the file's name)",
                script.file
            ));
        }
        self.built_in.retain(|other| script.route.in_common(&other.route).is_none());
        self.added.push(script);
        Ok(())
    }

    /// What answers a request. One that is meant for this very query comes before one for any.
    pub fn find(&self, method: &str, path: &[u8], query: Option<&[u8]>) -> Found<'_> {
        let path = percent_decode(path);
        let mut found: Option<&Script> = None;
        let mut methods = Vec::new();
        for script in self.scripts() {
            if !script.route.is_at(&path, query) {
                continue;
            }
            if !script.route.answers(method) {
                methods.extend(script.route.methods.iter().map(String::as_str));
            } else if found.map_or(true, |found| found.route.query.is_none() && script.route.query.is_some())
            {
                found = Some(script);
            }
        }
        match found {
            Some(script) => Found::Script(script),
            None if methods.is_empty() => Found::Nothing,
            None => Found::Methods(methods),
        }
    }

    /// All scripts, those in the binary first.
    pub fn scripts(&self) -> impl Iterator<Item = &Script> {
        self.built_in.iter().chain(&self.added)
    }

    /// What they answer, each on a line, as the README writes it.
    pub fn routes(&self) -> String {
        let mut routes = String::new();
        for script in self.scripts() {
            routes += &format!("{}\n", script.route);
        }
        routes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(file: &str, text: &str) -> Script {
        Script::compile(file, "/chat", text.as_bytes()).unwrap()
    }

    fn file_at<'a>(catalogue: &'a Catalogue, method: &str, path: &str, query: Option<&str>) -> &'a str {
        match catalogue.find(method, path.as_bytes(), query.map(str::as_bytes)) {
            Found::Script(script) => &script.file,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_script_in_the_binary_has_no_mistake_and_says_what_it_shows() {
        let catalogue = Catalogue::built_in().unwrap();
        assert_eq!(catalogue.scripts().next().unwrap().route.to_string(), "/events");
        for script in catalogue.scripts() {
            assert!(!script.about.is_empty(), "{}", script.file);
        }
    }

    #[test]
    fn a_script_in_the_binary_gives_way() {
        let mut catalogue = Catalogue::built_in().unwrap();
        let before = catalogue.scripts().count();
        catalogue.add(script("my.sse", "@on GET /events\n")).unwrap();
        assert_eq!(catalogue.scripts().count(), before);
        assert_eq!(file_at(&catalogue, "GET", "/events", None), "my.sse");
    }

    #[test]
    fn two_scripts_for_the_same_request_are_a_mistake_that_names_both() {
        let mut catalogue = Catalogue::default();
        catalogue.add(script("a/chat.sse", "")).unwrap();
        assert_eq!(
            catalogue.add(script("b/chat.sse", "@on PUT,GET /ch%61t\n")).unwrap_err(),
            "b/chat.sse: a/chat.sse answers GET /chat already (change @on or the file's name)"
        );
        catalogue.add(script("post.sse", "@on POST /chat\n")).unwrap();
        catalogue.add(script("query.sse", "@on GET /chat?x=1\n")).unwrap();
        assert_eq!(file_at(&catalogue, "GET", "/chat", Some("x=1")), "query.sse");
        assert_eq!(file_at(&catalogue, "HEAD", "/chat", Some("x=2")), "a/chat.sse");
        assert_eq!(file_at(&catalogue, "POST", "/%63hat", None), "post.sse");
        match catalogue.find("PUT", b"/chat", None) {
            Found::Methods(methods) => assert_eq!(methods, ["GET", "POST"]),
            other => panic!("{other:?}"),
        }
        assert!(matches!(catalogue.find("GET", b"/none", None), Found::Nothing));
    }
}
