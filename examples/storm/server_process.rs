//! The server that is tested when no URL is given: this program again, as a second process, so that the clients do not
//! share its open files, its memory mappings and its allocator.

use crate::options::Options;
use rust_sse_server::Server;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};

/// The server's process. It ends when this is dropped, and also when the test ends without that, because then its stdin
/// ends.
pub struct ServerProcess {
    child: Child,
    url: String,
}

impl ServerProcess {
    /// The URL of the demo.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Starts the process and waits until it has printed the URL.
    pub fn start(options: &Options) -> Result<ServerProcess, String> {
        let cannot_start = |error: io::Error| format!("cannot start the server: {error}");
        let program = std::env::current_exe().map_err(cannot_start)?;
        let mut command = Command::new(program);
        command.args(["--serve", "--clients", &options.clients.to_string()]);
        command.args(options.speed.iter().flat_map(|speed| ["--speed", speed]));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(cannot_start)?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line).map_err(cannot_start)?;
        }
        let server = ServerProcess { child, url: line.trim_end().to_owned() };
        if server.url.is_empty() {
            // The reason is on stderr, where the process has printed it.
            return Err("the server did not start".to_owned());
        }
        Ok(server)
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs the server in this process: prints the URL of the demo and serves until stdin ends.
pub fn serve(options: &Options) -> Result<(), String> {
    let server = Server::new().speed(options.speed()).max_clients(options.clients).keep_requests(false);
    let server = server.start("127.0.0.1:0").map_err(|error| format!("cannot serve: {error}"))?;
    let cannot_serve = |error: io::Error| format!("cannot serve: {error}");
    writeln!(io::stdout(), "{}", server.url("/events")).map_err(cannot_serve)?;
    io::stdin().read_to_end(&mut Vec::new()).map_err(cannot_serve)?;
    Ok(())
}
