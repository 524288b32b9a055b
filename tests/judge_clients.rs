//! The clients in `examples/judge` get the verdicts that are listed in `tests/judge`, with the reason for each. The
//! versions are those of `package.json` and `requirements.txt` beside the clients.

mod support;

use rust_sse_server::internals::Profile;
use rust_sse_server::Server;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use support::{program_path, skip};

/// What runs a client.
#[derive(Clone, Copy)]
enum Runtime {
    /// `node`, which finds packages in the folder that `NODE_PATH` names.
    Node,
    /// `python3`, or the interpreter that `PYTHON` names, such as one of a virtual environment.
    Python,
    /// `bash`.
    Bash,
}

/// The clients, each with what runs it and the package or program that it needs.
const CLIENTS: [(&str, Runtime, &str); 7] = [
    ("eventsource", Runtime::Node, "eventsource"),
    ("eventsource-client", Runtime::Node, "eventsource-client"),
    ("undici", Runtime::Node, "undici"),
    ("httpx-sse", Runtime::Python, "httpx_sse"),
    ("aiohttp-sse-client2", Runtime::Python, "aiohttp_sse_client2"),
    ("requests-sse", Runtime::Python, "requests_sse"),
    ("curl", Runtime::Bash, "curl"),
];

/// How often a case is repeated if its verdict is not the one in the file: a busy machine makes clients late.
const RETRIES: usize = 2;
/// In place of a verdict, where it depends on the speed of the machine.
const VARIES: &str = "varies";

impl Runtime {
    fn program(self) -> String {
        match self {
            Runtime::Node => "node".to_owned(),
            Runtime::Python => std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned()),
            Runtime::Bash => "bash".to_owned(),
        }
    }

    fn extension(self) -> &'static str {
        match self {
            Runtime::Node => "cjs",
            Runtime::Python => "py",
            Runtime::Bash => "sh",
        }
    }

    /// Whether the program and this package are there.
    fn has(self, package: &str) -> bool {
        let arguments = match self {
            Runtime::Node => ["-e".to_owned(), format!("require.resolve('{package}')")],
            Runtime::Python => ["-c".to_owned(), format!("import {package}")],
            Runtime::Bash => ["-c".to_owned(), format!("command -v {package}")],
        };
        Command::new(self.program()).args(arguments).output().map_or(false, |output| output.status.success())
    }
}

/// Verdicts by the case.
type Verdicts = BTreeMap<String, String>;

/// A file of the project.
fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The cases for a client like an `EventSource`, without their variants, which say little more about these clients.
fn cases() -> Vec<String> {
    let server = Server::new().judge().start("127.0.0.1:0").unwrap();
    let profile = Profile::default();
    server.cases().into_iter().filter(|id| profile.includes(id) && !id.contains('-')).collect()
}

