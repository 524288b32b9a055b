//! The program: reads its arguments, loads the scripts, binds, says where, serves. Exit 2 for a wrong command line, 1 for
//! what fails at the start.

#![forbid(unsafe_code)]

use rust_sse_server::cli::{self, Command, Options};
use rust_sse_server::script::catalogue::{path_of_file, DEMO_PATH};
use rust_sse_server::{Catalogue, Script, Server, VERSION};
use std::env;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let outcome = match cli::parse(env::args_os().skip(1)) {
        Ok(Command::Help) => print(cli::HELP),
        Ok(Command::Version) => print(&format!("rust_sse_server {VERSION}\n")),
        Ok(Command::Serve(options)) => serve(options),
        Err(error) => {
            complain(&error.to_string());
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            complain(&message);
            ExitCode::FAILURE
        }
    }
}

fn serve(options: Options) -> Result<(), String> {
    let catalogue = load(&options)?;
    let paths: Vec<String> = catalogue.paths().filter(|path| path != DEMO_PATH).collect();
    let server = Server::bind((options.host.as_str(), options.port), catalogue);
    let server = server.map_err(|error| explain(&error, &options))?.speed(options.speed);
    let server = match options.max_clients {
        Some(max_clients) => {
            server.max_clients(max_clients).map_err(|error| format!("--max-clients: {error}"))?
        }
        None => server,
    };
    let port = server.local_addr().map_err(|error| error.to_string())?.port();
    announce(&options.host, port, &paths)?;
    server.run().map_err(|error| format!("cannot start: {error}"))
}

/// All scripts, or every mistake in them, one a line.
fn load(options: &Options) -> Result<Catalogue, String> {
    let mut catalogue = Catalogue::built_in().map_err(|mistakes| mistakes.to_string())?;
    let mut mistakes = Vec::new();
    for file in &options.scripts {
        match read(file) {
            Ok(script) => catalogue.add(script).unwrap_or_else(|mistake| mistakes.push(mistake)),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    match mistakes.is_empty() {
        true => Ok(catalogue),
        false => Err(mistakes.join("\n")),
    }
}

fn read(file: &Path) -> Result<Script, String> {
    let name = file.display().to_string();
    let path = path_of_file(file)
        .ok_or_else(|| format!("{name}: this name leaves no path (call the file NAME.sse)"))?;
    let text = fs::read(file).map_err(|error| format!("cannot read {name}: {error}"))?;
    Script::parse(&name, &path, &text).map_err(|mistakes| mistakes.to_string())
}

/// Says where the server is to be found. Programs that start it wait for the first line.
fn announce(host: &str, port: u16, paths: &[String]) -> Result<(), String> {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let mut text = format!("Starting SSE server at http://{host}:{port}{DEMO_PATH}\n");
    for path in paths {
        text += &format!("                   and http://{host}:{port}{path}\n");
    }
    print(&text)
}

fn print(text: &str) -> Result<(), String> {
    let mut out = io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // Whoever closed the pipe has read enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome.map_err(|error| format!("cannot write to stdout: {error}")),
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
        _ => return format!("cannot listen on {host} port {port}: {error}"),
    };
    format!("cannot listen on {host} port {port}: {way_out}")
}

fn complain(message: &str) {
    for line in message.lines() {
        // Without stderr there is nobody to tell.
        let _ = writeln!(io::stderr(), "rust_sse_server: {line}");
    }
}
