//! What all parts of a script have in common while it is parsed, and the finished script.

use super::error::{Located, ParseErrors};
use super::warnings;
use crate::script::case::{Case, Start};
use crate::script::needs::Needs;
use crate::script::route::Route;
use crate::script::{Part, Script, Source};
use crate::text::escape::escape;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// What all parts of a script have in common.
pub struct ScriptState {
    pub route: Route,
    /// The lines of directions that a script has once, by their names.
    pub single: HashMap<String, usize>,
    name: String,
    pub source: Arc<Source>,
    /// Whether a line begins with `@resume`, so that a part can have it.
    pub can_resume: bool,
    pub about: Option<String>,
    pub case: Option<Located<Case>>,
    pub start: Option<Located<Start>>,
    pub event_types: BTreeSet<String>,
    pub needs: Needs,
    errors: ParseErrors,
    pub warnings: BTreeSet<Located<String>>,
    /// The line of the first `@resume` of an event stream.
    pub resume_line: Option<usize>,
    /// Whether an event has an id, in a part with `@resume`.
    pub has_ids: bool,
}

impl ScriptState {
    pub fn new(file: &str, path: &str, source: Arc<Source>) -> ScriptState {
        let mut lines = source.text.split(|&byte| byte == b'\n');
        ScriptState {
            route: Route::get(path),
            single: HashMap::new(),
            name: path.to_owned(),
            can_resume: lines.any(|line| line.starts_with(b"@resume")),
            source,
            about: None,
            case: None,
            start: None,
            event_types: BTreeSet::new(),
            needs: Needs::default(),
            errors: ParseErrors { file: file.to_owned(), errors: BTreeSet::new() },
            warnings: BTreeSet::new(),
            resume_line: None,
            has_ids: false,
        }
    }

    pub fn error(&mut self, line: usize, message: String) {
        self.errors.errors.insert(Located { line, value: message });
    }

    /// Makes the script, if there was no error.
    pub fn finish(mut self, parts: Vec<Located<Part>>) -> Result<Script, ParseErrors> {
        self.check_case(&parts);
        self.check_is_case(&parts);
        self.check_methods(&parts);
        self.warn_about_missing_ids();
        if !self.errors.errors.is_empty() {
            return Err(self.errors);
        }
        Ok(Script {
            warnings: warnings::in_lines(&self.errors.file, &self.warnings),
            file: self.errors.file,
            name: self.name,
            about: self.about.unwrap_or_default(),
            route: self.route,
            parts: parts.into_iter().map(|part| part.value).collect(),
            needs: self.needs,
            event_types: self.event_types,
            case: self.case.map(|case| case.value),
            start: self.start.map(|start| start.value).unwrap_or_default(),
            source: self.source,
        })
    }

    fn check_case(&mut self, parts: &[Located<Part>]) {
        let has_expectations = parts.iter().any(|part| !part.value.expectations.is_empty());
        if let (Some(case), false) = (&self.case, has_expectations) {
            let message = "@case: nothing decides the case (add an `@expect`)".to_owned();
            self.error(case.line, message);
        }
    }

    /// Only a test case can leave a client without a verdict, only its clients are told where to begin, and only they
    /// report events and states.
    fn check_is_case(&mut self, parts: &[Located<Part>]) {
        if self.case.is_some() {
            return;
        }
        if let Some(start) = &self.start {
            self.error(start.line, "@start: only a test case has a start (add `@case`)".to_owned());
        }
        for skip in parts.iter().filter_map(|part| part.value.skip.as_ref()) {
            self.error(skip.line, "@skip: only a test case can be skipped (add `@case`)".to_owned());
        }
        let expectations = parts.iter().flat_map(|part| &part.value.expectations);
        for expectation in expectations.filter(|expectation| expectation.report().is_some()) {
            let message =
                "@expect: `events`, `reported` and `disconnect` can only be checked in a test case (add `@case`)";
            self.error(expectation.line(), message.to_owned());
        }
    }

    fn warn_about_missing_ids(&mut self) {
        if let (Some(line), false) = (self.resume_line, self.has_ids) {
            let message = "no event has an id, so `@resume` always starts from the beginning (write `id: ID` in each event)";
            self.warnings.insert(Located { line, value: message.to_owned() });
        }
    }

    /// Checks that each part can be played: the script answers the method that the part is for.
    fn check_methods(&mut self, parts: &[Located<Part>]) {
        for part in parts {
            let method = part.value.conditions.method().map(String::from_utf8_lossy);
            if let Some(method) = method.filter(|method| !self.route.answers(method)) {
                let message = format!(
                    "@part: unreachable: the script answers {}, not `{}` (change the method here or in `@on`)",
                    self.route.methods.join(","),
                    escape(&*method)
                );
                self.error(part.line, message);
            }
        }
    }
}

/// Remembers the line of a direction, unless it was there before.
pub fn check_is_new(lines: &mut HashMap<String, usize>, name: &str, line: usize) -> Result<(), String> {
    match lines.insert(name.to_owned(), line) {
        Some(first) => Err(format!("duplicate direction (first on line {first})")),
        None => Ok(()),
    }
}
