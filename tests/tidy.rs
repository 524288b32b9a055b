//! The documents are true: the map is the territory, imports run one way, there is no dependency.

mod support;

use rust_sse_server::internals::{usages, CONDITIONS, PLACEHOLDERS};
use rust_sse_server::Script;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(root().join(path.as_ref())).unwrap()
}

/// All Rust files under a folder, as paths from it.
fn rust_files(folder: &str) -> Vec<String> {
    let mut files = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            match path.extension() {
                _ if path.is_dir() => folders.push(path),
                Some(extension) if extension == "rs" => {
                    let path = path.strip_prefix(root().join(folder)).unwrap();
                    files.push(path.to_str().unwrap().to_owned());
                }
                _ => {}
            }
        }
    }
    files.sort();
    files
}

#[test]
fn every_file_says_first_what_it_is() {
    for folder in ["src", "tests", "examples"] {
        for file in rust_files(folder) {
            assert!(read(format!("{folder}/{file}")).starts_with("//! "), "{folder}/{file}");
        }
    }
}

#[test]
fn no_file_holds_two_ideas() {
    for folder in ["src", "tests", "examples"] {
        for file in rust_files(folder) {
            let lines = read(format!("{folder}/{file}")).lines().count();
            assert!(lines <= 420, "{folder}/{file} has {lines} lines");
        }
    }
}

/// The first column of the table in a module's first comment: its modules.
fn map_of(text: &str) -> BTreeSet<String> {
    let rows = text
        .lines()
        .take_while(|line| line.starts_with("//!"))
        .filter_map(|line| line.strip_prefix("//! | "));
    let names = rows.filter(|row| !row.starts_with("module")).filter_map(|row| row.split(" | ").next());
    names.map(|name| name.trim_matches(|c| "[]`".contains(c)).to_owned()).collect()
}

#[test]
fn the_maps_name_the_modules_there_are() {
    let files = rust_files("src");
    for (map, folder) in [
        ("lib.rs", ""),
        ("http.rs", "http/"),
        ("script.rs", "script/"),
        ("event_source.rs", "event_source/"),
        ("trace.rs", "trace/"),
        ("text.rs", "text/"),
    ] {
        let modules = files.iter().filter_map(|file| file.strip_prefix(folder)?.strip_suffix(".rs"));
        let modules = modules.filter(|name| !name.contains('/') && !["lib", "main", "cli"].contains(name));
        assert_eq!(map_of(&read(format!("src/{map}"))), modules.map(str::to_owned).collect(), "{map}");
    }
}

/// The rooms, from the top down, and which of those below each may import.
const ROOMS: &[(&str, &[&str])] = &[
    ("main", &["internals"]),
    ("server", &["script", "trace", "http", "text"]),
    ("trace", &["event_source", "http", "text"]),
    ("event_source", &["http", "text"]),
    ("script", &["http", "text"]),
    ("http", &["text"]),
    ("text", &[]),
];

#[test]
fn imports_run_one_way() {
    let order: Vec<&str> = ROOMS.iter().map(|(room, _)| *room).collect();
    for (place, (_, imports)) in ROOMS.iter().enumerate() {
        assert!(
            imports.iter().all(|import| order[place + 1..].contains(import) || *import == "internals"),
            "{}",
            order[place]
        );
    }
    for file in rust_files("src").iter().filter(|file| *file != "lib.rs") {
        let room = file.trim_end_matches(".rs").split('/').next().unwrap().replace("cli", "main");
        let (_, allowed) = ROOMS.iter().find(|(name, _)| *name == room).unwrap_or_else(|| panic!("{file}"));
        let text = read(format!("src/{file}"));
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let paths = code.flat_map(|line| {
            let crates = line.split("crate::").skip(1);
            crates.chain(line.split("use rust_sse_server::").skip(1))
        });
        for path in paths {
            let is_export = room == "main" && !path.starts_with(char::is_lowercase);
            let is_allowed = allowed.iter().chain([&room.as_str()]).any(|allowed| path.starts_with(allowed));
            assert!(is_allowed || is_export, "{file} imports {path}");
        }
    }
}

