//! Drives Firefox through Marionette, its protocol for WebDriver commands: lengths and JSON over a socket.

use crate::support::{eventually_within, Folder, PATIENCE};
use rust_sse_server::internals::percent_decode;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How long it may take to start on a busy machine.
const START: Duration = Duration::from_secs(60);
/// The name of the program on Debian.
pub const FIREFOX: &str = "firefox-esr";

/// A browser with one page, ended when dropped.
pub struct Firefox {
    child: Child,
    marionette: TcpStream,
    calls: u32,
    _profile: Folder,
}

impl Firefox {
    /// Starts the browser and opens a page.
    pub fn open(url: &str) -> Firefox {
        let profile = Folder::new("firefox");
        profile.file("user.js", "user_pref(\"marionette.port\", 0);\n");
        let child = Command::new(FIREFOX)
            .args(["--headless", "--marionette", "--no-remote", "--profile"])
            .arg(&profile.0)
            .arg("about:blank")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // It writes the port to a file as soon as it listens.
        let file = profile.0.join("MarionetteActivePort");
        let port = || fs::read_to_string(&file).unwrap_or_default().parse::<u16>().ok();
        let port = eventually_within(START, port, Option::is_some).unwrap();
        let marionette = TcpStream::connect(("127.0.0.1", port)).unwrap();
        marionette.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut firefox = Firefox { child, marionette, calls: 0, _profile: profile };
        firefox.receive();
        firefox.call("WebDriver:NewSession", "{}");
        firefox.call("WebDriver:Navigate", &format!("{{\"url\":\"{url}\"}}"));
        firefox
    }

    /// The value of an expression, which is a string.
    pub fn run(&mut self, expression: &str) -> String {
        let expression = expression.replace('\\', "\\\\").replace('"', "\\\"");
        // Percent-encoded, a string is the same in JSON.
        let script = format!("{{\"script\":\"return encodeURIComponent({expression})\",\"args\":[]}}");
        let answer = self.call("WebDriver:ExecuteScript", &script);
        let value = answer.split("{\"value\":\"").nth(1);
        let value = value.unwrap_or_else(|| panic!("{expression}: {answer}")).split('"').next().unwrap();
        String::from_utf8(percent_decode(value.as_bytes()).into_owned()).unwrap()
    }

    fn call(&mut self, command: &str, parameters: &str) -> String {
        self.calls += 1;
        let message = format!("[0,{},\"{command}\",{parameters}]", self.calls);
        write!(self.marionette, "{}:{message}", message.len()).unwrap();
        let answer = self.receive();
        assert!(answer.starts_with(&format!("[1,{},null,", self.calls)), "{command}: {answer}");
        answer
    }

    /// A message: its length in bytes, a colon, and JSON.
    fn receive(&mut self) -> String {
        let mut length = 0;
        loop {
            let mut byte = [0];
            self.marionette.read_exact(&mut byte).unwrap();
            match byte[0] {
                b':' => break,
                digit => length = 10 * length + usize::from(digit - b'0'),
            }
        }
        let mut message = vec![0; length];
        self.marionette.read_exact(&mut message).unwrap();
        String::from_utf8(message).unwrap()
    }
}

impl Drop for Firefox {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
