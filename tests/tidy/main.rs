//! What the compiler does not check: the layout of the project, its imports, and whether its documents are true.

#[path = "../support/mod.rs"]
mod support;

mod documents;
mod imports;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Longer files contain more than one idea.
const MAX_LINES: usize = 400;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(root().join(path.as_ref())).unwrap()
}

/// All files under a folder whose names end with `end`, as paths from that folder.
fn files(folder: &str, end: &str) -> Vec<String> {
    let mut files = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root().join(folder)).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(end) {
                files.push(name);
            }
        }
    }
    files.sort();
    files
}

fn rust_files(folder: &str) -> Vec<String> {
    files(folder, ".rs")
}

#[test]
fn every_file_begins_with_what_it_does_and_has_at_most_400_lines() {
    for folder in ["src", "tests", "examples"] {
        for file in rust_files(folder) {
            let text = read(format!("{folder}/{file}"));
            assert!(text.starts_with("//! "), "{folder}/{file}");
            let lines = text.lines().count();
            assert!(lines <= MAX_LINES, "{folder}/{file} has {lines} lines");
        }
    }
}

/// The first column of the table of modules in the documentation of a module.
fn modules_in_table(text: &str) -> BTreeSet<String> {
    let lines = text.lines().take_while(|line| line.starts_with("//!"));
    let rows = lines.filter_map(|line| line.strip_prefix("//! | "));
    let names = rows.filter(|row| !row.starts_with("module")).filter_map(|row| row.split(" | ").next());
    names.map(|name| name.trim_matches(|c| "[]`".contains(c)).to_owned()).collect()
}

#[test]
fn every_room_lists_its_modules() {
    let files = rust_files("src");
    let rooms = ["server", "judge", "trace", "event_source", "script", "http", "text"];
    assert_eq!(modules_in_table(&read("src/lib.rs")), rooms.map(str::to_owned).into(), "lib.rs");
    for room in rooms {
        let folder = format!("{room}/");
        let modules = files.iter().filter_map(|file| file.strip_prefix(&folder)?.strip_suffix(".rs"));
        let modules: BTreeSet<_> = modules.filter(|name| !name.contains('/')).map(str::to_owned).collect();
        assert_eq!(modules_in_table(&read(format!("src/{room}.rs"))), modules, "{room}.rs");
    }
}

#[test]
fn the_files_in_the_reading_order_exist() {
    let text = read("src/lib.rs");
    let names = text.split('`').skip(1).step_by(2).filter(|name| name.ends_with(".rs"));
    let missing: Vec<_> = names.filter(|name| !root().join("src").join(name).exists()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_picture_of_the_wire_in_lib_rs_shows_real_sizes() {
    let text = read("src/lib.rs");
    for chunk in [support::chunk(support::GREETING), support::chunk(&support::step(1, "0"))] {
        let size = chunk.split("\r\n").next().unwrap();
        assert!(text.contains(&format!("//! {size}\\r\\n")), "{size}");
    }
}

#[test]
fn there_are_no_dependencies_and_two_dev_dependencies() {
    let manifest = read("Cargo.toml");
    let section = |name: &str| {
        let rest = manifest.split(&format!("[{name}]\n")).nth(1).unwrap();
        let lines = rest.lines().take_while(|line| !line.starts_with('[')).filter(|line| !line.is_empty());
        lines.map(|line| line.split(' ').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(section("dependencies").is_empty());
    assert_eq!(section("dev-dependencies"), ["assert_cmd", "predicates"]);
    assert_eq!(manifest.matches("dependencies").count(), 2);
    assert!(!root().join("build.rs").exists() && !manifest.contains("build ="));
}

/// Of the files that git tracks; a captured stream or an editor's folder does not count.
#[test]
fn the_top_level_contains_only_what_it_should() {
    let expected = ["Cargo.toml", "src", "tests", "examples", "README.md", "LICENSE"];
    let for_tools = ["Cargo.lock", "rustfmt.toml", ".gitignore", ".gitattributes", ".ci"];
    let files = match Command::new("git").arg("ls-files").current_dir(root()).output() {
        Ok(output) if output.status.success() => String::from_utf8(output.stdout).unwrap(),
        _ => return support::skip("git does not list the files of the project"),
    };
    for name in files.lines().filter_map(|file| file.split('/').next()) {
        assert!(expected.contains(&name) || for_tools.contains(&name), "{name}");
    }
}

#[test]
fn the_version_in_the_source_is_the_packages_version() {
    assert_eq!(rust_sse_server::VERSION, env!("CARGO_PKG_VERSION"));
}

#[test]
fn help_shows_the_default_limit_in_lines_of_at_most_100_characters() {
    let help = Command::new(support::program_path()).arg("--help").output().unwrap().stdout;
    let help = String::from_utf8(help).unwrap();
    assert!(help.contains(&format!("[default: {}]", rust_sse_server::internals::DEFAULT_MAX_CLIENTS)));
    assert!(help.lines().all(|line| line.chars().count() <= 100));
}
