//! Drives Chromium through its debugging port: the DevTools protocol over a WebSocket, as far as it is needed here.

use crate::browser::{connect, receive, send, value_in, web_socket, Browser, Started};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

/// A browser with one page, ended when dropped.
pub struct Chromium {
    _browser: Started,
    page: TcpStream,
    calls: u32,
    faults: Vec<String>,
}

impl Chromium {
    /// Starts the browser and opens a page.
    pub fn open(url: &str) -> Chromium {
        let mut command = Command::new("chromium");
        command.args(["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"]);
        let browser = Started::new(&mut command, "--user-data-dir", "DevTools listening on ws://");
        let answer = ask(&browser.address, "PUT", "/json/new?about:blank", "connection: close\r\n");
        let path = answer.split("\"webSocketDebuggerUrl\": \"ws://").nth(1).unwrap();
        let path = &path[path.find('/').unwrap()..path.find('"').unwrap()];
        let page = web_socket(&browser.address, path);
        let mut chromium = Chromium { _browser: browser, page, calls: 0, faults: Vec::new() };
        for domain in ["Runtime", "Log", "Page"] {
            chromium.call(&format!("{domain}.enable"), "{}");
        }
        chromium.call("Emulation.setFocusEmulationEnabled", "{\"enabled\":true}");
        chromium.call("Page.navigate", &format!("{{\"url\":\"{url}\"}}"));
        chromium
    }

    /// Runs a script that no content security policy restricts.
    pub fn inject(&mut self, script: &str) {
        let mut text = String::new();
        for character in script.chars() {
            match character {
                '"' | '\\' => text.extend(['\\', character]),
                '\0'..='\x1f' => text += &format!("\\u{:04x}", character as u32),
                _ => text.push(character),
            }
        }
        self.call("Runtime.evaluate", &format!("{{\"expression\":\"{text}\"}}"));
    }

    /// Sets what the user has chosen in the system, such as `prefers-color-scheme`.
    pub fn emulate(&mut self, feature: &str, value: &str) {
        let feature = format!("{{\"features\":[{{\"name\":\"{feature}\",\"value\":\"{value}\"}}]}}");
        self.call("Emulation.setEmulatedMedia", &feature);
    }

    /// Gives the page another size.
    pub fn resize(&mut self, width: u32, height: u32) {
        let size =
            format!("{{\"width\":{width},\"height\":{height},\"deviceScaleFactor\":1,\"mobile\":false}}");
        self.call("Emulation.setDeviceMetricsOverride", &size);
    }

    /// What the page looks like, as a PNG.
    pub fn picture(&mut self) -> Vec<u8> {
        let answer = self.call("Page.captureScreenshot", "{\"format\":\"png\"}");
        base64(answer.split("\"data\":\"").nth(1).unwrap().split('"').next().unwrap())
    }

    /// Exceptions, and violations of the content security policy, so far.
    pub fn faults(&self) -> Vec<String> {
        self.faults.clone()
    }

    fn call(&mut self, method: &str, parameters: &str) -> String {
        self.calls += 1;
        let id = self.calls;
        send(&mut self.page, &format!("{{\"id\":{id},\"method\":\"{method}\",\"params\":{parameters}}}"));
        loop {
            let message = receive(&mut self.page);
            if message.starts_with(&format!("{{\"id\":{id},")) {
                return message;
            }
            let is_fault = ["Runtime.exceptionThrown", "Content Security Policy", "TrustedHTML"];
            if is_fault.iter().any(|mark| message.contains(mark)) {
                self.faults.push(message);
            }
        }
    }
}

impl Browser for Chromium {
    fn run(&mut self, expression: &str) -> String {
        // Percent-encoded, a string is the same in JSON.
        let expression =
            format!("encodeURIComponent({expression})").replace('\\', "\\\\").replace('"', "\\\"");
        let answer = self.call("Runtime.evaluate", &format!("{{\"expression\":\"{expression}\"}}"));
        value_in(&answer).unwrap_or_else(|| panic!("{expression}: {answer}"))
    }
}

fn ask(address: &str, method: &str, target: &str, fields: &str) -> String {
    let mut stream = connect(address);
    write!(stream, "{method} {target} HTTP/1.1\r\nhost: {address}\r\n{fields}\r\n").unwrap();
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    // It may keep the connection open behind its answer.
    while !answer.ends_with(b"}\n") && !answer.ends_with(b"}") {
        let length = stream.read(&mut buffer).unwrap();
        assert!(length > 0, "{}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&buffer[..length]);
    }
    String::from_utf8(answer).unwrap()
}

/// RFC 4648, section 4.
fn base64(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for digit in text.trim_end_matches('=').bytes() {
        let value = ALPHABET.iter().position(|&other| other == digit).unwrap();
        bits = (bits << 6) | value as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    bytes
}
