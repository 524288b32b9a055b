//! The server: a builder, and the handle of a server that runs.
//!
//! | module | what it does |
//! |---|---|
//! | `accept` | accepts connections and spawns a thread for each client |
//! | `connection` | serves one client: request, script, next request |
//! | `responses` | the responses to requests that no script answers |
//! | `internal` | the page at `/`, and the paths under `/-/` |
//! | `connections` | the list of open connections, through which they are interrupted |
//! | `overload` | sends 503 to clients that cannot be served |
//! | `port` | the ports that the server listens on, and when their connections are refused |
//! | `driving` | what a test can do to a running server |
//! | `clock` | sleeps until the next step of a script is due |
//! | `stream_control` | the commands of a test for a stream |
//! | `socket` | the two directions of a TCP connection, with their time limits |
//! | `body` | the memory for bodies of requests |
//! | `journal` | keeps requests and the ends of their responses for tests, and writes them to a file |
//! | `scripts` | the scripts, which can change, and their files, which are loaded again |
//! | `static_files` | the files of a folder, beside the scripts |
//! | `shared` | the state that all threads share |
//! | `thread_limit` | how many threads a process can have |
//! | `threads` | waits for the threads of a server that stops |
//! | `warning` | warnings on stderr, at most one a minute |

mod accept;
mod body;
mod clock;
mod connection;
mod connections;
mod driving;
mod internal;
mod journal;
mod overload;
mod port;
mod responses;
mod scripts;
mod shared;
mod socket;
mod static_files;
mod stream_control;
mod thread_limit;
mod threads;
mod warning;

use crate::judge::run::CaseRun;
use crate::judge::{cases, Judge};
use crate::script::catalogue::{Catalogue, Found};
use crate::script::units::Speed;
use crate::script::Script;
use crate::text::error::{Error, ErrorKind};
pub use crate::trace::exchange::ClosedBy;
use crate::trace::log::Log;
use crate::trace::terminal::Terminal;
pub use journal::entry::{JournalEntry, RecordedEnd};
pub use journal::recorded_request::RecordedRequest;
use journal::writer::EntryWriter;
pub use port::reachable;
use port::Ports;
use scripts::Scripts;
use shared::Shared;
use static_files::StaticFiles;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fmt, mem};
use thread_limit::thread_limit;
use threads::Threads;
use warning::Warnings;

/// Clients served at the same time by default: below the usual limit of 1,024 open files.
pub const DEFAULT_MAX_CLIENTS: usize = 1_000;

/// A server that is not running yet.
///
/// ```
/// use rust_sse_server::{Script, Server, Speed};
///
/// let server = Server::new()
///     .script(Script::parse("/chat", "data: hello\n\n")?)
///     .speed(Speed::MAX)
///     .start("127.0.0.1:0")?;
/// println!("connect to {}", server.url("/chat"));
/// # Ok::<(), rust_sse_server::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "a server does nothing until it is started"]
pub struct Server {
    catalogue: Catalogue,
    watched: Vec<PathBuf>,
    shared: Shared,
    journal: Option<JournalWriter>,
}

struct JournalWriter(Box<dyn Write + Send>);

impl fmt::Debug for JournalWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JournalWriter")
    }
}

impl Default for Server {
    fn default() -> Server {
        Server::new()
    }
}

impl Server {
    /// A server with the built-in scripts, such as the demo at `/events`.
    pub fn new() -> Server {
        let max_clients = DEFAULT_MAX_CLIENTS.min(thread_limit());
        let catalogue = Catalogue::built_in().unwrap_or_default();
        let shared = Shared::new(max_clients);
        Server { catalogue, watched: Vec::new(), shared, journal: None }
    }

    /// A server without the built-in scripts and without the page at `/`: it answers only what is added to it.
    pub fn empty() -> Server {
        let mut server = Server::new();
        server.catalogue = Catalogue::default();
        server.shared.has_page = false;
        server
    }

    /// Adds a script. It replaces built-in scripts that answer the same requests.
    pub fn script(mut self, script: Script) -> Server {
        self.catalogue.add(script);
        self
    }

    /// Adds the script in a file, or those in the files `*.sse` of a folder, and watches them: at the next request
    /// after a file has changed, its script is loaded again. If that has errors, they are printed on stderr, and its
    /// previous version stays. Scripts of files that are new in the folder are added then, and those of removed files
    /// are removed. A script that is loaded again counts its requests from 1; responses that are playing continue as
    /// they began.
    ///
    /// ```
    /// use rust_sse_server::Server;
    ///
    /// let server = Server::empty().watch("src/scripts").start("127.0.0.1:0")?;
    /// println!("edit the scripts, and request {}", server.url("/clock"));
    /// # Ok::<(), rust_sse_server::Error>(())
    /// ```
    pub fn watch(mut self, path: impl AsRef<Path>) -> Server {
        self.watched.push(path.as_ref().to_owned());
        self
    }

