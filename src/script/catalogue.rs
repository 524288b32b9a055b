//! All scripts of a server, by path: the demo that is compiled in, and those of the user.

use super::parse::Mistakes;
use super::Script;
use std::path::Path;

/// The path of the demo, which every server has.
pub const DEMO_PATH: &str = "/events";

const DEMO: &[u8] = include_bytes!("../scripts/events.sse");

/// The scripts a server answers with.
#[derive(Debug, Default)]
pub struct Catalogue {
    built_in: Vec<Script>,
    added: Vec<Script>,
}

impl Catalogue {
    /// The scripts in the binary.
    ///
    /// # Errors
    /// None in a released binary: a test loads every script that is compiled in.
    pub fn built_in() -> Result<Catalogue, Mistakes> {
        let demo = Script::parse("events.sse", DEMO_PATH, DEMO)?;
        Ok(Catalogue { built_in: vec![demo], added: Vec::new() })
    }

    /// Adds a script. One that is compiled in gives way to it.
    ///
    /// # Errors
    /// A message that names both scripts, if another was added that answers the same path.
    pub fn add(&mut self, script: Script) -> Result<(), String> {
        if let Some(other) = self.added.iter().find(|other| other.path == script.path) {
            let (file, other, path) = (&script.file, &other.file, percent_encode(&script.path));
            return Err(format!("{file}: {other} answers GET {path} already (rename one of the files)"));
        }
        self.built_in.retain(|other| other.path != script.path);
        self.added.push(script);
        Ok(())
    }

    /// The script that answers a request's path, which may be percent-encoded.
    pub fn find(&self, path: &[u8]) -> Option<&Script> {
        let path = percent_decode(path);
        self.scripts().find(|script| script.path == path)
    }

    /// All paths, percent-encoded, those in the binary first.
    pub fn paths(&self) -> impl Iterator<Item = String> + '_ {
        self.scripts().map(|script| percent_encode(&script.path))
    }

    fn scripts(&self) -> impl Iterator<Item = &Script> {
        self.built_in.iter().chain(&self.added)
    }
}

/// The path at which the script of a file is served: its name without `.sse`; `None` when there is no such name.
pub fn path_of_file(file: &Path) -> Option<String> {
    let name = file.file_name()?.to_string_lossy();
    let stem = name.strip_suffix(".sse").unwrap_or(&name);
    (!stem.is_empty()).then(|| format!("/{stem}"))
}

/// Undoes percent-encoding (RFC 3986, section 2.1); a `%` that encodes nothing stays.
fn percent_decode(path: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((&byte, after)) = rest.split_first() {
        let encoded = (byte == b'%').then(|| after.get(..2)).flatten().and_then(hex_octet);
        decoded.push(encoded.unwrap_or(byte));
        rest = if encoded.is_some() { &after[2..] } else { after };
    }
    decoded
}

fn hex_octet(digits: &[u8]) -> Option<u8> {
    let digit = |at: usize| (digits[at] as char).to_digit(16);
    Some((digit(0)? * 16 + digit(1)?) as u8)
}

/// Percent-encodes what may not stand in a path (RFC 3986, section 3.3).
fn percent_encode(path: &[u8]) -> String {
    let mut encoded = String::with_capacity(path.len());
    for &byte in path {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => encoded.push(byte as char),
            _ if b"/-._~!$&'()*+,;=:@".contains(&byte) => encoded.push(byte as char),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_in_the_binary_has_no_mistake() {
        let paths: Vec<String> = Catalogue::built_in().unwrap().paths().collect();
        assert_eq!(paths, ["/events"]);
    }

    #[test]
    fn a_script_in_the_binary_gives_way() {
        let mut catalogue = Catalogue::built_in().unwrap();
        catalogue.add(Script::parse("my.sse", "/chat", b"").unwrap()).unwrap();
        catalogue.add(Script::parse("my.sse", "/events", b"@status 410\n").unwrap()).unwrap();
        assert_eq!(catalogue.paths().count(), 2);
        assert_eq!(catalogue.find(b"/events").unwrap().head.status, 410);
    }

    #[test]
    fn two_scripts_with_the_same_path_are_a_mistake_that_names_both() {
        let mut catalogue = Catalogue::default();
        catalogue.add(Script::parse("a/chat.sse", "/chat", b"").unwrap()).unwrap();
        let second = catalogue.add(Script::parse("b/chat.sse", "/chat", b"").unwrap());
        assert_eq!(
            second.unwrap_err(),
            "b/chat.sse: a/chat.sse answers GET /chat already (rename one of the files)"
        );
    }

    #[test]
    fn paths_are_compared_as_what_they_encode() {
        let mut catalogue = Catalogue::default();
        catalogue.add(Script::parse("x", "/my stream%", b"").unwrap()).unwrap();
        assert!(catalogue.find(b"/my%20stream%25").is_some());
        assert!(catalogue.find(b"/m%79%20stream%").is_some());
        assert!(catalogue.find(b"/my+stream%").is_none());
        assert_eq!(catalogue.paths().next().unwrap(), "/my%20stream%25");
    }

    #[test]
    fn a_file_is_served_under_its_name_without_sse() {
        let path = |file: &str| path_of_file(Path::new(file));
        assert_eq!(path("dir/chat.sse").as_deref(), Some("/chat"));
        assert_eq!(path("a.b.sse").as_deref(), Some("/a.b"));
        assert_eq!(path("capture.txt").as_deref(), Some("/capture.txt"));
        assert_eq!(path(".sse"), None);
        assert_eq!(path("/"), None);
    }
}
