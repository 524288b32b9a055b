//! Finds the script that answers a request, among those that are built in and those that were added.

use super::context::OtherScripts;
use super::parse::ParseErrors;
use super::Script;
use crate::text::escape::escape;
use crate::text::suggest;
use std::sync::Arc;

/// Name and text of every built-in script: the demo, then the others in the order in which to learn from them.
const BUILT_IN: &[(&str, &[u8])] = &[
    ("events", include_bytes!("../scripts/events.sse")),
    ("fields", include_bytes!("../scripts/fields.sse")),
    ("line-ends", include_bytes!("../scripts/line-ends.sse")),
    ("unicode", include_bytes!("../scripts/unicode.sse")),
    ("nul-in-id", include_bytes!("../scripts/nul-in-id.sse")),
    ("clock", include_bytes!("../scripts/clock.sse")),
    ("test", include_bytes!("../scripts/test.sse")),
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
    ("responses", include_bytes!("../scripts/responses.sse")),
    ("messages", include_bytes!("../scripts/messages.sse")),
    ("gemini", include_bytes!("../scripts/gemini.sse")),
    ("ollama", include_bytes!("../scripts/ollama.sse")),
    ("mcp", include_bytes!("../scripts/mcp.sse")),
];

/// The scripts of a server.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// All of them, also those that were replaced.
    built_in: Vec<Arc<Script>>,
    added: Vec<Arc<Script>>,
    /// Those whose files are loaded again when they change.
    watched: Vec<Arc<Script>>,
    /// Replacements that a test has set for the scripts with these names: another script, or none.
    replacements: Vec<(String, Option<Arc<Script>>)>,
    /// Those that requests can find: the built-in ones that were not replaced, then the others.
    scripts: Vec<Arc<Script>>,
}