    /// Serves the files of a folder beside the scripts, so that a web page and its stream have the same origin: a file
    /// for GET and HEAD at its path in the folder, and `index.html` for a path that ends with a slash. A script takes
    /// precedence over a file. Files outside the folder, even through symbolic links, and names that begin with a dot
    /// are not served.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when the folder does not exist or cannot be read.
    pub fn static_files(mut self, folder: impl AsRef<Path>) -> Result<Server, Error> {
        self.shared.static_files = Some(StaticFiles::new(folder.as_ref())?);
        Ok(self)
    }

    /// Sets how fast scripts play. Default: [`Speed::NORMAL`].
    pub fn speed(mut self, speed: Speed) -> Server {
        self.shared.speed = speed;
        self
    }

    /// Makes random values repeatable: the n-th request to a script always gets the same ones. Default: a random seed.
    pub fn seed(mut self, seed: u64) -> Server {
        self.shared.seed = seed;
        self
    }

    /// Sets how many clients are served at the same time, at least 1. Further clients get `503 Service Unavailable`.
    /// Default: 1,000.
    pub fn max_clients(mut self, max_clients: usize) -> Server {
        self.shared.max_clients = max_clients.max(1);
        self
    }

    /// Sets how many bytes the body of a request can have. Further ones get `413 Content Too Large`. Default: 1 MiB.
    /// All bodies that are in memory at a time have at most 64 MiB, or this many bytes if that is more; further clients
    /// get `503 Service Unavailable`.
    pub fn max_body(mut self, bytes: usize) -> Server {
        self.shared.body_memory.max_body = bytes;
        self
    }

    /// Lets every client control the server with the paths under `/-/`, unless it is a page of another website: what
    /// the methods of [`RunningServer`] do, and `POST /-/stop`, which stops the server.
    pub fn control(mut self) -> Server {
        self.shared.control = true;
        self
    }

    /// Answers requests under `/-/` also if their `Host` has this name (without a port). Otherwise they need `localhost` or
    /// an IP address there, so that a web page whose name was made to resolve to this machine cannot use these paths.
    pub fn allow_host(mut self, name: &str) -> Server {
        self.shared.allowed_hosts.push(name.to_owned());
        self
    }

    /// Writes every byte that is sent or received to `writer`, with the names that the standards give to the pieces; for
    /// the page at `/` and the paths under `/-/`, a line for each response. A writer that blocks delays the clients.
    pub fn trace(mut self, writer: impl Write + Send + 'static) -> Server {
        self.shared.trace.terminal = Some(Terminal::new(writer, false));
        self
    }

    /// The same as [`trace`](Server::trace), in the colors of an ANSI terminal.
    pub fn color_trace(mut self, writer: impl Write + Send + 'static) -> Server {
        self.shared.trace.terminal = Some(Terminal::new(writer, true));
        self
    }

    /// Writes a line for each request and one for the end of each response to `writer`. A writer that blocks delays the
    /// clients.
    pub fn log(mut self, writer: impl Write + Send + 'static) -> Server {
        self.shared.trace.log = Some(Log::new(writer));
        self
    }

    /// Sets whether requests and the ends of responses are kept in memory for [`RunningServer::requests`] and
    /// [`RunningServer::journal`]: at most 20,000, and at most 16 MiB, or else the last one. Default: true.
    pub fn keep_requests(mut self, keep: bool) -> Server {
        self.shared.journal.keeps = keep;
        self
    }

    /// Writes each request and each end of a response to `writer`, as [`JournalEntry::to_json`] formats it: whole
    /// lines, each flushed before the response. A writer that fails loses lines, and so does one that blocks, after it
    /// has delayed one of them by 0.1 s. A warning on stderr says so.
    pub fn journal(mut self, writer: impl Write + Send + 'static) -> Server {
        self.journal = Some(JournalWriter(Box::new(writer)));
        self
    }

    /// Judges clients (see [`RunningServer::judge`]) by the built-in cases, or by the scripts that were added, if there are any; one
    /// without `@case`, such as a captured stream, tests which events a client dispatches.
    ///
    /// Cases are served at `/case/NAME/ID`, where NAME is any name for the client, and there is a page at `/-/judge`. Bodies of
    /// requests can have 16 MiB, unless `max_body` is called after this.
    pub fn judge(mut self) -> Server {
        self.shared.judge = Judge::new(cases::built_in().unwrap_or_default());
        self.shared.body_memory.allow_reports();
        self
    }

    /// The scripts that the server answers with: the built-in ones that were not replaced, then those that were added.
    pub fn scripts(&self) -> impl Iterator<Item = &Script> {
        self.catalogue.scripts()
    }

    /// Warnings about references between scripts, as lines like those of [`Script::warnings`]: a script that was added reads
    /// the count of one that does not exist.
    pub fn warnings(&self) -> Vec<String> {
        self.catalogue.warnings()
    }

