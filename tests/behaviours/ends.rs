//! Ends and server options: rows 56 to 65.

use crate::support::{play, request, serve, Client, Exchange, PATIENCE};
use std::time::{Duration, Instant};

#[test]
fn row_56_a_clean_end_and_the_connection_reused() {
    let server = serve("max", &[("/a", b"data: 1\n\n"), ("/b", b"data: 2\n\n@end\n\n")]);
    let mut client = Client::connect(server.address());
    for (path, data) in [("/a", "data: 1\n\n"), ("/b", "data: 2\n\n"), ("/a", "data: 1\n\n")] {
        client.get(path, "").read_head();
        assert_eq!((client.read_chunk().as_str(), client.read_chunk().as_str()), (data, ""));
    }
}

#[test]
fn row_57_a_clean_end_and_the_connection_closed() {
    for script in [&b"data: 1\n\n@close\n"[..], b"@header Connection: close\ndata: 1\n\n"] {
        let server = serve("max", &[("/a", script)]);
        let mut client = Client::connect(server.address());
        let head = client.get("/a", "").read_head();
        assert_eq!(head.to_lowercase().matches("\r\nconnection: close\r\n").count(), 1, "{head}");
        assert_eq!(client.read_to_end(), "9\r\ndata: 1\n\n\r\n0\r\n\r\n");
    }
}

#[test]
fn row_58_the_connection_ends_without_a_last_chunk_between_events_or_inside_one() {
    for (script, wire) in [
        ("data: 1\n\n@drop\n", "9\r\ndata: 1\n\n\r\n"),
        ("data: 1\n\n@send data: 2\n@drop\n", "9\r\ndata: 1\n\n\r\n7\r\ndata: 2\r\n"),
        ("@open\n@drop\n", ""),
    ] {
        let answer = play(script, "max");
        assert_eq!(String::from_utf8_lossy(&answer.wire), wire);
        assert!(answer.clean, "it is an end, no reset");
        assert!(answer.head.starts_with("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n"));
    }
}

#[test]
fn row_59_a_cut_after_so_many_octets() {
    let answer = play("@drop after 512\n@repeat 100\ndata: {{i}}\n\n@again\n", "max");
    let (data, complete) = answer.data();
    assert_eq!((data.len(), complete, answer.clean), (512, false, true));
    let big = play("@drop after 2M\n@fill 5M x\n", "max");
    assert_eq!(big.data().0.len(), 2 << 20);
}

#[cfg(target_os = "linux")]
#[test]
fn row_60_a_reset_at_once_after_data_or_in_mid_chunk() {
    for (script, wire) in [
        ("@reset\n", ""),
        ("data: 1\n\n@sleep 100ms\n@reset\n", "9\r\ndata: 1\n\n\r\n"),
        ("@open\n@wire ff\\r\\ndata: half\n@sleep 100ms\n@reset\n", "ff\r\ndata: half"),
    ] {
        let server = serve("1", &[("/a", script.as_bytes())]);
        let start = Instant::now();
        let answer = Exchange::new(server.address(), request("GET", "/a", ""), PATIENCE);
        assert_eq!(String::from_utf8_lossy(&answer.wire), wire, "{script}");
        assert!(!answer.clean && start.elapsed() < Duration::from_secs(1), "{script}: no reset came");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn row_60_a_reset_after_a_body_was_read_is_one_too() {
    let server = serve("1", &[("/a", b"@on POST /a\n@sleep {{body}}\n@reset\n")]);
    let answer =
        Exchange::new(server.address(), request("POST", "/a", "Content-Length: 4\r\n") + "50ms", PATIENCE);
    assert!(!answer.clean && answer.wire.is_empty());
}

#[test]
fn row_61_closed_with_no_answer() {
    let answer = play("@sleep 50ms\n@drop\n", "1");
    assert_eq!((answer.head.as_str(), answer.wire.as_slice(), answer.clean), ("", &b""[..], true));
}

#[test]
fn a_hang_ends_when_the_client_closes_its_side_or_the_time_is_over() {
    let server = serve("1", &[("/ever", b"data: 1\n\n@hang\n"), ("/while", b"data: 1\n\n@hang 200ms\n")]);
    let mut client = Client::connect(server.address());
    let start = Instant::now();
    client.get("/ever", "").half_close();
    client.read_head();
    assert_eq!(client.read_to_end(), "9\r\ndata: 1\n\n\r\n");
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
    let start = Instant::now();
    let answer = Exchange::new(server.address(), request("GET", "/while", ""), PATIENCE);
    assert_eq!((answer.wire.as_slice(), answer.clean), (&b"9\r\ndata: 1\n\n\r\n"[..], true));
    assert!((190..450).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
}

#[test]
fn row_64_many_servers_on_free_ports_in_one_process() {
    let servers: Vec<_> =
        (0..5).map(|n| serve("max", &[("/a", format!("data: {n}\n\n").as_bytes())])).collect();
    for (n, server) in servers.iter().enumerate() {
        let answer = Exchange::new(server.address(), request("GET", "/a", ""), PATIENCE);
        assert_eq!(answer.chunks()[0], format!("data: {n}\n\n"));
    }
}
