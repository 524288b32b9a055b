//! Drives Firefox: WebDriver BiDi over a WebSocket, as far as it is needed here.

use crate::browser::{receive, send, value_in, web_socket, Browser};
use crate::support::Folder;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

/// A browser with one page, ended when dropped.
pub struct Firefox {
    child: Child,
    socket: TcpStream,
    calls: u32,
    context: String,
    _profile: Folder,
}

impl Firefox {
    /// Starts the browser and opens a page.
    pub fn open(url: &str) -> Firefox {
        let profile = Folder::new("firefox");
        let mut child = Command::new("firefox-esr")
            .args(["--headless", "--no-remote", "--remote-debugging-port=0", "--profile"])
            .arg(&profile.0)
            .arg("about:blank")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let mut lines = lines.skip_while(|line| !line.starts_with("WebDriver BiDi listening on ws://"));
        let address = lines.next().unwrap().split("//").nth(1).unwrap().to_owned();
        // The rest of its output is ignored, but has to be read.
        std::thread::spawn(move || lines.for_each(drop));
        let socket = web_socket(&address, "/session");
        let mut firefox = Firefox { child, socket, calls: 0, context: String::new(), _profile: profile };
        firefox.call("session.new", "{\"capabilities\":{}}");
        let tree = firefox.call("browsingContext.getTree", "{}");
        firefox.context = tree.split("\"context\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let context = firefox.context.clone();
        let parameters = format!("{{\"context\":\"{context}\",\"url\":\"{url}\",\"wait\":\"complete\"}}");
        firefox.call("browsingContext.navigate", &parameters);
        firefox
    }

    fn call(&mut self, method: &str, parameters: &str) -> String {
        self.calls += 1;
        let id = self.calls;
        send(&mut self.socket, &format!("{{\"id\":{id},\"method\":\"{method}\",\"params\":{parameters}}}"));
        loop {
            let message = receive(&mut self.socket);
            if message.contains(&format!("\"id\":{id},")) {
                return message;
            }
        }
    }
}

impl Browser for Firefox {
    fn run(&mut self, expression: &str) -> String {
        let expression =
            format!("encodeURIComponent({expression})").replace('\\', "\\\\").replace('"', "\\\"");
        let context = &self.context;
        let parameters = format!(
            "{{\"expression\":\"{expression}\",\"target\":{{\"context\":\"{context}\"}},\"awaitPromise\":false}}"
        );
        let answer = self.call("script.evaluate", &parameters);
        value_in(&answer).unwrap_or_else(|| panic!("{expression}: {answer}"))
    }
}

impl Drop for Firefox {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