    /// Checks what [`start`](Server::start) checks before it opens a port.
    ///
    /// # Errors
    /// - [`ErrorKind::DuplicateRoute`]: two scripts that were added answer the same request, or a script has a path that
    ///   begins with `/-/`.
    /// - [`ErrorKind::TooManyClients`]: Linux limits the memory mappings of a process (`vm.max_map_count`), and near that
    ///   limit a thread that starts can abort the whole process. The message says how many clients are possible.
    pub fn check(&self) -> Result<(), Error> {
        scripts::check(&self.catalogue)?;
        let (max_clients, limit) = (self.shared.max_clients, thread_limit());
        if max_clients > limit {
            let message = format!("cannot serve {max_clients} clients (vm.max_map_count allows {limit})");
            return Err(Error::new(ErrorKind::TooManyClients, message));
        }
        Ok(())
    }

    /// Binds to the first of the addresses that is possible and starts to serve, on threads of the server. Port 0 means
    /// any free port.
    ///
    /// # Errors
    /// Those of [`check`](Server::check), [`ErrorKind::InvalidScript`] and [`ErrorKind::Io`] for the scripts of
    /// [`watch`](Server::watch), [`ErrorKind::AddressInUse`], and [`ErrorKind::Io`] when the system cannot bind to the
    /// address or start a thread.
    pub fn start(mut self, address: impl ToSocketAddrs) -> Result<RunningServer, Error> {
        self.check()?;
        self.load_scripts()?;
        let listeners = port::bind(address, self.shared.judge.is_present())?;
        let address = listeners[0].local_addr().map_err(|error| Error::io("cannot find the port", error))?;
        self.shared.ports = Ports::new(&listeners).map_err(|error| Error::io("cannot listen", error))?;
        let threads = self.start_threads(listeners);
        let (shared, threads) = threads.map_err(|error| Error::io("cannot start a thread", error))?;
        Ok(RunningServer { address, shared, threads: Some(threads) })
    }

    fn load_scripts(&mut self) -> Result<(), Error> {
        let scripts = Scripts::new(mem::take(&mut self.catalogue), mem::take(&mut self.watched))?;
        let replaces_page = matches!(scripts.current().find("GET", b"/", None), Found::Script(_));
        self.shared.trace.has_page = self.shared.has_page && !replaces_page;
        self.shared.judge.use_scripts(scripts.current().own());
        self.shared.scripts = scripts;
        Ok(())
    }

    fn start_threads(mut self, listeners: Vec<TcpListener>) -> io::Result<(Arc<Shared>, Threads)> {
        self.shared.warnings = Warnings::start()?;
        if let Some(JournalWriter(writer)) = self.journal {
            self.shared.journal.writer = Some(EntryWriter::start(writer, self.shared.warnings.clone())?);
        }
        self.shared.trace.reports_ends = self.shared.journal.is_on();
        let shared = Arc::new(self.shared);
        match accept::start(listeners, &shared) {
            Ok(threads) => Ok((shared, threads)),
            Err(error) => {
                // Some threads may have started.
                shared.stop(None);
                shared.ports.wake();
                Err(error)
            }
        }
    }
}

/// A server that runs. It stops when this handle is dropped.
#[derive(Debug)]
#[must_use = "the server stops when its handle is dropped"]
pub struct RunningServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    /// `None` when they have ended.
    threads: Option<Threads>,
}

impl RunningServer {
    /// The address that the server listens on, with the actual port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of a path on this server. The path begins with `/` and is percent-encoded.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The names of the test cases, in their order; none without [`Server::judge`].
    pub fn cases(&self) -> Vec<String> {
        self.shared.judge.cases().iter().map(|case| case.id.clone()).collect()
    }

    /// Begins a test case for a client, whose name can be any text of up to 64 bytes: the client has to request
    /// [`case_url`](RunningServer::case_url), and [`wait`](CaseRun::wait) returns its result. `None` if there is no such case.
    /// [`Report`](crate::Report) has an example.
    pub fn judge(&self, client: &str, case: &str) -> Option<Arc<CaseRun>> {
        self.shared.judge.run(client, case)
    }

    /// The URL of a test case for its client: usually that of [`path`](CaseRun::path), and for a case about other origins or
    /// refused connections one with another port of this server.
    pub fn case_url(&self, case: &Arc<CaseRun>) -> String {
        let mut address = self.address;
        if let Some(port) = self.shared.ports.assign(case) {
            address.set_port(port);
        }
        format!("http://{address}{}", case.path())
    }

    /// Waits until a client has stopped the server with `POST /-/stop` (see [`Server::control`]).
    pub fn wait(mut self) {
        if let Some(threads) = self.threads.take() {
            threads.join(&self.shared);
        }
    }
}

impl Drop for RunningServer {
    /// Closes the ports and all connections, and waits until the threads that served them have ended: a few milliseconds,
    /// and 0.1 s at most.
    fn drop(&mut self) {
        if let Some(threads) = self.threads.take() {
            self.shared.stop(None);
            self.shared.ports.wake();
            threads.wait_for_end(&self.shared);
        }
    }
}
