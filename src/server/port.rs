//! The ports that the server listens on: its own, and if it judges clients, further ones for test cases.

mod downtime;
mod waker;

use crate::http::status::{RequestError, Status};
use crate::judge::run::CaseRun;
use crate::script::case::Start;
use crate::text::error::Error;
use crate::text::lock::lock;
use downtime::Downtime;
use std::io;
use std::iter;
use std::net::{TcpListener, ToSocketAddrs};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;
pub use waker::reachable;
use waker::Waker;

/// Ports for test cases that refuse connections: as many as the program judges clients at a time, so that there is always
/// one left for the next case.
const CASE_PORTS: usize = 8;
/// The index of the port that makes another origin. Those after it can be taken by cases.
const OTHER_ORIGIN: usize = 1;
/// The response to a client whose case has got no port.
pub(super) const NO_PORT: RequestError =
    Status::SERVICE_UNAVAILABLE.error("too many test cases that refuse connections run at a time (limit 8)");

/// A port that the server listens on. Each has a thread that accepts its connections.
#[derive(Debug)]
pub(crate) struct Port {
    /// Its number.
    pub number: u16,
    /// Wakes the thread that accepts its connections.
    pub waker: Waker,
    /// When its connections are refused.
    pub downtime: Downtime,
    /// The run of the test case that has the port, until it is decided.
    holder: Mutex<Weak<CaseRun>>,
}

impl Port {
    fn new(listener: &TcpListener) -> io::Result<Port> {
        let waker = Waker::default();
        waker.arm(listener)?;
        Ok(Port {
            number: listener.local_addr()?.port(),
            waker,
            downtime: Downtime::default(),
            holder: Mutex::default(),
        })
    }

    /// Refuses connections for this time. Returns when the port is closed.
    pub fn pause_listening(&self, time: Duration) {
        self.downtime.begin(time);
        // If this fails, the port is closed when the next client connects.
        let _ = self.waker.wake();
        self.downtime.wait_until_closed();
    }

    fn is_held_by(&self, run: &Arc<CaseRun>) -> bool {
        std::ptr::eq(lock(&self.holder).as_ptr(), Arc::as_ptr(run))
    }

    /// Gives the port to a run, if no other one needs it.
    fn take_for(&self, run: &Arc<CaseRun>) -> bool {
        let mut holder = lock(&self.holder);
        let is_free = holder.upgrade().map_or(true, |other| other.result().is_some());
        if is_free {
            *holder = Arc::downgrade(run);
            self.downtime.end();
        }
        is_free
    }
}

/// All ports of a server: its own, and if it judges clients, one that makes another origin, and those for cases that
/// refuse connections. There is none before it starts.
#[derive(Debug, Default)]
pub(crate) struct Ports(Vec<Port>);

impl Ports {
    /// The ports of these listeners, ready to be woken.
    ///
    /// # Errors
    /// A listener has no address, or there is no descriptor left.
    pub fn new(listeners: &[TcpListener]) -> io::Result<Ports> {
        listeners.iter().map(Port::new).collect::<io::Result<_>>().map(Ports)
    }

    /// The port of the listener with this index.
    pub fn get(&self, index: usize) -> &Port {
        &self.0[index]
    }

    /// The server's own port.
    pub fn own(&self) -> Option<&Port> {
        self.0.first()
    }

    /// The number of the port that makes another origin.
    pub fn other_origin(&self) -> Option<u16> {
        self.0.get(OTHER_ORIGIN).map(|port| port.number)
    }

    /// The numbers of the ports for test cases.
    pub fn for_cases(&self) -> impl Iterator<Item = u16> + '_ {
        self.0.iter().skip(OTHER_ORIGIN).map(|port| port.number)
    }

    /// The port with this number.
    pub fn find(&self, number: u16) -> Option<&Port> {
        self.0.iter().find(|port| port.number == number)
    }

    /// The number of the port where a client has to begin a test case, if it is not the server's own. A case that refuses
    /// connections is assigned a port that no other case has.
    pub fn assign(&self, run: &Arc<CaseRun>) -> Option<u16> {
        if !run.script.refuses_connections() {
            return self.other_origin().filter(|_| run.script.begins_elsewhere());
        }
        let held = self.for_refusing_cases().find(|port| port.is_held_by(run));
        held.or_else(|| self.take_for(run)).map(|port| port.number)
    }

    /// Takes a port for a case that refuses connections. If there is none left, the case cannot judge the client.
    fn take_for(&self, run: &Arc<CaseRun>) -> Option<&Port> {
        let taken = self.for_refusing_cases().find(|port| port.take_for(run));
        match (taken, run.script.start) {
            (Some(port), Start::Down(time)) => port.pause_listening(time),
            (Some(_), _) => {}
            (None, _) => run.skip(NO_PORT.reason),
        }
        taken
    }

    /// The ports for cases that refuse connections.
    fn for_refusing_cases(&self) -> impl Iterator<Item = &Port> {
        self.0.iter().skip(OTHER_ORIGIN + 1)
    }

    /// Ends all periods in which connections are refused.
    pub fn reopen(&self) {
        self.0.iter().for_each(|port| port.downtime.end());
    }

    /// Wakes the accepting threads of a server that stops. One that cannot be woken ends when the next client connects.
    pub fn wake(&self) {
        for port in &self.0 {
            let _ = port.waker.wake();
        }
    }
}

/// Binds a port of the first of these addresses that can be bound and, if there are test cases, further ports of the same
/// address.
///
/// # Errors
/// The system cannot bind them.
pub(super) fn bind(addresses: impl ToSocketAddrs, has_cases: bool) -> Result<Vec<TcpListener>, Error> {
    let own = TcpListener::bind(addresses).map_err(|error| Error::io("cannot listen", error))?;
    let mut address = own.local_addr().map_err(|error| Error::io("cannot find the port", error))?;
    address.set_port(0);
    let ports_for_cases = if has_cases { 1 + CASE_PORTS } else { 0 };
    let for_cases = (0..ports_for_cases).map(|_| TcpListener::bind(address));
    let all: io::Result<_> = iter::once(Ok(own)).chain(for_cases).collect();
    all.map_err(|error| Error::io("cannot listen on ports for test cases", error))
}
