//! `--static`: the files of a folder are served beside the scripts, and nothing outside it.

mod support;

use assert_cmd::Command;
use predicates::str::{is_empty, starts_with};
use rust_sse_server::{ErrorKind, RunningServer, Script, Server};
use std::fs::{self, File};
use std::net::SocketAddr;
use support::{field, request, Client, Exchange, Folder, Program, PATIENCE};

/// A server with the files of this folder.
fn serve(folder: &Folder) -> RunningServer {
    Server::new().static_files(&folder.0).unwrap().start("127.0.0.1:0").unwrap()
}

/// The head and the body of the response to a request with these fields.
fn respond(address: SocketAddr, method: &str, target: &str, fields: &str) -> (String, String) {
    let exchange = Exchange::new(address, request(method, target, fields), PATIENCE);
    (exchange.head, String::from_utf8(exchange.wire).unwrap())
}

fn status(server: &RunningServer, target: &str) -> String {
    let (head, _) = respond(server.address(), "GET", target, "");
    head.split(' ').nth(1).unwrap().to_owned()
}

#[test]
fn a_file_has_its_length_and_its_type_and_the_connection_is_kept() {
    let folder = Folder::new("types");
    folder.file("page.html", "<p>hello");
    folder.file("app.js", "1");
    folder.file("a b.bin", "\0\u{1}");
    folder.file("empty.css", "");
    let server = serve(&folder);
    let mut client = Client::connect(server.address());
    for (target, media_type, body) in [
        ("/page.html", "text/html; charset=utf-8", "<p>hello"),
        ("/app.js?v=1", "text/javascript; charset=utf-8", "1"),
        ("/a%20b.bin", "application/octet-stream", "\0\u{1}"),
        ("/empty.css", "text/css; charset=utf-8", ""),
    ] {
        let expected = format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\ncache-control: no-cache\r\ncontent-type: {media_type}\r\n\
             date: *\r\n\r\n",
            body.len()
        );
        assert_eq!(client.get(target, "").read_answer(), (expected.clone(), body.to_owned()));
        client.send(format!("HEAD {target} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        assert_eq!(client.read_head(), expected);
    }
    let requests = server.requests();
    assert_eq!(requests.len(), 8);
    assert_eq!(requests[2].target, "/app.js?v=1");
}

#[test]
fn a_folder_is_served_as_its_index_html_and_is_not_listed() {
    let folder = Folder::new("index");
    fs::create_dir_all(folder.0.join("app/empty")).unwrap();
    folder.file("app/index.html", "the app");
    let server = serve(&folder);
    assert_eq!(respond(server.address(), "GET", "/app/", "").1, "the app");
    let (head, body) = respond(server.address(), "GET", "/app?x=1", "");
    assert!(head.starts_with("HTTP/1.1 307 Temporary Redirect\r\n"), "{head}");
    assert_eq!(field(&head, "location"), Some("/app/?x=1"));
    assert_eq!(body, "307 Temporary Redirect: this is a folder (add a slash to the path)\n");
    for target in ["/app/empty", "/app/empty/", "/app/index.html/", "/none/", "/none"] {
        let (head, body) = respond(server.address(), "GET", target, "");
        assert!(head.starts_with("HTTP/1.1 404 Not Found\r\n"), "{target}: {head}");
        assert!(body.starts_with("404 Not Found: no script and no file at this path; available:\n/events\n"));
    }
}

#[test]
fn no_path_leads_out_of_the_folder() {
    let outside = Folder::new("outside");
    let secret = outside.file("secret.txt", "secret");
    fs::create_dir_all(outside.0.join("inside/.git")).unwrap();
    outside.file("inside/.git/config", "secret");
    outside.file("inside/.env", "secret");
    outside.file("inside/open.txt", "open");
    outside.file("inside-too.txt", "secret");
    let inside = outside.0.join("inside");
    let server = Server::new().static_files(&inside).unwrap().start("127.0.0.1:0").unwrap();
    assert_eq!(status(&server, "/open.txt"), "200");
    for target in [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/.%2E/secret.txt",
        "/..%2fsecret.txt",
        "/..%5Csecret.txt",
        "/..\\secret.txt",
        "/.git/../../secret.txt",
        "/./open.txt",
        "//open.txt",
        "/open.txt%00",
        "/open.txt%00.html",
        "/%00",
        "/.git/config",
        "/.env",
        "/%2eenv",
        "/-too.txt",
        "/..-too.txt",
        "/C:/secret.txt",
        "/C%3A%5Csecret.txt",
        "/%ff",
        &secret,
        &format!("/{secret}"),
        &format!("/{}", secret.replace('/', "%2F")),
        &format!("/{}", secret.replace('/', "%2f")),
    ] {
        let (head, body) = respond(server.address(), "GET", target, "");
        assert!(head.starts_with("HTTP/1.1 404 ") && !body.contains("secret.txt"), "{target}: {head}");
    }
    let (head, _) = respond(server.address(), "GET", "http://evil/../secret.txt", "");
    assert!(head.starts_with("HTTP/1.1 404 "), "{head}");
}

#[cfg(unix)]
#[test]
fn symbolic_links_are_followed_only_inside_the_folder_and_pipes_are_not_opened() {
    use std::os::unix::fs::symlink;
    let outside = Folder::new("links");
    outside.file("secret.txt", "secret");
    fs::create_dir(outside.0.join("inside")).unwrap();
    let inside = outside.0.join("inside");
    outside.file("inside/v2.js", "2");
    symlink("v2.js", inside.join("app.js")).unwrap();
    symlink(outside.0.join("secret.txt"), inside.join("link.txt")).unwrap();
    symlink("..", inside.join("up")).unwrap();
    symlink("loop", inside.join("loop")).unwrap();
    symlink(&inside, outside.0.join("root")).unwrap();
    // The folder itself can be a link.
    let server = Server::new().static_files(outside.0.join("root")).unwrap().start("127.0.0.1:0").unwrap();
    assert_eq!(respond(server.address(), "GET", "/app.js", "").1, "2");
    for target in ["/link.txt", "/up/secret.txt", "/up/inside/v2.js/..", "/loop", "/up", "/up/"] {
        assert_eq!(status(&server, target), "404", "{target}");
    }
    assert_eq!(status(&server, "/up/inside/v2.js"), "200");
    let pipe = inside.join("pipe");
    if std::process::Command::new("mkfifo").arg(&pipe).status().map_or(false, |status| status.success()) {
        assert_eq!(status(&server, "/pipe"), "404");
    }
}

#[test]
fn scripts_take_precedence_over_files_and_files_over_the_page() {
    let folder = Folder::new("order");
    folder.file("events", "a file");
    folder.file("chat", "a file");
    let server = serve(&folder);
    assert!(respond(server.address(), "GET", "/", "").1.contains("<!"));
    folder.file("index.html", "my page");
    assert_eq!(respond(server.address(), "GET", "/", "").1, "my page");
    let mut client = Client::connect(server.address());
    assert!(client.get("/events", "").read_head().contains("text/event-stream"));

    let script = Script::parse("/chat", "@on POST /chat\ndata: x\n\n").unwrap();
    let server = Server::new().script(script).static_files(&folder.0).unwrap().start("127.0.0.1:0").unwrap();
    assert_eq!(respond(server.address(), "GET", "/chat", "").1, "a file");
    assert!(respond(server.address(), "POST", "/chat", "").1.contains("data: x"));
    let (head, _) = respond(server.address(), "PUT", "/chat", "");
    assert_eq!(field(&head, "allow"), Some("POST, GET, HEAD, OPTIONS"));
}

#[test]
fn files_answer_get_and_head_but_no_page_of_another_website() {
    let folder = Folder::new("methods");
    folder.file("a.json", "{}");
    let server = serve(&folder);
    let origin = "Origin: http://elsewhere\r\n";
    for (method, status) in
        [("GET", "200 OK"), ("POST", "405 Method Not Allowed"), ("OPTIONS", "204 No Content")]
    {
        let (head, _) = respond(server.address(), method, "/a.json", origin);
        assert!(head.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{head}");
        assert!(!head.contains("access-control"), "{method}: {head}");
        assert_eq!(field(&head, "allow"), (method != "GET").then_some("GET, HEAD, OPTIONS"));
    }
    // Nothing is served under the paths of the server.
    fs::create_dir(folder.0.join("-")).unwrap();
    folder.file("-/scripts", "a file");
    assert!(respond(server.address(), "GET", "/-/scripts", "").1.starts_with("[{"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_large_file_is_not_kept_in_memory_and_one_that_becomes_shorter_is_cut_off() {
    const LENGTH: u64 = 100_000_000;
    let folder = Folder::new("large");
    let file = File::create(folder.0.join("large.bin")).unwrap();
    file.set_len(LENGTH).unwrap();
    let program = Program::start(&["--static", folder.0.to_str().unwrap()]);
    let before = program.memory();
    let mut client = Client::connect(program.address);
    client.get("/large.bin", "");
    assert_eq!(field(&client.read_head(), "content-length"), Some("100000000"));
    let mut left = LENGTH;
    while left > 0 {
        left -= client.read_exactly(left.min(1_000_000) as usize).len() as u64;
    }
    assert!(program.memory() < before + 4_000, "{} kB, {before} kB before", program.memory());

    client.get("/large.bin", "").read_head();
    file.set_len(50_000_000).unwrap();
    let (bytes, closed) = client.read_to_any_end();
    assert!((bytes.len() as u64) < LENGTH && closed, "{} bytes", bytes.len());
}

#[test]
fn a_folder_that_cannot_be_served_is_an_error_at_the_start() {
    let folder = Folder::new("missing");
    let file = folder.file("file.txt", "x");
    for (path, reason) in [(format!("{file}2"), "No such file"), (file, "Not a directory")] {
        let error = Server::new().static_files(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        let mut command = Command::cargo_bin("rust_sse_server").unwrap();
        let expected = format!("rust_sse_server: cannot serve the files of {path}: {reason}");
        let assert = command.args(["--static", &path, "127.0.0.1", "0"]).timeout(PATIENCE).assert();
        assert.code(1).stdout(is_empty()).stderr(starts_with(expected));
    }
}

#[test]
fn the_trace_shows_a_file_in_one_line() {
    let folder = Folder::new("trace");
    folder.file("a.txt", "the text of the file");
    let program = Program::start(&["--trace", "--static", folder.0.to_str().unwrap()]);
    respond(program.address, "GET", "/a.txt", "");
    let trace = program.end();
    let line = "* internal      GET /a.txt: 200, 20 bytes, complete, connection closed";
    assert!(trace.contains(line) && !trace.contains("the text"), "{trace}");
}
