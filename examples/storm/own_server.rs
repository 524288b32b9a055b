//! The server that is loaded when no URL is given: this program once more, as a process of its own, so that the clients
//! do not share its open files, its memory mappings and its allocator.

use crate::options::Options;
use rust_sse_server::Server;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};

/// The server's process. It ends when dropped, and when this process ends in any other way, for then its stdin ends.
pub struct OwnServer {
    child: Child,
    url: String,
}

impl OwnServer {
    /// Where it plays the demo.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Starts it and waits until it says where it is.
    pub fn start(options: &Options) -> Result<OwnServer, String> {
        let cannot = |error: io::Error| format!("cannot start the server: {error}");
        let program = std::env::current_exe().map_err(cannot)?;
        let mut command = Command::new(program);
        command.args(["--serve", "--clients", &options.clients.to_string()]);
        command.args(options.speed.iter().flat_map(|speed| ["--speed", speed]));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(cannot)?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line).map_err(cannot)?;
        }
        let own = OwnServer { child, url: line.trim_end().to_owned() };
        // It has said itself what the matter is.
        if own.url.is_empty() {
            Err("the server did not start".to_owned())
        } else {
            Ok(own)
        }
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Is that server: prints its URL and serves until stdin ends.
pub fn serve(options: &Options) -> Result<(), String> {
    let cannot = |error: io::Error| format!("cannot serve: {error}");
    let server = Server::new().speed(options.speed()).max_clients(options.clients);
    let server = server.start("127.0.0.1:0").map_err(|error| format!("cannot serve: {error}"))?;
    writeln!(io::stdout(), "{}", server.url("/events")).map_err(cannot)?;
    io::stdin().read_to_end(&mut Vec::new()).map_err(cannot)?;
    Ok(())
}
