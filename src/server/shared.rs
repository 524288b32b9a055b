//! Sends nothing: what all clients of a server share.

use crate::script::catalogue::Catalogue;
use crate::script::play::clock::Timing;
use crate::server::clock::ServerState;
use crate::server::journal::Journal;
use crate::trace::Trace;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// What all clients of a server share.
#[derive(Debug)]
pub struct Shared {
    /// What is served.
    pub catalogue: Catalogue,
    /// How fast scripts play, and what random waits are made of.
    pub timing: Timing,
    /// Whether it stops, and how many clients it has.
    pub state: ServerState,
    /// Remembers requests, if that is wanted.
    pub journal: Option<Journal>,
    /// Shows what goes over the wire.
    pub trace: Trace,
    /// Whether paths under `/-/` steer the server.
    pub control: bool,
}

impl Shared {
    /// Tells whoever waits that the server stops, and wakes the thread that accepts at `address`.
    pub fn stop(&self, address: SocketAddr) -> io::Result<TcpStream> {
        self.state.stop.store(true, Ordering::Relaxed);
        // `accept` returns for a client only, so be one.
        TcpStream::connect_timeout(&reachable(address), Duration::from_secs(1))
    }
}

/// The address under which a server bound to `address` can be reached from its own machine.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_on_every_address_is_reached_on_loopback() {
        let reach = |address: &str| reachable(address.parse().unwrap()).to_string();
        assert_eq!(reach("0.0.0.0:80"), "127.0.0.1:80");
        assert_eq!(reach("[::]:80"), "[::1]:80");
        assert_eq!(reach("127.0.0.2:80"), "127.0.0.2:80");
    }
}
