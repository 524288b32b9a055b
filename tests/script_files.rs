//! The files that the program loads scripts from: files, folders and standard input; and what `--check`, `--list` and the
//! first lines print about them.

mod support;

use assert_cmd::Command;
use predicates::prelude::PredicateBooleanExt;
use predicates::str::{contains, is_empty};
use support::{program, request, Exchange, Folder, Program, PATIENCE};

/// Asserts that `GET path` is answered with this body.
fn assert_serves(program: &Program, path: &str, body: &str) {
    let exchange = Exchange::new(program.address, request("GET", path, ""), PATIENCE);
    assert_eq!(String::from_utf8(exchange.data().0).unwrap(), body);
}

#[test]
fn check_and_list_take_files_as_arguments() {
    let folder = Folder::new("arguments");
    let good = folder.file("good.sse", "@# Good.\ndata: x\n\n");
    let bad = folder.file("bad.txt", "@slep 1s\n");
    let error = format!("{bad}:1: unknown direction `@slep` (did you mean `@sleep`?)\n");
    for command in ["--check", "--list"] {
        program(&[command, &good, &bad]).assert().code(1).stdout(is_empty()).stderr(contains(&error));
        let missing = contains("cannot read nosuch.sse: ");
        program(&["nosuch.sse", command]).assert().code(1).stdout(is_empty()).stderr(missing);
    }
    program(&["--check", &good, &good.replace("good", "./good")])
        .assert()
        .code(1)
        .stderr(contains("GET /good"));
    program(&["--check", &good]).assert().success().stdout("1 script, no errors\n");
    program(&["--list", &good]).assert().success().stdout(contains("\n/good  ").and(contains("  Good.\n")));
}

/// A device never ends.
#[cfg(unix)]
#[test]
fn a_script_has_a_maximum_size() {
    let message = "rust_sse_server: cannot read /dev/zero: a script has at most 512 MiB\n";
    program(&["--check", "/dev/zero"]).assert().code(1).stdout(is_empty()).stderr(message);
}

/// Opening a FIFO waits for its reader.
#[cfg(unix)]
#[test]
fn a_journal_that_waits_for_its_reader_says_so() {
    let folder = Folder::new("fifo");
    let fifo = folder.file("other", "").replace("other", "journal");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let mut command = Command::cargo_bin("rust_sse_server").unwrap();
    command.args(["--journal", &fifo, "--port", "0"]).timeout(std::time::Duration::from_millis(300));
    command.assert().interrupted().stderr(format!("waiting for a program that reads {fifo}\n"));
}

#[test]
fn warnings_are_printed_and_are_errors_only_with_strict() {
    let folder = Folder::new("warnings");
    let file = folder.file("w.sse", "data: {{i}}\n\n\ndaat: 2\n\ndata: 3\n");
    let warnings = format!(
        "{file}:4: warning: unknown field `daat` (did you mean `data`?)\n\
         {file}:6: warning: no empty line after the last event, so no client dispatches it\n"
    );
    program(&["--check", &file])
        .assert()
        .success()
        .stdout("1 script, no errors, 2 warnings\n")
        .stderr(warnings.clone());
    let strict = format!("{warnings}rust_sse_server: 2 warnings not allowed by --strict\n");
    program(&["--check", "--strict", &file]).assert().code(1).stdout(is_empty()).stderr(strict.clone());
    program(&["--strict", &file, "127.0.0.1", "0"]).assert().code(1).stdout(is_empty()).stderr(strict);
    let program = Program::start(&["--speed", "max", &file]);
    assert_serves(&program, "/w", "data: \n\n\ndaat: 2\n\ndata: 3\n");
    assert!(program.end().starts_with(&warnings));
}

#[test]
fn a_byte_order_mark_is_removed_before_a_direction_and_utf_16_is_an_error() {
    let folder = Folder::new("encoding");
    let direction = folder.file("direction.sse", "\u{FEFF}@on GET /d\r\ndata: x\r\n\r\n");
    let text = folder.file("text.sse", "\u{FEFF}data: x\n\n");
    let server = Program::start(&["--speed", "max", &direction, &text]);
    assert_serves(&server, "/d", "data: x\r\n\r\n");
    assert_serves(&server, "/text", "\u{FEFF}data: x\n\n");
    let utf16: Vec<u8> = "\u{FEFF}data: x\r\n\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let utf16 = folder.file("utf16.sse", utf16);
    program(&["--check", &utf16]).assert().code(1).stderr(format!(
        "{utf16}:1: this file is UTF-16 (save it as UTF-8; in PowerShell, capture with `curl.exe -N URL -o FILE`, not with \
         `>`)\n"
    ));
}

#[test]
fn files_in_the_place_of_host_and_port_are_served() {
    let folder = Folder::new("place");
    let files = ["a", "b", "c"].map(|name| folder.file(&format!("{name}.sse"), format!("data: {name}\n\n")));
    let program = Program::start(&["--script", &files[0], &files[1], &files[2]]);
    for name in ["a", "b", "c"] {
        assert_serves(&program, &format!("/{name}"), &format!("data: {name}\n\n"));
    }
}

