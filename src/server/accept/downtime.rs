//! Closes a port while connections to it are to be refused.

use super::{Acceptor, ACCEPT_PAUSE};
use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;

impl Acceptor {
    /// Closes the port, and opens it again when connections are to be accepted. `None` if the server stops meanwhile.
    /// `accepted` is what the last call of `accept` has returned.
    pub(super) fn close_during_downtime(
        &self,
        listener: TcpListener,
        accepted: io::Result<(TcpStream, SocketAddr)>,
    ) -> Option<TcpListener> {
        let port = self.shared.ports.get(self.port);
        // The connection is shut down, but stays open until this method returns: while it exists, the system does not give the
        // number of the closed port to another program.
        if let Ok((stream, _)) = &accepted {
            let _ = stream.shutdown(Shutdown::Both);
        }
        let address = listener.local_addr();
        port.waker.disarm();
        drop(listener);
        loop {
            port.downtime.wait();
            let opened = address.as_ref().map_err(|error| error.kind().into()).and_then(TcpListener::bind);
            let armed = opened.and_then(|listener| port.waker.arm(&listener).map(|()| listener));
            // Checked after the waker was armed: if the server is stopped later than this check, the waker wakes this thread.
            if self.shared.is_stopping() {
                port.waker.disarm();
                return None;
            }
            match armed {
                Ok(listener) if port.downtime.open() => return Some(listener),
                Ok(_) => port.waker.disarm(),
                Err(error) => {
                    self.shared.warnings.warn("cannot reopen the port, trying again", error);
                    thread::sleep(ACCEPT_PAUSE);
                }
            }
        }
    }
}