/// The verdicts in the file of a client, which has a line `ID VERDICT: REASON` for each that is not `pass`. The verdict
/// can be [`VARIES`].
fn expected(client: &str) -> Verdicts {
    let path = format!("tests/judge/{client}.txt");
    let text = fs::read_to_string(file(&path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let verdicts = lines.map(|line| {
        let (id, rest) = line.split_once(' ').unwrap_or_else(|| panic!("{path}: {line}"));
        let (verdict, reason) = rest.split_once(": ").unwrap_or_else(|| panic!("{path}: {line}"));
        assert!(!reason.is_empty(), "{path}: {line}");
        (id.to_owned(), verdict.to_owned())
    });
    verdicts.collect()
}

/// The command that starts a client, without the URL.
fn command(client: &str, runtime: Runtime) -> [String; 2] {
    [runtime.program(), format!("examples/judge/{client}.{}", runtime.extension())]
}

/// Judges a client. Returns its verdicts, each with the whole line that was printed.
fn judge(client: &str, runtime: Runtime, cases: &[String]) -> BTreeMap<String, (String, String)> {
    let judge = Command::new(program_path())
        .args(["--judge", "--cases", &cases.join(","), "--"])
        .args(command(client, runtime))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&judge.stderr);
    assert!(errors.is_empty(), "{client}: {errors}");
    let output = String::from_utf8_lossy(&judge.stdout);
    let results = output.lines().filter_map(|line| {
        let [id, _level, _section, verdict] = line.split(' ').take(4).collect::<Vec<_>>().try_into().ok()?;
        let verdict = verdict.strip_suffix(':')?;
        Some((id.to_owned(), (verdict.to_owned(), line.to_owned())))
    });
    results.collect()
}

/// Judges a client. Returns the cases whose verdicts are not the expected ones, each with a description of both.
fn differences(client: &str, runtime: Runtime, cases: &[String]) -> BTreeMap<String, String> {
    let expected = expected(client);
    let mut results = judge(client, runtime, cases);
    assert_eq!(results.len(), cases.len(), "{client}");
    let expected = |id: &str| expected.get(id).map_or("pass", String::as_str);
    results.retain(|id, (verdict, _)| ![verdict.as_str(), VARIES].contains(&expected(id)));
    let words = results.into_iter().map(|(id, (_, line))| {
        let text = format!("{client}: {line}\n    but tests/judge/{client}.txt says {}\n", expected(&id));
        (id, text)
    });
    words.collect()
}

/// Judges a client again in the cases that differ, while no other is judged. Returns a description of what still
/// differs.
fn differences_alone(client: &str, runtime: Runtime, mut differing: BTreeMap<String, String>) -> String {
    for _ in 0..RETRIES {
        if differing.is_empty() {
            break;
        }
        // In this one, every client dispatches an event, which shows whether it reports any.
        differing.entry("P08".to_owned()).or_default();
        let cases: Vec<String> = differing.into_keys().collect();
        differing = differences(client, runtime, &cases);
    }
    if differing.is_empty() {
        return String::new();
    }
    let [program, file] = command(client, runtime);
    let cases: Vec<&str> = differing.keys().map(String::as_str).collect();
    let texts: Vec<&str> = differing.values().map(String::as_str).collect();
    format!(
        "{}to look at what was sent and received, open REPORT/index.html after\n    \
         cargo run -- --judge --cases {} --report REPORT -- {program} {file}\n",
        texts.concat(),
        cases.join(",")
    )
}

#[test]
fn real_clients_get_the_verdicts_that_are_listed() {
    let cases = cases();
    let differing: Vec<_> = thread::scope(|scope| {
        let mut threads = Vec::new();
        for (client, runtime, package) in CLIENTS {
            if runtime.has(package) {
                let cases = &cases;
                threads.push(scope.spawn(move || (client, runtime, differences(client, runtime, cases))));
            } else {
                skip(&format!("{} has no {package}, so {client} is not judged", runtime.program()));
            }
        }
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let texts =
        differing.into_iter().map(|(client, runtime, cases)| differences_alone(client, runtime, cases));
    let differences: String = texts.collect();
    assert!(differences.is_empty(), "\n{differences}");
}

#[test]
fn the_files_list_cases_that_exist() {
    let cases = cases();
    for (client, _, _) in CLIENTS {
        for id in expected(client).keys() {
            assert!(cases.contains(id), "tests/judge/{client}.txt: {id}");
        }
    }
}

/// Whether this is a case of the level `must`.
fn is_requirement(id: &str) -> bool {
    fs::read(file(&format!("src/cases/{id}.sse"))).unwrap().starts_with(b"@case must ")
}

/// The first line of the list of verdicts of a client, which has names and versions: `# undici 6.21.3`.
fn versions(client: &str) -> String {
    let list = fs::read_to_string(file(&format!("tests/judge/{client}.txt"))).unwrap();
    list.strip_prefix("# ").unwrap().lines().next().unwrap().to_owned()
}

#[test]
fn the_readme_says_how_many_requirements_each_client_fails() {
    let readme = fs::read_to_string(file("README.md")).unwrap();
    for (client, _, _) in CLIENTS {
        let versions = versions(client);
        let version = versions.split(' ').nth(1).unwrap().trim_end_matches(';');
        let start = format!("[`{client}`](tests/judge/{client}.txt) {version}");
        let row = readme.lines().find(|line| line.contains(&start));
        let row = row.unwrap_or_else(|| panic!("README.md has no row with {start}"));
        let fails =
            expected(client).iter().filter(|(id, verdict)| *verdict == "fail" && is_requirement(id)).count();
        assert!(row.contains(&format!(" | {fails} | ")), "{row}: {fails}");
    }
    let requirements = cases().iter().filter(|id| is_requirement(id)).count();
    assert!(readme.contains(&format!("how many of its {requirements} requirements")), "{requirements}");
}

#[test]
fn the_versions_in_the_lists_are_those_that_are_installed() {
    let pins = ["package.json", "requirements.txt"].map(|name| {
        fs::read_to_string(file(&format!("examples/judge/{name}"))).unwrap().replace("\": \"", "==")
    });
    for (client, _, _) in CLIENTS.iter().filter(|(_, runtime, _)| !matches!(runtime, Runtime::Bash)) {
        let versions = versions(client).replace(" with ", ", ").replace(" and ", ", ");
        for package in versions.split(", ") {
            let pin = package.replace(' ', "==");
            assert!(pins.concat().contains(&pin), "tests/judge/{client}.txt: {pin}");
        }
    }
}