#[test]
fn a_folder_is_every_script_in_it_in_the_order_of_their_names() {
    let folder = Folder::new("folder");
    for name in ["b.sse", "a.sse", ".#a.sse", "notes.txt"] {
        folder.file(name, format!("@# The script {name}.\ndata: {name}\n\n"));
    }
    std::fs::create_dir(folder.0.join("c.sse")).unwrap();
    let path = folder.0.to_str().unwrap();
    let list = program(&["--list", "--script", path]).output().unwrap().stdout;
    let list = String::from_utf8(list).unwrap();
    let last: Vec<&str> = list.lines().rev().take(2).collect();
    assert!(last[1].starts_with("/a ") && last[1].ends_with(" The script a.sse."), "{list}");
    assert!(last[0].starts_with("/b ") && last[0].ends_with(" The script b.sse."), "{list}");
    program(&["--check", path]).assert().success().stdout("2 scripts, no errors\n");
    assert_serves(&Program::start(&["--script", path]), "/b", "data: b.sse\n\n");

    let empty = Folder::new("empty");
    let path = empty.0.to_str().unwrap();
    let message =
        format!("rust_sse_server: the folder {path} contains no script (name the files NAME.sse)\n");
    program(&["--script", path, "127.0.0.1", "0"]).assert().code(1).stdout(is_empty()).stderr(message);
}

#[test]
fn standard_input_is_a_script() {
    let listed = program(&["--list", "-"]).write_stdin("@# Typed.\ndata: x\n\n").assert().success();
    listed.stdout(contains("\n/stdin  ").and(contains("  Typed.\n")));
    let checked = program(&["--check", "--script", "-"]).write_stdin("data: x\n\n@slep\n").assert().code(1);
    checked.stdout(is_empty()).stderr(contains("stdin:3: unknown direction `@slep`"));
}

#[test]
fn a_file_can_have_several_scripts() {
    let folder = Folder::new("several");
    let text = "@# A remark on the file.\n\n@script a\n@# The first.\ndata: a\n\n@drop\n\
        @script v1/b\n@on POST /v1/b\ndata: b\n\n@script  c \r\n@part connection 1\ndata: c\n\n";
    let file = folder.file("several.sse", text);
    let list = program(&["--only", "--list", &file]).output().unwrap().stdout;
    assert_eq!(String::from_utf8(list).unwrap(), "/a          The first.\nPOST /v1/b  \n/c          \n");
    program(&["--check", "-"]).write_stdin(text).assert().success().stdout("3 scripts, no errors\n");
    let server = Program::start(&["--script", &file]);
    assert_serves(&server, "/c", "data: c\n\n");
    // The file has a script itself as soon as it has more than remarks; the others are loaded again with it.
    folder.file("several.sse", format!("data: above\n\n{}", text.replace("data: a\n", "data: changed\n")));
    assert_serves(&server, "/several", "data: above\n\n\n");
    assert_serves(&server, "/a", "data: changed\n\n");
    assert_serves(&server, "/c", "data: c\n\n");
}

#[test]
fn the_errors_of_all_scripts_in_a_file_are_reported_with_their_lines() {
    let folder = Folder::new("several-errors");
    let file = folder.file(
        "x.sse",
        "@slep\n@script\n@script a b\n@script /a\ndata: 1\n\n@sleep x\n@script b\n@script c\n@on GET /b\n",
    );
    let output = program(&["--check", &file]).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    let expected = [
        ":1: unknown direction `@slep` (did you mean `@sleep`?)",
        ":2: @script: missing name (expected one such as `chat`, without spaces, for the path `/chat`)",
        ":3: @script: invalid name `a b` (expected one such as `chat`, without spaces, for the path `/chat`)",
        ":4: @script: invalid name `/a` (expected one such as `chat`, without spaces, for the path `/chat`)",
    ];
    assert_eq!(errors, expected.map(|error| format!("{file}{error}\n")).concat());
    let duplicate = folder.file("y.sse", "@script b\n@script c\n@on GET /b\n");
    program(&["--check", &duplicate]).assert().code(1).stderr(format!(
        "rust_sse_server: {duplicate}: two scripts answer GET /b (change `@on` or `@script`)\n"
    ));
    let error = rust_sse_server::Script::load(&duplicate).unwrap_err().to_string();
    assert_eq!(
        error,
        format!(
            "{duplicate}:1: @script: this line begins another script, but only one is expected (remove it)"
        )
    );
}

#[test]
fn a_page_that_a_script_replaces_is_not_announced() {
    let folder = Folder::new("page");
    let script = folder.file("page.sse", "@on GET /\ndata: x\n\n");
    let printed = program(&[&script, "--log", "0"]).timeout(std::time::Duration::from_millis(500)).output();
    let printed = printed.unwrap().stdout;
    let printed = String::from_utf8(printed).unwrap();
    let (first, second) = printed.split_once('\n').unwrap();
    let url = first.strip_prefix("Starting SSE server at ").unwrap().strip_suffix("events").unwrap();
    assert_eq!(second, format!("                   and {url}\n"));
}

#[test]
fn characters_that_cannot_be_seen_are_escaped_wherever_scripts_are_named() {
    let folder = Folder::new("bidirectional");
    let script =
        folder.file("a.sse", "@# \u{202e}a\u{2066}b\u{200b}c\u{1b}[2J\r\n@slep \u{202e}\ndata: \u{202e}\n\n");
    let error = contains("a.sse:2: unknown direction `@slep` (did you mean `@sleep`?)\n");
    program(&["--check", &script]).assert().code(1).stderr(error);
    let script = folder
        .file("a\u{202e}b.sse", "@# \u{202e}a\u{2066}b\u{200b}c \"d\\e\" \u{1b}[2J\r\ndata: \u{202e}\n\n");
    let about = "  \\u{202e}a\\u{2066}b\\u{200b}c \"d\\e\" \\x1b[2J\n";
    program(&["--list", &script]).assert().success().stdout(contains(about));
    let invalid = folder.file("a\u{202e}\n.sse", "@sleep \u{202e}\n");
    let error = "a\\u{202e}\\n.sse:1: @sleep: invalid time `\\u{202e}` (";
    program(&["--check", &invalid]).assert().code(1).stderr(contains(error));
}
