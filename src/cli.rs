//! Reads the command line: what to serve, where and how.

pub mod address;
mod options;
pub mod scripts;
mod table;

use crate::judge_command::JudgeOptions;
pub use options::{Color, Command, Options};
use rust_sse_server::internals::{escape, suggest};
use std::ffi::{OsStr, OsString};
use std::path::{is_separator, PathBuf};
use table::{Action, Row, TABLE};

/// What `--help` prints before the options.
const USAGE: &str = "\
A scripted Server-Sent-Events server: plays a script of events to every client.

Usage: rust_sse_server [OPTIONS] [HOST [PORT]] [FILE]...
       rust_sse_server --judge [OPTIONS] [-- COMMAND...]
       curl -isSN --raw URL | rust_sse_server --capture > FILE

Arguments:
  HOST  name or address to listen on [default: 127.0.0.1]; 0.0.0.0 or [::] for every address
  PORT  port to listen on [default: 8080]; 0 for any free one
  FILE  the same as --script FILE: an argument that ends in .sse or contains a slash, and every
        argument after --check or --list

Options:
";

/// What `--help` prints after the options.
const EXAMPLE: &str = "
Try it: curl -N http://127.0.0.1:8080/events, or open http://127.0.0.1:8080/ in a browser
";

/// What `--help` prints.
pub fn help() -> String {
    let width = TABLE.iter().map(|row| row.usage.len()).max().unwrap_or(0);
    let next_line = format!("\n  {:width$}  ", "");
    let mut text = USAGE.to_owned();
    for row in TABLE {
        text += &format!("  {:width$}  {}\n", row.usage, row.help.replace('\n', &next_line));
    }
    text + EXAMPLE
}

/// Reads the arguments that follow the program's name. When an option that has one value is repeated, the last one counts.
///
/// # Errors
/// The first argument that is unknown, incomplete or out of range.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Options, String> {
    let mut arguments = arguments.into_iter();
    let mut options = Options::default();
    let mut positional = Vec::new();
    while let Some(argument) = arguments.next() {
        let text = argument.to_string_lossy();
        if text == "--" && options.command == Command::Judge {
            options.judge.command.extend(arguments.by_ref());
            if options.judge.command.is_empty() {
                return Err("expected a command after `--`".to_owned());
            }
        } else if text == "--" {
            positional.extend(arguments.by_ref());
        } else if text.starts_with('-') && text != "-" {
            apply(&argument, &mut arguments, &mut options)?;
        } else {
            positional.push(argument);
        }
        // What follows these two is not even read.
        if matches!(options.command, Command::Help | Command::Version) {
            return Ok(options);
        }
    }
    apply_positional(positional, &mut options)?;
    check(&options)?;
    Ok(options)
}

/// Applies the arguments that are not options: files, HOST and PORT.
fn apply_positional(arguments: Vec<OsString>, options: &mut Options) -> Result<(), String> {
    if let Some(argument) = arguments.first().filter(|_| options.command == Command::Capture) {
        let argument = escape(&*argument.to_string_lossy());
        return Err(format!(
            "unexpected argument `{argument}` (`--capture` prints the script; write `--capture > {argument}`)"
        ));
    }
    let only_loads = matches!(options.command, Command::Check | Command::List);
    let (files, address): (Vec<_>, Vec<_>) =
        arguments.into_iter().partition(|argument| only_loads || is_file_name(argument));
    options.scripts.extend(files.into_iter().map(PathBuf::from));
    let address: Vec<_> = address.iter().map(|argument| argument.to_string_lossy()).collect();
    options.address.set(&address)
}

/// Checks that the options fit together.
fn check(options: &Options) -> Result<(), String> {
    if options.command != Command::Judge && options.judge != JudgeOptions::default() {
        return Err("`--profile`, `--cases`, `--report` and `--known` need `--judge`".to_owned());
    }
    if let Some(option) = options.judge.needs_command().filter(|_| options.judge.command.is_empty()) {
        return Err(format!("`{option}` needs a client (write `--judge {option} … -- COMMAND`)"));
    }
    if options.command == Command::Check && options.scripts.is_empty() {
        return Err("`--check` needs a script (write `--check FILE`)".to_owned());
    }
    if options.exit_with_stdin && options.scripts.iter().any(|script| scripts::is_stdin(script)) {
        return Err("`--exit-with-stdin` cannot be combined with `-`, which reads standard input to its end"
            .to_owned());
    }
    Ok(())
}

/// Whether an argument cannot be meant as HOST or PORT. Its form decides, and not which files there are: a file can be
/// called `localhost`.
fn is_file_name(argument: &OsStr) -> bool {
    let text = argument.to_string_lossy();
    text == "-" || text.ends_with(".sse") || (text.contains(is_separator) && !text.contains("://"))
}

/// Applies the option `--name`, `--name=value`, or `--name` with its value in the next argument.
fn apply(
    argument: &OsStr,
    rest: &mut impl Iterator<Item = OsString>,
    options: &mut Options,
) -> Result<(), String> {
    let text = argument.to_string_lossy();
    let name = text.split('=').next().unwrap_or_default();
    let row = find(name).ok_or_else(|| unknown_option(name))?;
    let mut value = |inline: Option<OsString>| {
        let next = || rest.next().filter(|next| next != "--" && find(&next.to_string_lossy()).is_none());
        inline.or_else(next).ok_or_else(|| format!("`{name}` needs a value"))
    };
    match (&row.action, after_equals_sign(argument)) {
        (Action::Flag(_) | Action::Run(_), Some(_)) => return Err(format!("`{name}` takes no value")),
        (Action::Flag(set), None) => set(options),
        (Action::Run(command), None) => set_command(options, *command)?,
        (Action::File(set), inline) => set(options, value(inline)?.into()),
        (Action::Value(set), inline) => {
            let value = value(inline)?;
            set(options, &value).map_err(|expected| invalid_value(&value, name, expected))?;
        }
    }
    Ok(())
}

/// What follows the first equals sign. On Unix, a file name can contain bytes that are not UTF-8, which are kept.
#[cfg(unix)]
fn after_equals_sign(argument: &OsStr) -> Option<OsString> {
    use std::os::unix::ffi::OsStrExt;
    let mut parts = argument.as_bytes().splitn(2, |&byte| byte == b'=');
    parts.nth(1).map(|value| OsStr::from_bytes(value).to_owned())
}

#[cfg(not(unix))]
fn after_equals_sign(argument: &OsStr) -> Option<OsString> {
    argument.to_string_lossy().split_once('=').map(|(_, value)| value.into())
}

fn find(name: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.names().any(|other| other == name))
}

fn unknown_option(name: &str) -> String {
    let hint = match name {
        "--record" => " (it is called `--journal` now)".to_owned(),
        _ => suggest::hint(name, TABLE.iter().filter_map(|row| row.names().last())),
    };
    format!("unknown option `{}`{hint}", escape(name))
}

fn invalid_value(value: &OsStr, name: &str, expected: &str) -> String {
    format!("invalid value `{}` for `{name}` (expected {expected})", escape(&*value.to_string_lossy()))
}

fn set_command(options: &mut Options, command: Command) -> Result<(), String> {
    let comes_first = matches!(command, Command::Help | Command::Version);
    if !comes_first && ![Command::Serve, command].contains(&options.command) {
        return Err(
            "`--check`, `--list`, `--capture` and `--judge` cannot be combined (choose one)".to_owned()
        );
    }
    options.command = command;
    Ok(())
}

#[cfg(test)]
mod tests;
