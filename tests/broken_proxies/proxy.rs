//! A proxy that forwards everything unchanged, except for one fault.

use super::support::{find, PATIENCE};
use rust_sse_server::internals::{ChunkDecoder, Progress};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// What a proxy does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    None,
    /// The head is sent with the first byte of the body.
    HoldsBackHead,
    ChangesType,
    /// The content type is written in another way, with the same meaning.
    RespellsType,
    /// Everything is sent at the end of the body, and nothing if the body is cut off.
    HoldsBackAll,
    /// Nothing is sent before a pause of [`PAUSE`], as if to join small packets.
    WaitsForPause,
    /// Every response is marked as compressed.
    CompressesAll,
    /// A response is marked as compressed if the client accepts that, and is then sent at its end.
    CompressesAndHoldsBack,
    /// Two chunks in one packet become one.
    JoinsChunks,
    /// The end of the connection ends the body.
    RemovesChunks,
    RemovesComments,
    /// Bytes that are not UTF-8 are replaced.
    RepairsText,
    /// A connection that is silent for [`SILENCE`] is closed.
    EndsSilence,
    /// A body that the server cuts off by closing the connection looks complete.
    HidesFin,
    /// A body that the server cuts off by a reset looks complete.
    HidesReset,
    RemovesId,
    ChangesNoContent,
    /// The response is read to its end even if the client has left.
    ReadsOn,
}

/// Longer than the pause between tokens and shorter than the one between events.
const PAUSE: Duration = Duration::from_millis(45);
/// Longer than every pause in a trial, except the one of `silence`.
const SILENCE: Duration = Duration::from_secs(3);

/// A proxy, which stops when dropped.
pub struct Proxy {
    pub address: SocketAddr,
    is_stopping: Arc<AtomicBool>,
}

impl Proxy {
    pub fn start(fault: Fault, upstream: SocketAddr) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let is_stopping = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&is_stopping);
        thread::spawn(move || {
            for client in listener.incoming() {
                if stopping.load(Ordering::Relaxed) {
                    return;
                }
                // An error ends the connections to the client and to the server.
                thread::spawn(move || client.and_then(|client| forward(fault, client, upstream)));
            }
        });
        Proxy { address, is_stopping }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.is_stopping.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
    }
}

/// Forwards a request and its response, and then closes both connections.
fn forward(fault: Fault, mut client: TcpStream, upstream: SocketAddr) -> io::Result<()> {
    let mut server = TcpStream::connect(upstream)?;
    client.set_read_timeout(Some(PATIENCE))?;
    client.set_nodelay(true)?;
    let (request, _) = read_head(&mut client)?;
    if fault != Fault::ReadsOn {
        end_with(client.try_clone()?, server.try_clone()?);
    }
    let result = server.write_all(change_request(fault, &request).as_bytes());
    let result = result.and_then(|()| respond(fault, &request, &mut server, &mut client));
    // The sockets have other handles, so dropping these would not close them.
    let _ = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
    result
}

/// Closes the connection to the server as soon as the client has closed its connection.
fn end_with(mut client: TcpStream, server: TcpStream) {
    thread::spawn(move || {
        let _ = client.read(&mut [0]);
        let _ = server.shutdown(Shutdown::Both);
    });
}

