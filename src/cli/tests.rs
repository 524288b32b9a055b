//! Unit tests of the command line: what is accepted, and what the errors say.

use super::*;
use rust_sse_server::Speed;

fn options(arguments: &[&str]) -> Options {
    parse(arguments.iter().map(OsString::from)).unwrap()
}

fn error(arguments: &[&str]) -> String {
    parse(arguments.iter().map(OsString::from)).unwrap_err()
}

fn scripts(arguments: &[&str]) -> Vec<PathBuf> {
    options(arguments).scripts
}

#[test]
fn without_arguments_the_demo_is_served_on_loopback() {
    assert_eq!(options(&[]), Options::default());
    assert_eq!((options(&[]).address.host(), options(&[]).address.port()), ("127.0.0.1", 8080));
}

#[test]
fn an_address_can_be_written_in_every_usual_form() {
    for (arguments, host, port) in [
        (&["0.0.0.0", "8765"][..], "0.0.0.0", 8765),
        (&["localhost"], "localhost", 8080),
        (&["[::1]", "0"], "::1", 0),
        (&["::1"], "::1", 8080),
        (&["::"], "::", 8080),
        (&["9000"], "127.0.0.1", 9000),
        (&[":9000"], "127.0.0.1", 9000),
        (&["127.0.0.1:9000"], "127.0.0.1", 9000),
        (&["[::1]:9000"], "::1", 9000),
        (&["-p", "9000"], "127.0.0.1", 9000),
        (&["--port=9000", "0.0.0.0"], "0.0.0.0", 9000),
        (&["--host", "[::]", "9000"], "::", 9000),
        (&["--", "h", "9000"], "h", 9000),
    ] {
        let options = options(arguments);
        assert_eq!((options.address.host(), options.address.port()), (host, port), "{arguments:?}");
        assert!(options.scripts.is_empty());
    }
}

#[test]
fn options_come_anywhere_with_a_space_or_an_equals_sign_before_the_value() {
    let all = options(&["--script", "a", "h", "--speed=max", "1", "--script=b=c", "--max-clients", "7"]);
    assert_eq!(all.scripts, [PathBuf::from("a"), PathBuf::from("b=c")]);
    assert_eq!((all.speed, all.max_clients), (Some(Speed::MAX), Some(7)));
    assert_eq!((all.address.host(), all.address.port()), ("h", 1));
}

#[test]
fn the_last_value_of_a_repeated_option_counts() {
    let repeated = options(&["--speed", "1", "-p", "1", "--log", "--port", "2", "--log", "--speed=max"]);
    assert_eq!((repeated.speed, repeated.address.port(), repeated.log), (Some(Speed::MAX), 2, true));
}

#[test]
fn a_file_name_in_the_place_of_host_or_port_is_a_script() {
    // As a shell expands `--script *.sse`.
    assert_eq!(scripts(&["--script", "a.sse", "b.sse", "c.sse"]).len(), 3);
    assert_eq!(scripts(&["chat.sse", "0.0.0.0", "captures/", "./chat", "-", "8765"]).len(), 4);
    let addressed = options(&["chat.sse", "0.0.0.0", "8765"]);
    assert_eq!((addressed.address.host(), addressed.address.port()), ("0.0.0.0", 8765));
    assert_eq!(scripts(&["--", "-a.sse"]), [PathBuf::from("-a.sse")]);
}

#[test]
fn every_argument_of_check_and_list_is_a_script() {
    assert_eq!(scripts(&["chat", "--check", "capture.txt"]), ["chat", "capture.txt"].map(PathBuf::from));
    assert_eq!(scripts(&["--script", "a", "--list", "9000"]), ["a", "9000"].map(PathBuf::from));
    assert_eq!(options(&["--check", "x"]).command, Command::Check);
    assert_eq!(options(&["--list"]), Options { command: Command::List, ..Options::default() });
}

#[cfg(unix)]
#[test]
fn the_bytes_of_a_file_name_are_kept() {
    use std::os::unix::ffi::OsStrExt;
    let argument = |bytes: &[u8]| OsStr::from_bytes(bytes).to_owned();
    let file = PathBuf::from(argument(b"caf\xe9.sse"));
    for arguments in [
        vec![argument(b"--script=caf\xe9.sse")],
        vec!["--script".into(), file.clone().into()],
        vec![file.clone().into()],
    ] {
        assert_eq!(parse(arguments).unwrap().scripts, std::slice::from_ref(&file));
    }
}

