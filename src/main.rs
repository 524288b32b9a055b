//! The program: reads the command line, loads the scripts, starts the server, and prints where it listens. Exit status 2
//! for an invalid command line, 1 for anything else that fails before the server runs.

#![forbid(unsafe_code)]

mod cli;

use cli::{Color, Command, Options};
use rust_sse_server::internals::for_terminal;
use rust_sse_server::{Error, ErrorKind, Script, Server, VERSION};
use std::env;
use std::error::Error as _;
use std::fs;
use std::io::{self, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    let options = match cli::parse(env::args_os().skip(1)) {
        Ok(options) => options,
        Err(error) => {
            print_error(&format!("{error}; see --help"));
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            print_error(&message);
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), String> {
    match options.command {
        Command::Help => print(&cli::help()),
        Command::Version => print(&format!("rust_sse_server {VERSION}\n")),
        Command::Check => check(options),
        Command::List => list(options),
        Command::Serve => serve(options),
    }
}

fn serve(options: &Options) -> Result<(), String> {
    let scripts = load(options)?;
    let routes: Vec<String> = scripts.iter().map(Script::route).collect();
    let server = configure(scripts, options)?;
    let server =
        server.start((options.host.as_str(), options.port)).map_err(|error| explain(&error, options))?;
    announce(&options.host, server.address().port(), &routes)?;
    server.wait();
    Ok(())
}

fn configure(scripts: Vec<Script>, options: &Options) -> Result<Server, String> {
    let mut server = with_scripts(scripts).speed(options.speed).keep_requests(options.control);
    if let Some(seed) = options.seed {
        server = server.seed(seed);
    }
    if let Some(max_clients) = options.max_clients {
        server = server.max_clients(max_clients);
    }
    if options.control {
        server = server.control();
    }
    if options.trace {
        server = server.trace(io::stderr()).trace_color(is_colored(options.color));
    }
    if options.log {
        server = server.log(io::stdout());
    }
    if let Some(path) = &options.record {
        let file = fs::OpenOptions::new().create(true).append(true).open(path);
        let file = file.map_err(|error| format!("cannot write to {}: {error}", path.to_string_lossy()))?;
        server = server.record(file);
    }
    Ok(server)
}

fn with_scripts(scripts: Vec<Script>) -> Server {
    scripts.into_iter().fold(Server::new(), Server::script)
}

fn is_colored(color: Color) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            let no_color = env::var_os("NO_COLOR").map_or(false, |value| !value.is_empty());
            !no_color && stderr_is_a_terminal()
        }
    }
}

/// Rust 1.63 cannot tell whether stderr is a terminal, but Linux can.
fn stderr_is_a_terminal() -> bool {
    let device = fs::read_link("/proc/self/fd/2").unwrap_or_default();
    let device = device.to_string_lossy();
    device.starts_with("/dev/pts/") || device.starts_with("/dev/tty")
}

fn check(options: &Options) -> Result<(), String> {
    let scripts = load(options)?;
    let count = scripts.len();
    with_scripts(scripts).check().map_err(|error| error.to_string())?;
    print(&format!("{count} {}, no mistake\n", if count == 1 { "script" } else { "scripts" }))
}

/// Prints the routes of all scripts, each with the script's first remark.
fn list(options: &Options) -> Result<(), String> {
    let server = with_scripts(load(options)?);
    server.check().map_err(|error| error.to_string())?;
    let width = server.scripts().map(|script| script.route().len()).max().unwrap_or(0);
    let line = |script: &Script| format!("{:width$}  {}\n", script.route(), script.about());
    print(&for_terminal(&server.scripts().map(line).collect::<String>()))
}

/// Loads the scripts of the command line, or reports every mistake in all of them.
fn load(options: &Options) -> Result<Vec<Script>, String> {
    let mut scripts = Vec::new();
    let mut errors = Vec::new();
    for file in &options.scripts {
        match Script::load(file) {
            Ok(script) => scripts.push(script),
            Err(error) => errors.push(error.to_string()),
        }
    }
    if errors.is_empty() {
        Ok(scripts)
    } else {
        Err(errors.join("\n"))
    }
}

/// Prints where the server listens. Programs that start it wait for the first line.
fn announce(host: &str, port: u16, routes: &[String]) -> Result<(), String> {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let mut text = format!("Starting SSE server at http://{host}:{port}/events\n");
    for route in routes {
        let (method, target) = route.split_once(' ').unwrap_or(("", route));
        text += &format!("{:>23} http://{host}:{port}{target}\n", format!("and {method}").trim_end());
    }
    print(&for_terminal(&text))
}

fn print(text: &str) -> Result<(), String> {
    let mut out = io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // The reader of the pipe has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(|error| format!("cannot write to stdout: {error}")),
    }
}

/// Why the server cannot start, and what to do about it.
fn explain(error: &Error, options: &Options) -> String {
    let (host, port) = (&options.host, options.port);
    let cause = match error.source().and_then(|source| source.downcast_ref::<io::Error>()) {
        Some(cause) => cause,
        None if error.kind() == ErrorKind::TooManyClients => return format!("--max-clients: {error}"),
        None => return error.to_string(),
    };
    let way_out = match cause.kind() {
        io::ErrorKind::AddrInUse => {
            "the port is in use: stop the other program, or choose another port, or 0 for a free one"
        }
        io::ErrorKind::PermissionDenied => "ports below 1024 need permission: choose a higher one",
        io::ErrorKind::AddrNotAvailable => "this machine has no such address: try 127.0.0.1 or 0.0.0.0",
        _ => {
            return format!("cannot listen on {host} port {port}: {cause} (is the name right? try 127.0.0.1)")
        }
    };
    format!("cannot listen on {host} port {port}: {way_out}")
}

fn print_error(message: &str) {
    for line in message.lines() {
        let line = format!("rust_sse_server: {}\n", for_terminal(line));
        // When stderr is closed, nobody can be told.
        let _ = io::stderr().write_all(line.as_bytes());
    }
}