/// Passes a response on, chunk by chunk.
fn respond(fault: Fault, request: &str, server: &mut TcpStream, client: &mut TcpStream) -> io::Result<()> {
    let timeout = match fault {
        Fault::WaitsForPause => PAUSE,
        Fault::EndsSilence => SILENCE,
        _ => PATIENCE,
    };
    let (head, mut bytes) = read_head(server)?;
    let compresses = fault == Fault::CompressesAll
        || fault == Fault::CompressesAndHoldsBack && request.contains("Accept-Encoding: gzip");
    let mut held = change_head(fault, compresses, &head).into_bytes();
    if !head.contains("transfer-encoding: chunked") {
        return client.write_all(&held);
    }
    let holds_all = fault == Fault::HoldsBackAll || fault == Fault::CompressesAndHoldsBack && compresses;
    server.set_read_timeout(Some(timeout))?;
    let mut decoder = ChunkDecoder::default();
    let mut buffer = [0; 8 * 1024];
    loop {
        let mut chunks: Vec<Vec<u8>> = Vec::new();
        let progress = decoder.push(&bytes, |data| chunks.push(data.to_vec()));
        let is_complete = matches!(
            progress.map_err(|error| io::Error::new(ErrorKind::InvalidData, error.0))?,
            Progress::Done(_)
        );
        let holds = holds_all
            || fault == Fault::WaitsForPause && !bytes.is_empty()
            || fault == Fault::HoldsBackHead && chunks.is_empty();
        held.extend(encode(fault, chunks));
        if is_complete {
            held.extend(last_chunk(fault));
            return client.write_all(&held);
        }
        if !holds {
            let written = client.write_all(&held);
            held.clear();
            if fault != Fault::ReadsOn {
                written?;
            }
        }
        bytes.clear();
        match server.read(&mut buffer) {
            Ok(0) if fault == Fault::HidesFin || fault == Fault::RemovesChunks => {
                return client.write_all(last_chunk(fault))
            }
            Ok(0) => return Ok(()),
            Ok(length) => bytes.extend_from_slice(&buffer[..length]),
            Err(error) if error.kind() == ErrorKind::WouldBlock && fault == Fault::WaitsForPause => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset && fault == Fault::HidesReset => {
                return client.write_all(last_chunk(fault))
            }
            Err(error) => return Err(error),
        }
    }
}

/// The head of a message, and the bytes that came after it.
fn read_head(stream: &mut TcpStream) -> io::Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 8 * 1024];
    loop {
        if let Some(length) = find(&bytes, b"\r\n\r\n") {
            let rest = bytes.split_off(length + 4);
            return Ok((String::from_utf8(bytes).unwrap(), rest));
        }
        match stream.read(&mut buffer)? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            length => bytes.extend_from_slice(&buffer[..length]),
        }
    }
}

fn change_request(fault: Fault, head: &str) -> String {
    let is_kept =
        |line: &&str| fault != Fault::RemovesId || !line.to_ascii_lowercase().starts_with("last-event-id:");
    head.split_inclusive('\n').filter(is_kept).collect()
}

fn change_head(fault: Fault, compresses: bool, head: &str) -> String {
    let is_chunked = head.contains("transfer-encoding: chunked");
    match fault {
        Fault::ChangesType => head.replace("text/event-stream", "text/plain"),
        Fault::RespellsType => head.replace("text/event-stream", "Text/Event-Stream ; charset=utf-8"),
        Fault::RemovesChunks => head.replace("transfer-encoding: chunked\r\n", ""),
        Fault::ChangesNoContent => {
            let fields = "200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 0";
            head.replace("204 No Content", fields)
        }
        _ if compresses && is_chunked => head.replacen("\r\n", "\r\ncontent-encoding: gzip\r\n", 1),
        _ => head.to_owned(),
    }
}

/// What is sent for the chunks of one packet.
fn encode(fault: Fault, chunks: Vec<Vec<u8>>) -> Vec<u8> {
    let chunks = match fault {
        Fault::JoinsChunks => vec![chunks.concat()],
        _ => chunks,
    };
    let chunk = |data: Vec<u8>| match change_data(fault, data) {
        data if data.is_empty() || fault == Fault::RemovesChunks => data,
        data => [format!("{:x}\r\n", data.len()).as_bytes(), &data, b"\r\n"].concat(),
    };
    chunks.into_iter().flat_map(chunk).collect()
}

fn change_data(fault: Fault, data: Vec<u8>) -> Vec<u8> {
    match fault {
        Fault::RemovesComments => {
            let lines = data.split_inclusive(|&byte| byte == b'\n');
            lines.filter(|line| !line.starts_with(b":")).collect::<Vec<_>>().concat()
        }
        Fault::RepairsText => String::from_utf8_lossy(&data).into_owned().into_bytes(),
        _ => data,
    }
}

fn last_chunk(fault: Fault) -> &'static [u8] {
    match fault {
        Fault::RemovesChunks => b"",
        _ => b"0\r\n\r\n",
    }
}
