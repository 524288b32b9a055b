//! The cases that are built in. Each is a script in `src/cases`, and its ID is the name of the file.

use crate::script::parse::ParseErrors;
use crate::script::{Case, Script};

/// A script that is a test case.
#[derive(Debug)]
pub struct TestCase {
    /// Its name, such as `P06`.
    pub id: String,
    /// What it tests.
    pub case: Case,
    text: Vec<u8>,
}

impl TestCase {
    /// The case in the text of a script.
    ///
    /// # Errors
    /// Those of the script. A script without `@case` is a case of the level `must` that tests which events the client
    /// dispatches.
    pub fn parse(id: &str, text: &[u8]) -> Result<TestCase, ParseErrors> {
        let script = Script::compile(&format!("{id}.sse"), "/", text)?;
        Ok(TestCase { id: id.to_owned(), case: script.case.unwrap_or_default(), text: text.to_vec() })
    }

    /// The script, compiled anew, so that it counts requests from 1.
    pub fn script(&self) -> Option<Script> {
        Script::compile(&self.id, "/", &self.text).ok()
    }
}

/// The built-in cases.
///
/// # Errors
/// None in a released binary: a test compiles every case.
pub fn built_in() -> Result<Vec<TestCase>, ParseErrors> {
    BUILT_IN.iter().map(|(id, text)| TestCase::parse(id, text)).collect()
}

/// ID and text of every case.
const BUILT_IN: &[(&str, &[u8])] = &[
    ("P06", include_bytes!("../cases/P06.sse")),
    ("P09", include_bytes!("../cases/P09.sse")),
    ("R01", include_bytes!("../cases/R01.sse")),
];
