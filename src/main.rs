//! The program: reads the command line, loads the scripts, starts the server, and prints where it listens. The exit code
//! is 2 for an invalid command line, and 1 for any other error before the server runs.

#![forbid(unsafe_code)]

mod cli;

use cli::{Color, Command, Options};
use rust_sse_server::internals::for_terminal;
use rust_sse_server::{Error, ErrorKind, Script, Server, VERSION};
use std::env;
use std::error::Error as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let options = match cli::parse(env::args_os().skip(1)) {
        Ok(options) => options,
        Err(message) => {
            print_errors(&format!("{message}; see --help"));
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(messages) => {
            print_errors(&messages);
            ExitCode::FAILURE
        }
    }
}

/// Does what the command line says. The error has a message in each line.
fn run(options: &Options) -> Result<(), String> {
    match options.command {
        Command::Help => print(&cli::help()),
        Command::Version => print(&format!("rust_sse_server {VERSION}\n")),
        Command::Check => check(options),
        Command::List => list(options),
        Command::Serve => serve(options),
    }
}

fn check(options: &Options) -> Result<(), String> {
    let count = load(options)?.routes.len();
    print(&format!("{count} {}, no errors\n", if count == 1 { "script" } else { "scripts" }))
}

/// Prints the route of each script and its first remark.
fn list(options: &Options) -> Result<(), String> {
    let server = load(options)?.server;
    let width = server.scripts().map(|script| script.route().len()).max().unwrap_or(0);
    let line = |script: &Script| format!("{:width$}  {}\n", script.route(), script.about());
    print(&for_terminal(&server.scripts().map(line).collect::<String>()))
}

fn serve(options: &Options) -> Result<(), String> {
    let Loaded { server, routes } = load(options)?;
    let server = configure(server, options)?;
    let addresses = resolve(options)?;
    let server = server.start(addresses.as_slice()).map_err(|error| explain(&error, options))?;
    announce(&options.host, server.address().port(), &routes)?;
    server.wait();
    Ok(())
}

/// A server that has the scripts of the command line, and the routes of these scripts.
struct Loaded {
    server: Server,
    routes: Vec<String>,
}

/// Loads the scripts. The error lists everything that is wrong with any of them.
fn load(options: &Options) -> Result<Loaded, String> {
    let mut server = Server::new();
    let mut routes = Vec::new();
    let mut errors = Vec::new();
    for file in &options.scripts {
        match Script::load(file) {
            Ok(script) => {
                routes.push(script.route());
                server = server.script(script);
            }
            Err(error) => errors.push(error.to_string()),
        }
    }
    errors.extend(server.check().err().map(|error| error.to_string()));
    if errors.is_empty() {
        Ok(Loaded { server, routes })
    } else {
        Err(errors.join("\n"))
    }
}

fn configure(mut server: Server, options: &Options) -> Result<Server, String> {
    server = server.speed(options.speed).keep_requests(options.control);
    if let Some(seed) = options.seed {
        server = server.seed(seed);
    }
    if let Some(max_clients) = options.max_clients {
        server = server.max_clients(max_clients);
    }
    if let Some(max_body) = options.max_body {
        server = server.max_body(max_body);
    }
    if options.control {
        server = server.control();
    }
    for name in options.allowed_hosts.iter().chain([&options.host]) {
        server = server.allow_host(name);
    }
    if options.trace {
        let colored = is_colored(options.color);
        server = if colored { server.color_trace(io::stderr()) } else { server.trace(io::stderr()) };
    }
    if options.log {
        server = server.log(io::stdout());
    }
    if let Some(path) = &options.record {
        server = server.record(open_for_appending(path)?);
    }
    Ok(server)
}

fn open_for_appending(path: &Path) -> Result<Box<dyn Write + Send>, String> {
    // This name cannot be opened where stdout is a socket.
    if path == Path::new("/dev/stdout") {
        return Ok(Box::new(io::stdout()));
    }
    let file = OpenOptions::new().create(true).append(true).open(path);
    let file = file.map_err(|error| format!("cannot write to {}: {error}", path.to_string_lossy()))?;
    Ok(Box::new(file))
}

fn is_colored(color: Color) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            // An empty value counts as unset: see https://no-color.org.
            let no_color = env::var_os("NO_COLOR").map_or(false, |value| !value.is_empty());
            !no_color && stderr_is_a_terminal()
        }
    }
}

/// `std::io::IsTerminal` is newer than Rust 1.63. On systems without `/proc` the answer is no.
fn stderr_is_a_terminal() -> bool {
    let device = fs::read_link("/proc/self/fd/2").unwrap_or_default();
    let device = device.to_string_lossy();
    device.starts_with("/dev/pts/") || device.starts_with("/dev/tty")
}

fn resolve(options: &Options) -> Result<Vec<SocketAddr>, String> {
    let host = options.host.as_str();
    let addresses = (host, options.port).to_socket_addrs();
    let addresses = addresses.map_err(|error| format!("cannot resolve {host}: {error} (try 127.0.0.1)"))?;
    Ok(addresses.collect())
}

/// Why the server did not start, and what to do about it.
fn explain(error: &Error, options: &Options) -> String {
    if error.kind() == ErrorKind::TooManyClients {
        return format!("--max-clients: {error}");
    }
    let cause = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    let explanation = match cause.map(io::Error::kind) {
        Some(io::ErrorKind::AddrInUse) => {
            "the port is in use (stop the other program, or choose another port, or 0 for a free one)"
        }
        Some(io::ErrorKind::PermissionDenied) => "ports below 1024 need permission (choose a higher one)",
        Some(io::ErrorKind::AddrNotAvailable) => {
            "this machine does not have that address (try 127.0.0.1 or 0.0.0.0)"
        }
        _ => return error.to_string(),
    };
    format!("cannot listen on {} port {}: {explanation}", options.host, options.port)
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
    let mut stdout = io::stdout();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        // The reader of a pipe has closed it, as `head` does.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(|error| format!("cannot write to stdout: {error}")),
    }
}

fn print_errors(messages: &str) {
    for message in messages.lines() {
        let line = format!("rust_sse_server: {}\n", for_terminal(message));
        // An error here means that stderr is closed, and there is no other place to report it.
        let _ = io::stderr().write_all(line.as_bytes());
    }
}
