//! The documents: their links lead somewhere, their tables are the parser's, their scripts have no errors, and every
//! command in them is run by a test.

use super::support::skip;
use super::{files, read, root, rust_files};
use rust_sse_server::internals::{condition, directions, PLACEHOLDERS};
use rust_sse_server::Script;
use std::fs;
use std::path::Path;

const REFERENCE: &str = "src/script/reference.md";

/// The commands in code blocks of the language `sh`, by what they begin with, and what runs them. (Those in blocks of the
/// language `console` are run by `tests/real_time/documents.rs`, because these blocks show what they print.)
const COMMANDS: [(&str, &str); 34] = [
    ("cargo install --path .", ".ci/check"),
    ("cargo install --git URL", ".ci/check, with this clone for URL"),
    ("cargo test", ".ci/check"),
    ("cargo run -- --script examples/proxies/chat.sse", "tests/replicas.rs"),
    ("haproxy -f examples/proxies/haproxy.cfg", "tests/replicas.rs"),
    ("nginx -c \"$PWD/examples/proxies/nginx.conf\"", "tests/replicas.rs"),
    ("haproxy -f examples/proxies/haproxy-default.cfg", "tests/proxy_trial.rs"),
    ("nginx -c \"$PWD/examples/proxies/nginx-default.conf\"", "tests/proxy_trial.rs"),
    ("cargo run --example proxy_trial -- 8081 http://127.0.0.1:8000", "tests/proxy_trial.rs"),
    ("curl -N http://127.0.0.1:8000/chat", "tests/replicas.rs"),
    // With the versions in package.json and requirements.txt, and in another folder.
    ("npm install --prefix target/node eventsource@", ".ci/run"),
    ("python3 -m venv target/venv", ".ci/run"),
    ("target/venv/bin/pip install requests-sse==", ".ci/run"),
    ("NODE_PATH=target/node/node_modules cargo run -- --judge -- node ", "tests/judge_clients.rs"),
    ("cargo run -- --judge -- target/venv/bin/python ", "tests/judge_clients.rs"),
    ("export PATH=\"$PWD/target/debug:$PATH\"", "tests/testing.rs"),
    ("NODE_PATH=target/node/node_modules node --test examples/testing/", "tests/testing.rs"),
    ("target/venv/bin/pip install -r examples/testing/requirements.txt", ".ci/run"),
    ("target/venv/bin/python -m pytest examples/testing", "tests/testing.rs"),
    ("(cd examples/testing && go test)", "tests/testing.rs"),
    ("cargo test --test testing", ".ci/check"),
    ("arch=", "tests/real_time/small_machines.rs"),
    ("rustc -O ", "tests/real_time/small_machines.rs"),
    ("$qemu -L ", "tests/real_time/small_machines.rs"),
    ("wine target/windows/", "tests/real_time/small_machines.rs"),
    ("(ulimit -v 26000; ", "tests/real_time/small_machines.rs"),
    ("apt-get install ", ".ci/run"),
    ("dpkg --add-architecture ", ".ci/run"),
    ("mkdir -p target && (cd target && apt-get download ", ".ci/run"),
    ("dpkg -x ", ".ci/run"),
    // These measure ten thousand clients, which takes more memory and time than a test should.
    ("ulimit -n 20000", "by hand"),
    ("target/release/", "by hand"),
    ("sleep ", "by hand"),
    ("wait $storm; ", "by hand"),
];

/// All documents, as paths from the root.
fn documents() -> Vec<String> {
    let under =
        |folder: &str| files(folder, ".md").into_iter().map(|file| format!("{folder}/{file}")).collect();
    let folders: [Vec<String>; 3] = ["examples", "src", "tests"].map(under);
    [vec!["README.md".to_owned()], folders.concat()].concat()
}

/// The code blocks of a document in this language.
fn blocks<'a>(document: &'a str, language: &str) -> Vec<&'a str> {
    let blocks = document.split("\n```").skip(1).step_by(2);
    blocks.filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n')).collect()
}

#[test]
fn the_readme_has_at_most_400_lines() {
    assert!(read("README.md").lines().count() <= 400);
}

/// Whether this is a package, which leaves out some files that the documents name. Then the test is skipped.
fn is_package() -> bool {
    let is_package = !root().join(".ci").exists();
    if is_package {
        skip("a package does not contain all files of the project");
    }
    is_package
}

#[test]
fn the_links_lead_somewhere() {
    if is_package() {
        return;
    }
    for document in documents() {
        let text = read(&document);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let (path, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() {
                root().join(&document)
            } else {
                root().join(Path::new(&document).parent().unwrap()).join(path)
            };
            assert!(target.exists(), "{document}: {link}");
            let text = if heading.is_empty() { String::new() } else { fs::read_to_string(target).unwrap() };
            let headings = text.lines().filter(|line| line.starts_with('#'));
            let mut anchors =
                headings.map(|line| line.trim_start_matches(['#', ' ']).to_lowercase().replace(' ', "-"));
            assert!(heading.is_empty() || anchors.any(|anchor| anchor == heading), "{document}: {link}");
        }
    }
}