/// The scripts at a path.
#[derive(Debug)]
pub enum Found<'a> {
    /// One that answers the method.
    Script(&'a Script),
    /// Only scripts that answer these other methods.
    Methods(Vec<&'a str>),
    /// None.
    Nothing,
}

impl Catalogue {
    /// The built-in scripts.
    ///
    /// # Errors
    /// None in a released binary: a test compiles every built-in script.
    pub fn built_in() -> Result<Catalogue, ParseErrors> {
        let mut catalogue = Catalogue::default();
        for (name, text) in BUILT_IN {
            let script = Script::compile(&format!("{name}.sse"), &format!("/{name}"), *text)?;
            catalogue.built_in.push(Arc::new(script));
        }
        catalogue.update();
        Ok(catalogue)
    }

    /// Adds a script. It replaces the built-in scripts that answer one of its requests.
    pub fn add(&mut self, script: Script) {
        self.added.push(Arc::new(script));
        self.update();
    }

    /// Sets the scripts whose files are loaded again when they change. They replace the built-in scripts that answer one of
    /// their requests, and those that were added from the same files.
    pub fn set_watched(&mut self, scripts: Vec<Arc<Script>>) {
        self.added.retain(|script| scripts.iter().all(|watched| watched.file != script.file));
        self.watched = scripts;
        self.update();
    }

    /// Replaces the script with the same name, or adds the script, until [`reset`](Catalogue::reset).
    pub fn set(&mut self, script: Script) {
        self.replace(script.name.clone(), Some(Arc::new(script)));
    }

    /// Removes the script with this name, until [`reset`](Catalogue::reset). `false` if there is none.
    pub fn remove(&mut self, name: &str) -> bool {
        let exists = self.scripts().any(|script| script.name == name);
        if exists {
            self.replace(name.to_owned(), None);
        }
        exists
    }

    fn replace(&mut self, name: String, replacement: Option<Arc<Script>>) {
        self.replacements.retain(|(other, _)| *other != name);
        self.replacements.push((name, replacement));
        self.update();
    }

    /// Brings back the scripts as they were, and lets them count requests from 1 again.
    pub fn reset(&mut self) {
        self.replacements.clear();
        self.update();
        let all = self.built_in.iter().chain(&self.added).chain(&self.watched);
        all.for_each(|script| script.route.restart_count());
    }

    fn is_replaced(&self, script: &Script) -> bool {
        self.replacements.iter().any(|(name, _)| *name == script.name)
    }

    /// The scripts that are not built in.
    pub fn own(&self) -> impl Iterator<Item = &Arc<Script>> {
        let at_start = self.added.iter().chain(&self.watched).filter(|script| !self.is_replaced(script));
        at_start.chain(self.replacements.iter().filter_map(|(_, script)| script.as_ref()))
    }

    fn update(&mut self) {
        let answers_too = |script: &Script| self.own().any(|own| own.route.replaces(&script.route));
        let built_in =
            self.built_in.iter().filter(|script| !answers_too(script) && !self.is_replaced(script));
        self.scripts = built_in.chain(self.own()).cloned().collect();
    }

    /// Checks that no two of the scripts that are not built in answer the same request.
    ///
    /// # Errors
    /// A line for each two that do, with the names of both.
    pub fn check(&self) -> Result<(), String> {
        let mut duplicates = Vec::new();
        for (count, script) in self.own().enumerate() {
            for earlier in self.own().take(count) {
                if let Some(request) = script.route.common_request(&earlier.route) {
                    let (file, other) = (&script.file, &earlier.file);
                    duplicates.push(if file == other {
                        format!("{file}: two scripts answer {request} (change `@on` or `@script`)")
                    } else {
                        format!("{file} and {other} both answer {request} (change `@on` or the file name)")
                    });
                }
            }
        }
        if duplicates.is_empty() {
            return Ok(());
        }
        Err(duplicates.join("\n"))
    }

    /// The warnings about all scripts that are not built in, as [`warnings_about`](Catalogue::warnings_about) gives them.
    pub fn warnings(&self) -> Vec<String> {
        self.own().flat_map(|script| self.warnings_about(script)).collect()
    }

    /// Warnings that a script reads the count of another one that does not exist, as lines `FILE:LINE: warning: message`.
    pub fn warnings_about(&self, script: &Script) -> Vec<String> {
        let names: Vec<&str> = self.scripts().filter_map(|script| script.name.strip_prefix('/')).collect();
        let unknown = script.needs.counts.iter().filter(|(name, _)| !names.contains(&name.as_str()));
        let warning = |(name, line): (&String, &usize)| {
            let hint = match suggest::nearest(name, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "expected the name of a file without `.sse`, or of a `@script`".to_owned(),
            };
            format!("{}:{line}: warning: no script is called `{}` ({hint})", script.file, escape(name))
        };
        unknown.map(warning).collect()
    }

    /// The script that answers a request. One for exactly this query comes before one for any query, and then one whose
    /// path has fewer `*`.
    pub fn find(&self, method: &str, path: &[u8], query: Option<&[u8]>) -> Found<'_> {
        let at_path = || self.scripts().filter(|script| script.route.matches(path, query));
        let answering = at_path().filter(|script| script.route.answers(method));
        if let Some(script) =
            answering.min_by_key(|script| (script.route.query.is_none(), script.route.path.stars()))
        {
            return Found::Script(script);
        }
        let methods: Vec<&str> =
            at_path().flat_map(|script| &script.route.methods).map(String::as_str).collect();
        if methods.is_empty() {
            return Found::Nothing;
        }
        Found::Methods(methods)
    }

    /// All scripts, the built-in ones first.
    pub fn scripts(&self) -> impl Iterator<Item = &Script> {
        self.scripts.iter().map(Arc::as_ref)
    }

    /// The routes of all scripts, one a line.
    pub fn routes(&self) -> String {
        self.scripts().map(|script| format!("{}\n", script.route)).collect()
    }

    /// The routes with this path and any query, one a line.
    pub fn routes_at(&self, path: &[u8]) -> String {
        let scripts = self.scripts().filter(|script| script.route.path.matches(path));
        scripts.map(|script| format!("{}\n", script.route)).collect()
    }
}

