//! The two pages, at `/` and at `/-/judge`, have one style and one set of common functions.

use crate::support::{request, Exchange, Program, PATIENCE};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The text of all files of a folder of the server with this extension.
fn text_of(folder: &str, extension: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/server/pages").join(folder);
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = paths.filter(|path| path.extension().map_or(false, |other| other == extension));
    files.map(|path| fs::read_to_string(path).unwrap()).collect()
}

/// What the scripts in a folder define for each other.
fn definitions(folder: &str) -> BTreeSet<String> {
    let scripts = text_of(folder, "js");
    let name = |line: &str| {
        let words = ["function ", "async function ", "const ", "let ", "class "];
        let rest = words.iter().find_map(|word| line.strip_prefix(word))?;
        rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '$').next().map(str::to_owned)
    };
    scripts.lines().filter_map(name).filter(|name| !name.is_empty()).collect()
}

/// The style rules of a folder that are in one line.
fn rules(folder: &str) -> BTreeSet<String> {
    let style = text_of(folder, "css");
    style
        .lines()
        .map(str::trim)
        .filter(|line| line.ends_with('}') && line.len() > 1)
        .map(str::to_owned)
        .collect()
}

#[test]
fn nothing_is_defined_twice() {
    let folders = ["both", "wire", "judge"];
    for (a, b) in [(0, 1), (0, 2), (1, 2)] {
        let [a, b] = [folders[a], folders[b]];
        let common: Vec<_> = definitions(a).intersection(&definitions(b)).cloned().collect();
        assert_eq!(common, Vec::<String>::new(), "in {a} and in {b}");
        let common: Vec<_> = rules(a).intersection(&rules(b)).cloned().collect();
        assert_eq!(common, Vec::<String>::new(), "in {a} and in {b}");
    }
    // All colours are variables with one value for each scheme.
    for folder in ["wire", "judge"] {
        let style = text_of(folder, "css");
        assert!(!style.contains(": #") && !style.contains("color-scheme: "), "{folder}");
    }
}

#[test]
fn both_pages_have_the_common_parts_and_the_same_policy() {
    let program = Program::start(&["--judge"]);
    let parts = [text_of("both", "css"), "function listen(url, handlers)".to_owned()];
    let mut policies = BTreeSet::new();
    for path in ["/", "/-/judge"] {
        let page = Exchange::new(program.address, request("GET", path, ""), PATIENCE);
        let text = String::from_utf8(page.wire).unwrap();
        assert!(parts.iter().all(|part| text.contains(part)), "{path}: {text}");
        assert!(!text.contains(" src=") && !text.contains("href=\"http"), "{path}");
        let policy =
            page.head.split("content-security-policy: ").nth(1).unwrap().split("\r\n").next().unwrap();
        let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap();
        assert_eq!(
            text.matches("<script").count(),
            text.matches(&format!("<script nonce=\"{nonce}\">")).count()
        );
        // The page of the judge may also connect to the ports for test cases.
        let is_port = |word: &&str| word.starts_with("http://localhost:");
        let words: Vec<&str> = policy.split(' ').filter(|word| !is_port(word)).collect();
        policies.insert(words.join(" ").replace(nonce, "").replace("'self' img-src", "'self'; img-src"));
    }
    assert_eq!(policies.len(), 1, "{policies:?}");
}