#[test]
fn every_command_in_the_documents_is_run_by_a_test() {
    for document in documents() {
        let text = read(&document);
        let indented =
            text.lines().find(|line| line.starts_with("    cargo ") || line.starts_with("    curl "));
        assert_eq!(indented, None, "{document} shows a command outside a code block with a language");
        for command in blocks(&text, "sh").iter().flat_map(|block| block.split_terminator('\n')) {
            let is_known = COMMANDS.iter().any(|(start, _)| command.starts_with(start));
            assert!(is_known || command.starts_with("```"), "{document}: {command}");
        }
        for block in blocks(&text, "console") {
            assert!(block.starts_with("$ "), "{document}: {block}");
        }
    }
}

/// The first column of the table with this heading in the reference.
fn table(heading: &str) -> Vec<String> {
    let text = read(REFERENCE);
    let table =
        text.split(&format!("| {heading} | ")).nth(1).unwrap_or_else(|| panic!("no table: {heading}"));
    let rows = table.lines().skip(2).take_while(|line| line.starts_with("| "));
    rows.map(|row| row.trim_start_matches("| `").split("` | ").next().unwrap().replace("\\|", "|")).collect()
}

#[test]
fn the_tables_of_the_reference_are_the_parsers() {
    let mut directions = table("direction");
    directions.retain(|usage| !usage.contains('…'));
    assert_eq!(directions, directions::usages().collect::<Vec<_>>());
    assert_eq!(table("condition"), condition::usages().collect::<Vec<_>>());
    let placeholders: Vec<_> = PLACEHOLDERS.iter().map(|row| format!("{{{{{}}}}}", row.usage)).collect();
    assert_eq!(table("placeholder"), placeholders);
}

#[test]
fn the_scripts_in_the_documents_have_no_errors_and_no_warnings() {
    let mut names = Vec::new();
    for document in documents() {
        for script in blocks(&read(&document), "text").iter().filter_map(|block| block.strip_prefix("@# ")) {
            let (name, text) = script.split_once('\n').unwrap();
            let scripts = Script::parse_all("/script", format!("{text}\n"));
            let scripts = scripts.unwrap_or_else(|error| panic!("{document}, {name}: {error}"));
            let mut warnings = scripts.iter().flat_map(Script::warnings);
            assert_eq!(warnings.next(), None, "{document}, {name}");
            names.push(name.to_owned());
        }
    }
    for folder in ["examples", "src"] {
        for file in files(folder, ".sse") {
            for script in Script::load_all(root().join(folder).join(&file)).unwrap() {
                assert_eq!(script.warnings(), [""; 0], "{file}");
            }
        }
    }
    assert_eq!(
        names,
        [
            "hello.sse",
            "page.sse",
            "tokens.sse",
            "flaky.sse",
            "feed.sse",
            "steps.sse",
            "two.sse",
            "comes-back.sse"
        ]
    );
}

/// The documentation of the library contains it as well, and is compiled and run by `cargo test`.
#[test]
fn the_readmes_rust_code_is_the_librarys_example() {
    let library = read("src/lib.rs");
    let example = library.split("//! ```\n").nth(1).unwrap();
    let lines = example.lines().map(|line| line.trim_start_matches("//!").trim_start_matches(' '));
    let shown: Vec<_> = lines.filter(|line| !line.starts_with("# ")).collect();
    let readme = read("README.md");
    let code: Vec<_> = blocks(&readme, "rust")[0].lines().map(str::trim_start).collect();
    assert_eq!(code, shown);
}

#[test]
fn the_steps_of_the_lesson_are_numbered_and_each_has_a_command_and_a_file() {
    let text = read("examples/README.md");
    let lesson = text.split("\n## ").next().unwrap();
    let steps: Vec<&str> = lesson.split("\n### ").skip(1).collect();
    assert!(steps.len() >= 12, "{} steps", steps.len());
    for (number, step) in steps.iter().enumerate() {
        assert!(step.starts_with(&format!("{}. ", number + 1)), "{step}");
        assert!(step.contains("```console\n$ ") && step.contains("](../src/"), "{step}");
    }
}

#[test]
fn every_example_is_listed_and_begins_with_its_command() {
    let readme = read("examples/README.md");
    for file in rust_files("examples").iter().filter(|file| !file.contains('/') || file.ends_with("main.rs"))
    {
        let name = file.trim_end_matches(".rs").trim_end_matches("/main");
        assert!(readme.contains(&format!("\n| [`{name}`]({file}) | ")), "{file}");
        let text = read(format!("examples/{file}"));
        let mut opening = text.lines().take_while(|line| line.starts_with("//!"));
        let command = format!("--example {name}");
        assert!(opening.any(|line| line.contains(&command)), "{file}");
    }
}

#[test]
fn the_pictures_are_png_files_of_at_most_150_kb() {
    if is_package() {
        return;
    }
    for name in ["page.png", "slow.png"] {
        let picture = fs::read(root().join("examples").join(name)).unwrap();
        assert!(picture.starts_with(b"\x89PNG\r\n\x1a\n"), "{name}");
        assert!(picture.len() <= 150_000, "{name} has {} bytes", picture.len());
    }
}

#[test]
fn ci_runs_the_test_command_of_the_readme_with_all_tools() {
    if is_package() {
        return;
    }
    let readme = read("README.md");
    let command = readme.split("## Tests\n\n```sh\n").nth(1).unwrap().lines().next().unwrap();
    assert!(read(".ci/check").lines().any(|line| line == command), "{command}");
    let run = read(".ci/run");
    assert!(run.lines().last().unwrap().ends_with(".ci/check") && run.contains("REQUIRE_TOOLS=1"));
}
