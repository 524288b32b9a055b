//! Wakes the thread that accepts connections when it is to close the port.

use crate::text::lock::lock;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Mutex;
use std::time::Duration;

/// How long to try to connect to the server's own port. On one machine, that takes less than a millisecond.
const WAKE_TIME: Duration = Duration::from_millis(50);

/// Wakes the accepting thread, once for each time that it is armed. `accept` returns only when a client connects, so
/// the server connects to itself.
#[derive(Debug, Default)]
pub(crate) struct Waker(Mutex<Option<Target>>);

#[derive(Debug)]
struct Target {
    address: SocketAddr,
    /// Another descriptor of the listener, closed before the connection is made: the process may have no other left.
    spare: TcpListener,
}

impl Target {
    fn new(listener: &TcpListener) -> io::Result<Target> {
        Ok(Target { address: listener.local_addr()?, spare: listener.try_clone()? })
    }
}

impl Waker {
    /// Prepares to wake the thread that accepts connections of this listener.
    ///
    /// # Errors
    /// The listener has no address, or there is no descriptor left.
    pub fn arm(&self, listener: &TcpListener) -> io::Result<()> {
        *lock(&self.0) = Some(Target::new(listener)?);
        Ok(())
    }

    /// The same if the thread was woken. Never waits: a thread that holds the lock is about to wake this one.
    pub fn arm_again(&self, listener: &TcpListener) {
        if let Ok(mut target) = self.0.try_lock() {
            if target.is_none() {
                *target = Target::new(listener).ok();
            }
        }
    }

    /// Wakes the thread, unless that has been done, or the thread is about to end.
    ///
    /// # Errors
    /// The connection failed. The thread ends when the next client connects.
    pub fn wake(&self) -> io::Result<()> {
        // Locked until there is a connection: after `disarm`, the port can belong to another program.
        let mut target = lock(&self.0);
        match target.take() {
            Some(Target { address, spare }) => {
                drop(spare);
                TcpStream::connect_timeout(&reachable(address), WAKE_TIME).map(drop)
            }
            None => Ok(()),
        }
    }

    /// Makes sure that nothing connects to the port from now on. The accepting thread calls this before it closes the port.
    pub fn disarm(&self) {
        *lock(&self.0) = None;
    }
}

/// An address at which a server bound to `address` can be reached from this machine. `0.0.0.0` and `[::]` cannot be connected
/// to, so the loopback address takes their place.
pub fn reachable(mut address: SocketAddr) -> SocketAddr {
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

    #[test]
    fn a_waker_connects_once_and_not_at_all_when_disarmed() {
        let connects = |prepare: fn(&Waker)| {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let waker = Waker::default();
            waker.arm(&listener).unwrap();
            prepare(&waker);
            waker.wake().unwrap();
            listener.set_nonblocking(true).unwrap();
            (0..2).filter(|_| listener.accept().is_ok()).count()
        };
        assert_eq!(connects(|_| {}), 1);
        assert_eq!(connects(|waker| waker.wake().unwrap()), 1);
        assert_eq!(connects(Waker::disarm), 0);
    }
}
