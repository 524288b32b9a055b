//! Drives Firefox: WebDriver BiDi over a WebSocket, as far as it is needed here.

use crate::browser::{receive, send, value_in, web_socket, Browser, Started};
use std::net::TcpStream;
use std::process::Command;

/// A browser with one page, ended when dropped.
pub struct Firefox {
    _browser: Started,
    socket: TcpStream,
    calls: u32,
    context: String,
}

impl Firefox {
    /// Starts the browser and opens a page.
    pub fn open(url: &str) -> Firefox {
        let mut command = Command::new("firefox-esr");
        command.args(["--headless", "--no-remote", "--remote-debugging-port=0"]);
        let browser = Started::new(&mut command, "--profile", "WebDriver BiDi listening on ws://");
        let socket = web_socket(&browser.address, "/session");
        let mut firefox = Firefox { _browser: browser, socket, calls: 0, context: String::new() };
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
