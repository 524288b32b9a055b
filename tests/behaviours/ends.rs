//! How responses and connections end: cleanly, closed early, reset, left open or without a response.

use crate::support::{assert_takes, play, request, serve, Client, Exchange, PATIENCE};
use std::time::{Duration, Instant};

#[test]
fn a_connection_is_reused_after_a_complete_response() {
    let server = serve("max", &[("/a", b"data: 1\n\n"), ("/b", b"data: 2\n\n@end\n\n")]);
    let mut client = Client::connect(server.address());
    for (path, data) in [("/a", "data: 1\n\n"), ("/b", "data: 2\n\n"), ("/a", "data: 1\n\n")] {
        client.get(path, "").read_head();
        assert_eq!((client.read_chunk().as_str(), client.read_chunk().as_str()), (data, ""));
    }
}

#[test]
fn a_part_is_chosen_by_whether_the_connection_is_reused() {
    let server =
        serve("max", &[("/a", b"@part reused-connection\nagain\n@part no reused-connection\nnew\n")]);
    for _ in 0..2 {
        let mut client = Client::connect(server.address());
        for data in ["new\n", "again\n", "again\n"] {
            client.get("/a", "").read_head();
            assert_eq!((client.read_chunk().as_str(), client.read_chunk().as_str()), (data, ""));
        }
    }
}

#[test]
fn a_connection_can_be_closed_after_a_complete_response() {
    for script in [&b"data: 1\n\n@close\n"[..], b"@header Connection: close\ndata: 1\n\n"] {
        let server = serve("max", &[("/a", script)]);
        let mut client = Client::connect(server.address());
        let head = client.get("/a", "").read_head();
        assert_eq!(head.to_lowercase().matches("\r\nconnection: close\r\n").count(), 1, "{head}");
        assert_eq!(client.read_to_end(), "9\r\ndata: 1\n\n\r\n0\r\n\r\n");
    }
}

#[test]
fn a_connection_can_be_closed_between_events_or_inside_one_without_a_last_chunk() {
    for (script, wire) in [
        ("data: 1\n\n@drop\n", "9\r\ndata: 1\n\n\r\n"),
        ("data: 1\n\n@send data: 2\n@drop\n", "9\r\ndata: 1\n\n\r\n7\r\ndata: 2\r\n"),
        ("@open\n@drop\n", ""),
    ] {
        let response = play(script, "max");
        assert_eq!(String::from_utf8_lossy(&response.wire), wire);
        assert!(response.clean, "closed, not reset");
        assert!(response.head.starts_with("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n"));
    }
}

#[test]
fn a_body_can_be_cut_after_a_number_of_bytes() {
    let response = play("@drop after 512\n@repeat 100\ndata: {{i}}\n\n@again\n", "max");
    let (data, complete) = response.data();
    assert_eq!((data.len(), complete, response.clean), (512, false, true));
    let big = play("@drop after 2M\n@fill 5M x\n", "max");
    assert_eq!(big.data().0.len(), 2 << 20);
}

#[cfg(target_os = "linux")]
#[test]
fn a_connection_can_be_reset_at_once_after_data_or_in_the_middle_of_a_chunk() {
    for (script, wire) in [
        ("@reset\n", ""),
        ("data: 1\n\n@sleep 100ms\n@reset\n", "9\r\ndata: 1\n\n\r\n"),
        ("@open\n@wire ff\\r\\ndata: half\n@sleep 100ms\n@reset\n", "ff\r\ndata: half"),
    ] {
        let server = serve("1", &[("/a", script.as_bytes())]);
        let start = Instant::now();
        let response = Exchange::new(server.address(), request("GET", "/a", ""), PATIENCE);
        assert_eq!(String::from_utf8_lossy(&response.wire), wire, "{script}");
        let was_reset = !response.clean && !response.is_open;
        assert!(was_reset && start.elapsed() < Duration::from_secs(1), "{script}: no reset came");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_connection_can_be_reset_after_a_request_body_was_read() {
    let server = serve("1", &[("/a", b"@on POST /a\n@sleep {{body}}\n@reset\n")]);
    let response =
        Exchange::new(server.address(), request("POST", "/a", "Content-Length: 4\r\n") + "50ms", PATIENCE);
    assert!(!response.clean && !response.is_open && response.wire.is_empty());
}

#[test]
fn a_connection_can_be_closed_without_a_response() {
    let response = play("@sleep 50ms\n@drop\n", "1");
    assert_eq!((response.head.as_str(), response.wire.as_slice(), response.clean), ("", &b""[..], true));
}

#[test]
fn a_hang_ends_when_the_client_closes_its_side_or_the_time_has_passed() {
    let server = serve("1", &[("/ever", b"data: 1\n\n@hang\n"), ("/while", b"data: 1\n\n@hang 200ms\n")]);
    assert_takes(0..500, || {
        let mut client = Client::connect(server.address());
        let start = Instant::now();
        client.get("/ever", "").half_close();
        client.read_head();
        assert_eq!(client.read_to_end(), "9\r\ndata: 1\n\n\r\n");
        start.elapsed()
    });
    assert_takes(190..450, || {
        let start = Instant::now();
        let response = Exchange::new(server.address(), request("GET", "/while", ""), PATIENCE);
        assert_eq!((response.wire.as_slice(), response.clean), (&b"9\r\ndata: 1\n\n\r\n"[..], true));
        start.elapsed()
    });
}

#[test]
fn several_servers_run_on_free_ports_in_one_process() {
    let servers: Vec<_> =
        (0..5).map(|n| serve("max", &[("/a", format!("data: {n}\n\n").as_bytes())])).collect();
    for (n, server) in servers.iter().enumerate() {
        let response = Exchange::new(server.address(), request("GET", "/a", ""), PATIENCE);
        assert_eq!(response.chunks()[0], format!("data: {n}\n\n"));
    }
}