#[test]
fn there_is_no_dependency_and_two_for_the_tests() {
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

#[test]
fn the_top_level_is_what_it_was_meant_to_be() {
    let fixed = ["Cargo.toml", "src", "tests", "examples", "README.md", "LICENSE"];
    let for_tools = ["Cargo.lock", "rustfmt.toml", ".gitignore", ".gitattributes", ".ci"];
    // What lies there untracked, a captured stream or an editor's folder, is nobody's business.
    let listed = Command::new("git").args(["ls-files"]).current_dir(root()).output();
    let files = match listed {
        Ok(output) if output.status.success() => String::from_utf8(output.stdout).unwrap(),
        _ => return support::skip("git does not say which files belong to the project"),
    };
    for name in files.lines().filter_map(|file| file.split('/').next()) {
        assert!(fixed.contains(&name) || for_tools.contains(&name), "{name}");
    }
}

#[test]
fn the_version_is_the_packages() {
    assert_eq!(rust_sse_server::VERSION, env!("CARGO_PKG_VERSION"));
}

/// The first column of the README's table with this heading.
fn table(heading: &str) -> Vec<String> {
    let readme = read("README.md");
    let table =
        readme.split(&format!("| {heading} | ")).nth(1).unwrap_or_else(|| panic!("no table of {heading}s"));
    let rows = table.lines().skip(2).take_while(|line| line.starts_with("| "));
    rows.map(|row| row.trim_start_matches("| `").split("` | ").next().unwrap().replace("\\|", "|")).collect()
}

#[test]
fn the_readme_names_every_direction_condition_and_placeholder_as_the_parser_does() {
    let mut shown = table("direction");
    shown.retain(|usage| !usage.contains('…'));
    assert_eq!(shown, usages().collect::<Vec<_>>());
    assert_eq!(table("condition"), CONDITIONS);
    let braces: Vec<_> = PLACEHOLDERS.iter().map(|row| format!("{{{{{}}}}}", row.usage)).collect();
    assert_eq!(table("placeholder"), braces);
}

#[test]
fn the_readmes_scripts_have_no_mistake() {
    let readme = read("README.md");
    let scripts: Vec<&str> =
        readme.split("```text\n@# ").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(scripts.len(), 3);
    for script in scripts {
        let (name, text) = script.split_once('\n').unwrap();
        Script::parse(name, text).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn the_readmes_links_lead_somewhere() {
    let readme = read("README.md");
    let headings: Vec<String> = readme
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| line.trim_start_matches(['#', ' ']).to_lowercase().replace(' ', "-"))
        .collect();
    let links = readme.split("](").skip(1).map(|rest| rest.split(')').next().unwrap());
    for link in links {
        let found = match link.strip_prefix('#') {
            Some(heading) => headings.iter().any(|other| other == heading),
            None => root().join(link).exists(),
        };
        assert!(found, "{link}");
    }
}

/// Every step of the lesson is a command, what it prints, and the file that does it.
#[test]
fn the_lessons_steps_are_numbered_and_each_names_a_file() {
    let readme = read("README.md");
    let lesson =
        readme.split("\n## A lesson in fifteen minutes\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let steps: Vec<&str> =
        lesson.split("\n### ").skip(1).filter(|step| step.starts_with(char::is_numeric)).collect();
    assert!(steps.len() >= 12, "{} steps", steps.len());
    for (number, step) in steps.iter().enumerate() {
        assert!(step.starts_with(&format!("{}. ", number + 1)), "{step}");
        assert!(step.contains("```console\n$ ") && step.contains("](src/"), "{step}");
    }
}

#[test]
fn the_readme_lists_every_example_and_each_says_how_to_type_it() {
    let readme = read("README.md");
    for file in rust_files("examples").iter().filter(|file| !file.contains('/') || file.ends_with("main.rs"))
    {
        let name = file.trim_end_matches(".rs").trim_end_matches("/main");
        assert!(readme.contains(&format!("\n| [`{name}`](examples/{file}) | ")), "{file}");
        let text = read(format!("examples/{file}"));
        let opening = text.lines().take_while(|line| line.starts_with("//!"));
        let command = format!("--example {name}");
        assert!(opening.into_iter().any(|line| line.contains(&command)), "{file}");
    }
}

#[test]
fn the_help_names_the_limits_there_are() {
    let help = Command::new(support::program_path()).arg("--help").output().unwrap().stdout;
    let help = String::from_utf8(help).unwrap();
    assert!(help.contains(&format!("[default: {}]", rust_sse_server::internals::DEFAULT_MAX_CLIENTS)));
    assert!(help.lines().all(|line| line.chars().count() <= 100));
}

#[test]
fn ci_runs_the_readmes_test_command() {
    let readme = read("README.md");
    let command = readme.split("## Tests\n\n").nth(1).unwrap().lines().next().unwrap().trim();
    assert!(read(".ci/run").lines().any(|line| line.ends_with(command)), "{command}");
}

#[test]
fn the_picture_of_the_wire_shows_real_sizes() {
    let map = read("src/lib.rs");
    for chunk in [support::chunk(support::GREETING), support::chunk(&support::step(1, "0"))] {
        let size = chunk.split("\r\n").next().unwrap();
        assert!(map.contains(&format!("//! {size}\\r\\n")), "{size}");
    }
}
