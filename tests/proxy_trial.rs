//! The example `proxy_trial` finds what HAProxy and nginx do to event streams, each as configured in `examples/proxies` and as
//! it comes: the verdicts are those that its document shows.

mod support;

use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Output};
use support::{example, free_address, has_tool, serve, Proxy};

const DOCUMENT: &str = include_str!("../examples/proxy_trial/README.md");
const HAPROXY: &str = include_str!("../examples/proxies/haproxy.cfg");
const HAPROXY_DEFAULT: &str = include_str!("../examples/proxies/haproxy-default.cfg");
const NGINX: &str = include_str!("../examples/proxies/nginx.conf");
const NGINX_DEFAULT: &str = include_str!("../examples/proxies/nginx-default.conf");

/// Seconds of silence here. In the document, the silence is longer than the timeouts of the proxies.
const SILENCE: &str = "4";
/// How often a trial can show something else, because other tests delay the events.
const ATTEMPTS: usize = 4;

#[test]
fn haproxy_as_configured_passes_streams_on() {
    if has_tool("haproxy") {
        assert_verdicts("haproxy.cfg", |servers| Proxy::haproxy(HAPROXY, servers));
    }
}

#[test]
fn haproxy_as_it_comes_holds_events_back() {
    if has_tool("haproxy") {
        assert_verdicts("haproxy-default.cfg", |servers| Proxy::haproxy(HAPROXY_DEFAULT, &servers[..1]));
    }
}

#[test]
fn nginx_as_configured_passes_streams_on() {
    if has_tool("nginx") {
        assert_verdicts("nginx.conf", |servers| Proxy::nginx(NGINX, servers));
    }
}

#[test]
fn nginx_as_it_comes_sends_everything_at_the_end_and_hides_cuts() {
    if has_tool("nginx") {
        assert_verdicts("nginx-default.conf", |servers| Proxy::nginx(NGINX_DEFAULT, &servers[..1]));
    }
}

#[test]
fn a_timeout_of_the_proxy_is_found() {
    if has_tool("haproxy") {
        let configuration = HAPROXY_DEFAULT.replace("timeout server 50s", "timeout server 2500ms");
        let output = run(&|servers| Proxy::haproxy(&configuration, &servers[..1]));
        let printed = String::from_utf8(output.stdout).unwrap();
        let is_cut = |line: &str| line.starts_with("FAIL  silence ") && line.contains("is cut off after ");
        assert!(printed.lines().any(is_cut), "{printed}");
    }
}

#[test]
fn without_a_proxy_everything_passes() {
    let address = free_address().to_string();
    let output =
        Command::new(example("proxy_trial")).args([&address, &format!("http://{address}"), "1"]).output();
    let output = output.unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let verdicts = verdicts(&printed);
    assert!(verdicts.len() == 13 && verdicts.iter().all(|line| line.starts_with("pass  ")), "{printed}");
    assert!(printed.starts_with(&format!("{address} without a proxy; this takes 8 s\n")), "{printed}");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn help_is_printed_on_stdout_with_exit_0() {
    let usage = run_with(&[]).1;
    for option in ["--help", "-h"] {
        let output = Command::new(example("proxy_trial")).args(["8081", option]).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(String::from_utf8(output.stdout).unwrap(), usage);
    }
}

#[test]
fn invalid_arguments_are_errors_before_anything_starts() {
    let (code, message) = run_with(&[]);
    assert!(
        code == Some(2) && message.starts_with("usage: proxy_trial UPSTREAM PROXY [SECONDS]\n"),
        "{message}"
    );
    // In use, so listening would be another error.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    for proxy in
        ["https://localhost", "localhost:8000", "http://", "http://a/b", "http://a:0", "http://a:65536"]
    {
        let expected = "(expected a URL with http:// and without a path, such as http://127.0.0.1:8000)";
        let expected = format!("invalid PROXY \"{proxy}\" {expected}\n");
        assert_eq!(run_with(&[&port, proxy]), (Some(2), expected));
    }
    for seconds in ["0", "601", "x"] {
        let expected = format!("invalid SECONDS \"{seconds}\" (expected 1 to 600)\n");
        assert_eq!(run_with(&[&port, "http://localhost", seconds]), (Some(2), expected));
    }
    for upstream in ["0", "65536", "x", "localhost", "localhost:0"] {
        let expected = "(expected the port that the proxy forwards requests to, 1 to 65535, or HOST:PORT)";
        let expected = format!("invalid UPSTREAM \"{upstream}\" {expected}\n");
        assert_eq!(run_with(&[upstream, "http://localhost"]), (Some(2), expected));
    }
    let (code, message) = run_with(&[&port, "http://localhost"]);
    assert!(
        code == Some(2) && message.starts_with(&format!("127.0.0.1:{port}: cannot listen: ")),
        "{message}"
    );
}

#[test]
fn a_proxy_that_refuses_connections_or_forwards_to_another_server_is_an_error() {
    let other = serve("1", &[]);
    let refused = free_address().to_string();
    let assert_fails = |proxy: &str, problem: &str| {
        let upstream = free_address().to_string();
        let (code, message) = run_with(&[&upstream, &format!("http://{proxy}")]);
        let expected = format!("the proxy {proxy} forwarded no request to {upstream}: {problem}");
        assert!(code == Some(2) && message.starts_with(&expected), "{message}");
    };
    // Both at the same time: each trial waits for its proxy for 10 s.
    std::thread::scope(|scope| {
        scope.spawn(|| assert_fails(&refused, "no connection: Connection refused (os error 111)"));
        scope.spawn(|| assert_fails(&other.address().to_string(), "the response has status 404 and "));
    });
}

/// Runs a trial that cannot start: its exit status, and what it prints on stderr.
fn run_with(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(example("proxy_trial")).args(arguments).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

/// Runs trials of a proxy until one has the verdicts that the document shows below the name of the configuration.
fn assert_verdicts(configuration: &str, start_proxy: impl Fn(&[SocketAddr]) -> Proxy) {
    let section = DOCUMENT.split(&format!("examples/proxies/{configuration}")).nth(1).unwrap();
    let shown = verdicts(section.split("```console\n").nth(1).unwrap().split("```").next().unwrap());
    assert_eq!(shown.len(), 13, "{section}");
    // No proxy cuts this shorter silence off.
    let expected: Vec<_> =
        shown.into_iter().map(|line| line.replace("FAIL  silence ", "pass  silence ")).collect();
    let mut printed = String::new();
    for _ in 0..ATTEMPTS {
        let output = run(&start_proxy);
        printed = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        if verdicts(&printed) == expected {
            let passed = !expected.iter().any(|line| line.starts_with("FAIL"));
            assert_eq!(output.status.success(), passed);
            return;
        }
    }
    panic!("{configuration}: {expected:#?}\n{printed}");
}

/// Starts a proxy, and runs one trial of it. Its servers are the trial's own and two that do not run.
fn run(start_proxy: &dyn Fn(&[SocketAddr]) -> Proxy) -> Output {
    let upstream = free_address();
    let stopped = [1, 2].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
    let proxy = start_proxy(&[upstream, stopped[0], stopped[1]]);
    let arguments = [&upstream.to_string(), &proxy.url(""), SILENCE];
    Command::new(example("proxy_trial")).args(arguments).output().unwrap()
}

/// The verdict and the name of each row, without the details, which differ between two runs.
fn verdicts(printed: &str) -> Vec<String> {
    let is_row = |line: &&str| ["pass  ", "info  ", "FAIL  "].iter().any(|start| line.starts_with(start));
    printed.lines().filter(is_row).map(|line| line.chars().take(28).collect()).collect()
}
