//! The program: reads the command line, loads the scripts, starts the server, and prints where it listens. The exit code
//! is 2 for an invalid command line, and 1 for any other error before the server runs.

#![forbid(unsafe_code)]

mod capture;
mod cli;
mod judge_command;

use cli::{scripts, Color, Command, Options};
use rust_sse_server::internals::{for_terminal, reachable};
use rust_sse_server::{Error, ErrorKind, Script, Server, VERSION};
use std::env;
use std::error::Error as _;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::process::{self, ExitCode};
use std::thread;

fn main() -> ExitCode {
    let options = match cli::parse(env::args_os().skip(1)) {
        Ok(options) => options,
        Err(message) => {
            print_error(&format!("{message}; see --help"));
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(exit_code) => exit_code,
        Err(message) => {
            print_error(&message);
            ExitCode::FAILURE
        }
    }
}

/// Does what the command line says, and returns the exit code.
fn run(options: &Options) -> Result<ExitCode, String> {
    match options.command {
        Command::Judge if !options.judge.command.is_empty() => return judge(options),
        Command::Help => print(&cli::help()),
        Command::Version => print(&format!("rust_sse_server {VERSION}\n")),
        Command::Check => check(options),
        Command::List => list(options),
        Command::Capture => capture::capture(),
        Command::Serve | Command::Judge => serve(options),
    }
    .map(|()| ExitCode::SUCCESS)
}

fn check(options: &Options) -> Result<(), String> {
    let loaded = load(options)?;
    let warnings = match loaded.warnings {
        0 => String::new(),
        count => format!(", {}", counted(count, "warning")),
    };
    print(&format!("{}, no errors{warnings}\n", counted(loaded.routes.len(), "script")))
}

/// Prints the route of each script and its first remark.
fn list(options: &Options) -> Result<(), String> {
    let server = load(options)?.server;
    let width = server.scripts().map(|script| script.route().len()).max().unwrap_or(0);
    let line = |script: &Script| format!("{:width$}  {}", script.route(), script.about());
    let lines = server.scripts().map(line);
    print(&lines.map(|line| for_terminal(&line) + "\n").collect::<String>())
}

/// Judges a client. The exit code is 1 if it violates a `must`.
fn judge(options: &Options) -> Result<ExitCode, String> {
    let server = configure(load(options)?.server, options)?;
    let terminal: Option<Box<dyn Write>> =
        if stderr_is_a_terminal() { Some(Box::new(io::stderr())) } else { None };
    let passed = judge_command::judge(server, &options.judge, terminal)?;
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn serve(options: &Options) -> Result<(), String> {
    let Loaded { server, routes, .. } = load(options)?;
    let mut server = configure(server, options)?;
    for path in options.scripts.iter().filter(|path| !scripts::is_stdin(path)) {
        server = server.watch(path);
    }
    let addresses = resolve(options)?;
    let server = server.start(addresses.as_slice()).map_err(|error| explain(&error, options))?;
    announce(options, server.address(), &routes)?;
    if options.exit_with_stdin {
        let thread = thread::Builder::new().spawn(exit_with_stdin);
        thread.map_err(|error| format!("cannot start a thread: {error}"))?;
    }
    server.wait();
    Ok(())
}

/// Waits until standard input closes, and then ends the program. The system closes a pipe when the program at its other
/// end exits for any reason, even if it is killed.
fn exit_with_stdin() {
    // An error means that standard input cannot be read, so there is no program at its other end.
    let _ = io::copy(&mut io::stdin(), &mut io::sink());
    process::exit(0);
}

/// A server that has the scripts of the command line, and the routes of these scripts.
struct Loaded {
    server: Server,
    routes: Vec<String>,
    /// How many warnings about them were printed.
    warnings: usize,
}

impl Loaded {
    fn with(mut self, script: Script) -> Loaded {
        self.warn(script.warnings());
        self.routes.push(script.route());
        self.server = self.server.script(script);
        self
    }

    fn warn(&mut self, warnings: &[String]) {
        warnings.iter().for_each(|warning| print_line(warning));
        self.warnings += warnings.len();
    }
}

/// Loads the scripts. Prints the errors and warnings in them as `FILE:LINE: message`, which editors find; the error lists
/// whatever else is wrong.
fn load(options: &Options) -> Result<Loaded, String> {
    let server = if options.only { Server::empty() } else { Server::new() };
    let mut loaded = Loaded { server, routes: Vec::new(), warnings: 0 };
    if options.serves_nothing() {
        print_line("rust_sse_server: warning: --only without --script, --static or --control serves nothing");
    }
    let mut is_invalid = false;
    let mut errors = Vec::new();
    for file in scripts::files(&options.scripts)? {
        let scripts = if scripts::is_stdin(&file) {
            Script::parse_all("/stdin", scripts::read_stdin()?)
        } else {
            Script::load_all(&file)
        };
        match scripts {
            Ok(scripts) => loaded = scripts.into_iter().fold(loaded, Loaded::with),
            Err(error) if error.kind() == ErrorKind::InvalidScript => {
                error.to_string().lines().for_each(print_line);
                is_invalid = true;
            }
            Err(error) => errors.push(error.to_string()),
        }
    }
    // Without the scripts that have errors, the others cannot be checked against them.
    if !is_invalid {
        loaded.warn(&loaded.server.warnings());
    }
    errors.extend(loaded.server.check().err().map(|error| error.to_string()));
    if options.strict && loaded.warnings > 0 {
        errors.push(format!("{} not allowed by --strict", counted(loaded.warnings, "warning")));
    }
    if errors.is_empty() && !is_invalid {
        Ok(loaded)
    } else {
        Err(errors.join("\n"))
    }
}

/// `1 script` or `2 scripts`.
fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn configure(mut server: Server, options: &Options) -> Result<Server, String> {
    server = server.keep_requests(options.control);
    if options.command == Command::Judge {
        server = server.judge();
    }
    if let Some(folder) = &options.static_files {
        server = server.static_files(folder).map_err(|error| error.to_string())?;
    }
    if let Some(speed) = options.speed {
        server = server.speed(speed);
    }
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
    server = server.allow_host(options.address.host());
    for name in &options.allowed_hosts {
        server = server.allow_host(name);
    }
    if options.trace {
        let colored = is_colored(options.color);
        server = if colored { server.color_trace(io::stderr()) } else { server.trace(io::stderr()) };
    }
    if options.log {
        server = server.log(io::stdout());
    }
    if let Some(path) = &options.journal {
        server = server.journal(open_journal(path)?);
    }
    Ok(server)
}

/// Opens a file for appending. Stdout is not opened again: a socket cannot be, and in a file, what is written through
/// one of two handles could overwrite what was written through the other.
fn open_journal(path: &Path) -> Result<Box<dyn Write + Send>, String> {
    if ["-", "/dev/stdout"].iter().any(|stdout| path == Path::new(stdout)) {
        return Ok(Box::new(io::stdout()));
    }
    if is_fifo(path) {
        print_line(&format!("waiting for a program that reads {}", for_terminal(&path.to_string_lossy())));
    }
    match OpenOptions::new().create(true).append(true).open(path) {
        Ok(file) => Ok(Box::new(file)),
        Err(error) => Err(format!("cannot write to {}: {error}", for_terminal(&path.to_string_lossy()))),
    }
}

/// Whether a file is a FIFO, which cannot be opened for writing before another program opens it for reading.
#[cfg(unix)]
fn is_fifo(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    path.metadata().map_or(false, |file| file.file_type().is_fifo())
}

#[cfg(not(unix))]
fn is_fifo(_: &Path) -> bool {
    false
}

fn is_colored(color: Color) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            // An empty value counts as unset: see https://no-color.org.
            let no_color = env::var_os("NO_COLOR").map_or(false, |value| !value.is_empty());
            let is_dumb = env::var_os("TERM").map_or(false, |terminal| terminal == "dumb");
            !no_color && !is_dumb && stderr_is_a_terminal()
        }
    }
}