#[test]
fn help_and_version_ignore_what_follows() {
    assert_eq!(options(&["--help", "--bad"]).command, Command::Help);
    assert_eq!(options(&["--check", "-h"]).command, Command::Help);
    assert_eq!(options(&["-V"]).command, Command::Version);
}

#[test]
fn every_error_names_the_argument_and_the_way_out() {
    for (arguments, message) in [
        (&["--sped", "1"][..], "unknown option `--sped` (did you mean `--speed`?)"),
        (&["-x"], "unknown option `-x`"),
        (&["-port", "1"], "unknown option `-port` (did you mean `--port`?)"),
        (&["--record", "x"], "unknown option `--record` (it is called `--journal` now)"),
        (&["--script", "--speed", "2"], "`--script` needs a value"),
        (&["--script", "--", "x"], "`--script` needs a value"),
        (&["--script"], "`--script` needs a value"),
        (&["--help=x"], "`--help` takes no value"),
        (&["--check"], "`--check` needs a script (write `--check FILE`)"),
        (
            &["--capture", "x.sse"],
            "unexpected argument `x.sse` (`--capture` prints the script; write `--capture > x.sse`)",
        ),
        (&["--list", "--check"], "`--check`, `--list`, `--capture` and `--judge` cannot be combined (choose one)"),
        (&["--report", "x"], "`--profile`, `--cases`, `--report` and `--known` need `--judge`"),
        (&["--check", "a", "--cases=P1"], "`--profile`, `--cases`, `--report` and `--known` need `--judge`"),
        (&["--judge", "--list", "--", "x"], "`--check`, `--list`, `--capture` and `--judge` cannot be combined (choose one)"),
        (&["--judge", "--"], "expected a command after `--`"),
        (&["--seed", "x"], "invalid value `x` for `--seed` (expected 0 to 18446744073709551615)"),
        (&["--speed", "0"], "invalid value `0` for `--speed` (expected 0.001 to 1000000, or max)"),
        (
            &["--allow-host", "a:80"],
            "invalid value `a:80` for `--allow-host` (expected a name without a port, such as sse.example.com)",
        ),
        (&["--color=red"], "invalid value `red` for `--color` (expected always, never or auto)"),
        (
            &["--max-body", "5MB"],
            "invalid value `5MB` for `--max-body` (expected a number of bytes such as 512, 64k or 20M, at most 1024M)",
        ),
        (&["--max-clients", "0"], "invalid value `0` for `--max-clients` (expected 1 or more)"),
        (&["--port", "x"], "invalid value `x` for `--port` (expected 0 to 65535)"),
        (
            &["--host", "h:1"],
            "invalid value `h:1` for `--host` (expected a name, or an address such as 127.0.0.1 or [::1])",
        ),
        (&["[::1", "0"], "invalid host `[::1` (expected a name, or an address such as 127.0.0.1 or [::1])"),
        (
            &["fe80::1%lo"],
            "invalid host `fe80::1%lo` (expected a name, or an address such as 127.0.0.1 or [::1])",
        ),
        (&["\u{202e}", "0 "], "invalid port `0\\s` (expected 0 to 65535)"),
        (&["h", "65536"], "invalid port `65536` (expected 0 to 65535)"),
        (&["65536"], "invalid port `65536` (expected 0 to 65535)"),
        (&["h", "+1"], "invalid port `+1` (expected 0 to 65535)"),
        (&["h:http"], "invalid port `http` (expected 0 to 65535)"),
        (&["h:"], "invalid port `` (expected 0 to 65535)"),
        (&["h", ""], "invalid port `` (expected 0 to 65535)"),
        (&[""], "invalid host `` (expected a name, or an address such as 127.0.0.1 or [::1])"),
        (&["h", "1", "2"], "unexpected argument `2` (only HOST and PORT are expected)"),
        (&["--port", "1", "2"], "unexpected argument `2` (`--port` is given as well)"),
        (&["--host=a", "b"], "unexpected argument `b` (`--host` is given as well)"),
        (&["h", "Cargo.toml"], "invalid port `Cargo.toml` (to serve the file, write `--script Cargo.toml`)"),
        (&["9000", "h"], "invalid host `9000` (expected a name, or an address such as 127.0.0.1 or [::1])"),
        (&["http://[::1]:9000/events"], "invalid host `http://[::1]:9000/events` (write `[::1]:9000`)"),
        (&["\u{1b}://\u{202e}"], "invalid host `\\x1b://\\u{202e}` (write `\\u{202e}`)"),
    ] {
        assert_eq!(error(arguments), message, "{arguments:?}");
    }
}
