//! Unit tests of the command line: what is accepted, and what the errors say.

use super::*;

fn options(arguments: &[&str]) -> Options {
    parse(arguments.iter().map(OsString::from)).unwrap()
}

fn error(arguments: &[&str]) -> String {
    parse(arguments.iter().map(OsString::from)).unwrap_err()
}

#[test]
fn without_arguments_the_demo_is_served_on_loopback() {
    assert_eq!(options(&[]), Options::default());
}

#[test]
fn hosts_are_names_or_addresses_with_or_without_brackets() {
    for (host, expected) in
        [("0.0.0.0", "0.0.0.0"), ("localhost", "localhost"), ("[::1]", "::1"), ("::", "::")]
    {
        assert_eq!(
            options(&[host, "8765"]),
            Options { host: expected.into(), port: 8765, ..Options::default() }
        );
    }
    assert_eq!(options(&["::1"]).port, 8080);
}

#[test]
fn options_come_anywhere_with_a_space_or_an_equals_sign_before_the_value() {
    let all = options(&["--script", "a", "h", "--speed=max", "1", "--script=b=c", "--max-clients", "7"]);
    assert_eq!(all.scripts, [PathBuf::from("a"), PathBuf::from("b=c")]);
    assert_eq!((all.speed, all.max_clients), (Speed::MAX, Some(7)));
    assert_eq!((all.host.as_str(), all.port), ("h", 1));
}

#[test]
fn help_and_version_ignore_what_follows() {
    assert_eq!(options(&["--help", "--bad"]).command, Command::Help);
    assert_eq!(options(&["-V"]).command, Command::Version);
    assert_eq!(options(&["--check"]), Options { command: Command::Check, ..Options::default() });
    assert_eq!(options(&["--list"]), Options { command: Command::List, ..Options::default() });
}

#[test]
fn every_error_names_the_argument_and_the_way_out() {
    for (arguments, message) in [
        (&["--sped", "1"][..], "unknown option `--sped` (did you mean `--speed`?)"),
        (&["-x"], "unknown option `-x`"),
        (
            &["--port", "1"],
            "unknown option `--port` (HOST and PORT have no option name: write `127.0.0.1 8080`)",
        ),
        (&["--script", "--speed", "2"], "`--script` needs a value"),
        (&["--script"], "`--script` needs a value"),
        (&["--help=x"], "`--help` takes no value"),
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
        (&["[::1", "0"], "invalid IPv6 address `[::1` (expected an address such as [::1])"),
        (&["fe80::1%lo"], "invalid IPv6 address `fe80::1%lo` (expected an address such as [::1])"),
        (&["h", "65536"], "invalid port `65536` (expected 0 to 65535)"),
        (&["h", "+1"], "invalid port `+1` (expected 0 to 65535)"),
        (&["h", ""], "invalid port `` (expected 0 to 65535)"),
        (&["h", "1", "2"], "unexpected argument `2` (only HOST and PORT are expected)"),
        (&["8765"], "invalid host `8765` (to choose a port, write `127.0.0.1 8765`)"),
        (&["h:1"], "`h:1`: HOST and PORT are two arguments (write `h 1`)"),
        (&[":1"], "`:1`: HOST and PORT are two arguments (write `127.0.0.1 1`)"),
        (&["http://h"], "invalid host `http://h` (expected a name or an address such as localhost)"),
        (&["a\u{1b}/"], "invalid host `a\\u{1b}/` (expected a name or an address such as localhost)"),
    ] {
        assert_eq!(error(arguments), message);
    }
}