/// `std::io::IsTerminal` is newer than Rust 1.63, but that can tell a device from a file, a pipe and a socket. The only
/// other device that is likely to be stderr is `/dev/null`, where colors do no harm.
#[cfg(unix)]
fn stderr_is_a_terminal() -> bool {
    use std::fs::File;
    use std::os::unix::{fs::FileTypeExt, io::AsFd};
    let stderr = io::stderr().as_fd().try_clone_to_owned().map(File::from);
    stderr.and_then(|file| file.metadata()).map_or(false, |stderr| stderr.file_type().is_char_device())
}

/// Older consoles of Windows print the colors' escape sequences as text.
#[cfg(not(unix))]
fn stderr_is_a_terminal() -> bool {
    false
}

fn resolve(options: &Options) -> Result<Vec<SocketAddr>, String> {
    let host = options.address.host();
    let addresses = (host, options.address.port()).to_socket_addrs();
    let way_out = cli::address::way_out(host, "try 127.0.0.1");
    let addresses = addresses.map_err(|error| format!("cannot resolve {host}: {error} ({way_out})"))?;
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
    format!("cannot listen on {} port {}: {explanation}", options.address.host(), options.address.port())
}

/// Prints where the server listens. Programs that start it wait for the first line, which contains HOST as it was given.
/// The other lines contain the address that was bound, because a name can have several.
fn announce(options: &Options, address: SocketAddr, routes: &[String]) -> Result<(), String> {
    let host = options.address.host();
    let has_page = !options.only || options.static_files.is_some();
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let first = format!("Starting SSE server at http://{host}:{}/events", address.port());
    let address = reachable(address);
    let mut lines = vec![first];
    let mut add =
        |what: &str, target: &str| lines.push(format!("{:>22} http://{address}{target}", what.trim_end()));
    let is_page = |route: &String| route == "/" || (route.ends_with(" /") && route.contains("GET"));
    if has_page && !routes.iter().any(is_page) {
        add("and for a browser", "/");
    }
    if options.command == Command::Judge {
        add("and the judge", "/-/judge");
    }
    for route in routes {
        let (method, target) = route.split_once(' ').unwrap_or(("", route));
        add(&format!("and {method}"), target);
    }
    print(&lines.iter().map(|line| for_terminal(line) + "\n").collect::<String>())
}

fn print(text: &str) -> Result<(), String> {
    let mut stdout = io::stdout();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        // The reader of a pipe has closed it, as `head` does.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(|error| format!("cannot write to stdout: {error}")),
    }
}

/// Prints an error of the program, which can have several lines, or none if all were printed before.
fn print_error(message: &str) {
    message.lines().for_each(|line| print_line(&format!("rust_sse_server: {line}")));
}

fn print_line(message: &str) {
    // An error here means that stderr is closed, and there is no other place to report it.
    let _ = io::stderr().write_all(format!("{}\n", for_terminal(message)).as_bytes());
}
