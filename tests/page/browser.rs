//! What the browsers have in common: a page that runs expressions, and a WebSocket (RFC 6455) to tell it which, as far
//! as it is needed here.

use crate::support::{Folder, PATIENCE};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

/// How long a browser may take to start, on a busy machine.
const START_TIME: Duration = Duration::from_secs(60);

/// A browser that runs without a window, with a new profile, ended when dropped.
pub struct Started {
    child: Child,
    /// `HOST:PORT` at which it listens.
    pub address: String,
    _profile: Folder,
}

impl Started {
    /// Starts a browser, `profile` being the option that names the folder of its profile. `listening` begins the line with
    /// which it says where it listens.
    pub fn new(command: &mut Command, profile: &str, listening: &'static str) -> Started {
        // Two browsers with one profile wait for each other.
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let folder = Folder::new(&format!("browser-{}", COUNT.fetch_add(1, Ordering::Relaxed)));
        let mut child = command
            .arg(format!("{profile}={}", folder.0.display()))
            .arg("about:blank")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let (sender, receiver) = channel();
        // All of its output has to be read, or it would wait at some point.
        thread::spawn(move || {
            lines.filter(|line| line.starts_with(listening)).for_each(|line| drop(sender.send(line)));
        });
        let mut started = Started { child, address: String::new(), _profile: folder };
        let line = receiver.recv_timeout(START_TIME).expect("the browser does not start");
        started.address = line.split("//").nth(1).unwrap().split('/').next().unwrap().to_owned();
        started
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A browser with one page.
pub trait Browser {
    /// The value of an expression, which is a string.
    fn run(&mut self, expression: &str) -> String;

    /// Runs these statements.
    fn act(&mut self, statements: &str) {
        self.run(&format!("(() => {{ {statements}; return 'done' }})()"));
    }

    /// Waits until the value of an expression is as wanted.
    fn wait_for(&mut self, expression: &str, wanted: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let value = self.run(&format!("({expression}) ?? ''"));
            if wanted(&value) {
                return value;
            }
            assert!(Instant::now() < deadline, "{expression} is still {value:?}");
            sleep(Duration::from_millis(20));
        }
    }
}

/// The value in the answer of a browser that has evaluated an expression, if it is a percent-encoded string.
pub fn value_in(answer: &str) -> Option<String> {
    let value = answer.split("\"type\":\"string\",\"value\":\"").nth(1)?.split('"').next()?;
    let decoded = rust_sse_server::internals::percent_decode(value.as_bytes());
    Some(String::from_utf8(decoded.into_owned()).unwrap())
}

pub fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// RFC 6455, section 4.1. The browser's answer to the key is ignored, because there is no proxy in between.
pub fn web_socket(address: &str, path: &str) -> TcpStream {
    let mut stream = connect(address);
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: {address}\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
    )
    .unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&head));
    stream
}

/// A text in one masked frame (RFC 6455, section 5.2). Firefox treats a mask of zeros as a missing mask, and closes.
pub fn send(stream: &mut TcpStream, text: &str) {
    let mut frame = vec![0x81];
    match text.len() {
        length @ 0..=125 => frame.push(0x80 | length as u8),
        length @ 126..=0xffff => {
            frame.push(0x80 | 126);
            frame.extend((length as u16).to_be_bytes());
        }
        length => {
            frame.push(0x80 | 127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    let mask = [1, 2, 3, 4];
    frame.extend(mask);
    frame.extend(text.bytes().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    stream.write_all(&frame).unwrap();
}

/// A message, which may come in several frames.
pub fn receive(stream: &mut TcpStream) -> String {
    let mut message = Vec::new();
    loop {
        let mut start = [0; 2];
        stream.read_exact(&mut start).unwrap();
        let length = match start[1] {
            126 => u64::from(u16::from_be_bytes(read(stream))),
            127 => u64::from_be_bytes(read(stream)),
            length => u64::from(length),
        };
        let mut data = vec![0; usize::try_from(length).unwrap()];
        stream.read_exact(&mut data).unwrap();
        match start[0] & 0x0f {
            0 | 1 => message.extend(data),
            9 | 10 => continue,
            opcode => panic!("the browser sent a frame of kind {opcode}"),
        }
        if start[0] & 0x80 != 0 {
            return String::from_utf8(message).unwrap();
        }
    }
}

fn read<const N: usize>(stream: &mut TcpStream) -> [u8; N] {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}
