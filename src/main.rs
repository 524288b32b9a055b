//! The program, which sends nothing itself: reads its arguments, loads the scripts, binds, says where, lets the server
//! serve. Exit 2 for a wrong command line, 1 for what fails at the start.

#![forbid(unsafe_code)]

mod cli;

use cli::{Color, Command, Options};
use rust_sse_server::script::catalogue::{path_of_file, DEMO_PATH};
use rust_sse_server::text::escape::for_terminal;
use rust_sse_server::{Catalogue, Journal, Script, Server, VERSION};
use std::env;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let options = match cli::parse(env::args_os().skip(1)) {
        Ok(options) => options,
        Err(error) => {
            complain(&error.to_string());
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            complain(&message);
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), String> {
    match options.command {
        Command::Help => print(cli::HELP),
        Command::Version => print(&format!("rust_sse_server {VERSION}\n")),
        Command::Check => check(options),
        Command::List => list(options),
        Command::Serve => serve(options),
    }
}

fn serve(options: &Options) -> Result<(), String> {
    let catalogue = load(options)?;
    let routes: Vec<String> = catalogue.added().map(|script| script.route.to_string()).collect();
    let server = Server::bind((options.host.as_str(), options.port), catalogue);
    let mut server = server.map_err(|error| explain(&error, options))?.speed(options.speed);
    if let Some(seed) = options.seed {
        server = server.seed(seed);
    }
    if let Some(max_clients) = options.max_clients {
        server = server.max_clients(max_clients).map_err(|error| format!("--max-clients: {error}"))?;
    }
    if options.control {
        server = server.control();
    }
    if options.trace {
        server = server.trace(is_coloured(options.color));
    }
    if options.log {
        server = server.log();
    }
    if let Some(journal) = journal(options)? {
        server = server.journal(journal);
    }
    let server = server.start().map_err(|error| format!("cannot start: {error}"))?;
    announce(&options.host, server.address().port(), &routes)?;
    server.wait();
    Ok(())
}

fn is_coloured(color: Color) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            env::var_os("NO_COLOR").map_or(true, |value| value.is_empty()) && stderr_is_a_terminal()
        }
    }
}

/// Rust 1.63 does not say what stderr is; Linux does.
fn stderr_is_a_terminal() -> bool {
    let device = fs::read_link("/proc/self/fd/2").unwrap_or_default();
    let device = device.to_string_lossy();
    device.starts_with("/dev/pts/") || device.starts_with("/dev/tty")
}

/// Where requests are remembered, if somebody can ask for them.
fn journal(options: &Options) -> Result<Option<Journal>, String> {
    match &options.record {
        None => Ok(options.control.then(Journal::default)),
        Some(path) => {
            let file = fs::OpenOptions::new().create(true).append(true).open(path);
            let file =
                file.map_err(|error| format!("cannot write to {}: {error}", path.to_string_lossy()))?;
            Ok(Some(Journal::to_file(file)))
        }
    }
}

fn check(options: &Options) -> Result<(), String> {
    let catalogue = load(options)?;
    let count = catalogue.added().count();
    print(&format!("{count} {}, no mistake\n", if count == 1 { "script" } else { "scripts" }))
}

/// Prints what is served, and the first remark of each script.
fn list(options: &Options) -> Result<(), String> {
    let catalogue = load(options)?;
    let mut width = 0;
    for script in catalogue.scripts() {
        width = width.max(script.route.to_string().len());
    }
    let mut lines = String::new();
    for script in catalogue.scripts() {
        lines += &format!("{:width$}  {}\n", script.route.to_string(), script.about);
    }
    print(&for_terminal(&lines))
}

/// All scripts, or every mistake in them, one a line.
fn load(options: &Options) -> Result<Catalogue, String> {
    let mut catalogue = Catalogue::built_in().map_err(|mistakes| mistakes.to_string())?;
    let mut mistakes = Vec::new();
    for file in &options.scripts {
        match read(file) {
            Ok(script) => catalogue.add(script),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    mistakes.extend(catalogue.check().err());
    match mistakes.is_empty() {
        true => Ok(catalogue),
        false => Err(mistakes.join("\n")),
    }
}

fn read(file: &Path) -> Result<Script, String> {
    let name = file.to_string_lossy();
    let path =
        path_of_file(file).ok_or_else(|| format!("`{name}` leaves no path (call the file NAME.sse)"))?;
    let text = fs::read(file).map_err(|error| format!("cannot read {name}: {error}"))?;
    Script::compile(&name, &path, &text).map_err(|mistakes| mistakes.to_string())
}

/// Says where the server is to be found. Programs that start it wait for the first line.
fn announce(host: &str, port: u16, routes: &[String]) -> Result<(), String> {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let mut text = format!("Starting SSE server at http://{host}:{port}{DEMO_PATH}\n");
    for route in routes {
        let (method, target) = route.split_once(' ').unwrap_or(("", route));
        text += &format!("{:>23} http://{host}:{port}{target}\n", format!("and {method}").trim_end());
    }
    print(&for_terminal(&text))
}

fn print(text: &str) -> Result<(), String> {
    let mut out = io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(format!("cannot write to stdout: {error}"))
        }
        // Whoever closed the pipe has read enough.
        _ => Ok(()),
    }
}

/// Why the server cannot listen there, and what to do.
fn explain(error: &io::Error, options: &Options) -> String {
    let (host, port) = (&options.host, options.port);
    let way_out = match error.kind() {
        ErrorKind::AddrInUse => {
            "something listens there already: stop it, or choose another port, or 0 for a free one"
        }
        ErrorKind::PermissionDenied => "ports below 1024 need permission: choose a higher one",
        ErrorKind::AddrNotAvailable => "this machine has no such address: try 127.0.0.1 or 0.0.0.0",
        _ => {
            return format!("cannot listen on {host} port {port}: {error} (is the name right? try 127.0.0.1)")
        }
    };
    format!("cannot listen on {host} port {port}: {way_out}")
}

fn complain(message: &str) {
    for line in message.lines() {
        let line = format!("rust_sse_server: {}\n", for_terminal(line));
        // Without stderr there is nobody to tell.
        let _ = io::stderr().write_all(line.as_bytes());
    }
}