impl OtherScripts for Catalogue {
    fn requests_to(&self, name: &str) -> Option<u64> {
        let is_named = |script: &&Script| script.name.strip_prefix('/') == Some(name);
        self.scripts().find(is_named).map(|script| script.route.counted())
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
    fn every_built_in_script_compiles_and_has_a_description() {
        let catalogue = Catalogue::built_in().unwrap();
        assert_eq!(catalogue.scripts().next().unwrap().route.to_string(), "/events");
        for script in catalogue.scripts() {
            assert!(!script.about.is_empty(), "{}", script.file);
        }
    }

    #[test]
    fn an_added_script_replaces_a_built_in_one() {
        let mut catalogue = Catalogue::built_in().unwrap();
        let before = catalogue.scripts().count();
        catalogue.add(script("my.sse", "@on GET /events\n"));
        assert_eq!(catalogue.scripts().count(), before);
        assert_eq!(file_at(&catalogue, "GET", "/events", None), "my.sse");
    }

    #[test]
    fn two_scripts_for_the_same_request_are_an_error_that_names_both() {
        let mut catalogue = Catalogue::default();
        catalogue.add(script("a/chat.sse", ""));
        assert_eq!(catalogue.check(), Ok(()));
        catalogue.add(script("b/chat.sse", "@on PUT,GET /ch%61t\n"));
        assert_eq!(
            catalogue.check().unwrap_err(),
            "b/chat.sse and a/chat.sse both answer GET /chat (change `@on` or the file name)"
        );
    }

    #[test]
    fn the_method_and_the_query_decide_between_scripts_at_one_path() {
        let mut catalogue = Catalogue::default();
        catalogue.add(script("a/chat.sse", ""));
        catalogue.add(script("post.sse", "@on POST /chat\n"));
        catalogue.add(script("query.sse", "@on GET /chat?x=1\n"));
        assert_eq!(catalogue.check(), Ok(()));
        assert_eq!(file_at(&catalogue, "GET", "/chat", Some("x=1")), "query.sse");
        assert_eq!(file_at(&catalogue, "HEAD", "/chat", Some("x=2")), "a/chat.sse");
        assert_eq!(file_at(&catalogue, "POST", "/%63hat", None), "post.sse");
        match catalogue.find("PUT", b"/chat", None) {
            Found::Methods(methods) => assert_eq!(methods, ["GET", "POST"]),
            other => panic!("{other:?}"),
        }
        assert!(matches!(catalogue.find("GET", b"/none", None), Found::Nothing));
    }

    #[test]
    fn a_count_of_a_script_that_does_not_exist_is_warned_about() {
        let mut catalogue = Catalogue::built_in().unwrap();
        let warnings = |catalogue: &mut Catalogue, text: &str| {
            catalogue.set(script("chat.sse", text));
            catalogue.warnings()
        };
        let way_out = "expected the name of a file without `.sse`, or of a `@script`";
        for (text, line, name, hint) in [
            ("data: {{count:chat}} {{count:evnts}}\n\n", 1, "evnts", "did you mean `events`?"),
            ("data: x\n\n@sleep {{count:login|1s}}\n", 3, "login", way_out),
            ("@header X: {{query:x||count:nobody}}\n", 1, "nobody", way_out),
            ("@repeat {{count:nobody|1}}\ndata\n\n@again\n", 1, "nobody", way_out),
            ("@part count events=1\n@part no count nobody=1\n", 2, "nobody", way_out),
            ("@count when count nobody=1\ndata: x\n\n", 1, "nobody", way_out),
            ("@# needs count nobody\ndata: account nobody\n\n@part count nobody=1\n", 4, "nobody", way_out),
            ("@part count nobody=1\n{{count:nobody}}\n\n@part otherwise\n", 1, "nobody", way_out),
            (
                "@literal on\n{{count:nobody}}\n\n@literal off\ndata: x\ndata: {{count:nobody}}\n\n",
                6,
                "nobody",
                way_out,
            ),
            ("@part connection 1\n@expect count nobody={{query:n}}\n@part otherwise\n", 2, "nobody", way_out),
        ] {
            let expected = format!("chat.sse:{line}: warning: no script is called `{name}` ({hint})");
            assert_eq!(warnings(&mut catalogue, text), [expected], "{text}");
        }
        // A name that depends on the request, another script, and text that only looks like a count.
        let fine = "@part count {{query:name}}=1\n@part count test=1\n@part otherwise\n@literal on\n{{count:nobody}}\n";
        assert_eq!(warnings(&mut catalogue, fine), [""; 0]);
        let two = "data: {{count:login-2}} {{count:login}}\n\ndata: {{count:login}}\n\n";
        assert_eq!(warnings(&mut catalogue, two).len(), 2);
    }

    #[test]
    fn a_path_with_fewer_stars_comes_first() {
        let mut catalogue = Catalogue::built_in().unwrap();
        catalogue.add(script("two.sse", "@on GET /*/*\n"));
        catalogue.add(script("one.sse", "@on GET /chat/*\n"));
        catalogue.add(script("none.sse", "@on GET /chat/a\n"));
        catalogue.add(script("top.sse", "@on GET /*\n"));
        assert_eq!(catalogue.check(), Ok(()));
        let files =
            ["/chat/a", "/chat/b", "/x/b", "/events"].map(|path| file_at(&catalogue, "GET", path, None));
        assert_eq!(files, ["none.sse", "one.sse", "two.sse", "top.sse"]);
        catalogue.add(script("other.sse", "@on GET /*/a\n"));
        let message = "other.sse and one.sse both answer GET /*/a (change `@on` or the file name)";
        assert_eq!(catalogue.check().unwrap_err(), message);
    }
}
