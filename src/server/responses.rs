//! The responses to requests that no script answers.

use crate::http::chunk::Framing;
use crate::http::field::{is_token, list_members};
use crate::http::request::Request;
use crate::http::response::{ResponseHead, ResponseOptions, StreamHead};
use crate::http::short_response::Response;
use crate::http::status::Status;
use crate::script::catalogue::Catalogue;

/// The head of a stream that no script sends.
pub(super) fn stream_head(
    framing: Framing,
    cache_control: &str,
    content_type: &str,
    options: ResponseOptions,
) -> StreamHead {
    let mut head = ResponseHead::new(Status::OK, b"OK");
    head.framing(framing);
    head.field("cache-control", cache_control.as_bytes());
    head.field("content-type", content_type.as_bytes());
    head.date();
    head.connection(options.close);
    StreamHead { bytes: head.finish(), framing, close: options.close }
}

/// The response to a method that no script answers at this path: `405 Method Not Allowed`, or what OPTIONS asks for.
pub(super) fn method_not_allowed(request: &Request, options: ResponseOptions, methods: &[&str]) -> Response {
    if request.method() == "OPTIONS" {
        return allowed_methods(request, options, methods);
    }
    let allow = allow(methods);
    let text = format!("405 Method Not Allowed: this path answers {allow}\n");
    Response::new(Status::METHOD_NOT_ALLOWED, text).field("allow", allow)
}

/// The response to a request for a path without a script, and without a file if there are files: `404 Not Found` with the
/// routes that exist, one on each line.
pub(super) fn not_found(
    request: &Request,
    options: ResponseOptions,
    catalogue: &Catalogue,
    has_files: bool,
) -> Response {
    // The script of a web page is to see the 404 of its request, not a preflight that failed.
    let is_preflight = options.cors || request.path() == b"*";
    if request.method() == "OPTIONS" && is_preflight {
        return allowed_methods(request, options, &["GET"]);
    }
    let (problem, routes) = match catalogue.routes_at(request.path()) {
        routes if routes.is_empty() && has_files => {
            ("no script and no file at this path", catalogue.routes())
        }
        routes if routes.is_empty() => ("no script at this path", catalogue.routes()),
        routes => ("no script at this path with this query", routes),
    };
    let available = if routes.is_empty() { "there is none" } else { "available:" };
    Response::new(Status::NOT_FOUND, format!("404 Not Found: {problem}; {available}\n{routes}"))
}

/// `204 No Content` with the methods that are answered; to a CORS preflight (WHATWG Fetch, section 3.3.2) also with
/// permission for every field that it asks for.
fn allowed_methods(request: &Request, options: ResponseOptions, methods: &[&str]) -> Response {
    let allow = allow(methods);
    let response = Response::new(Status::NO_CONTENT, "").field("allow", allow.clone());
    if !options.cors {
        return response;
    }
    let response = response.field("access-control-allow-methods", allow);
    match request.field("access-control-request-headers") {
        Some(names) if list_members(names).all(is_token) => {
            response.field("access-control-allow-headers", names)
        }
        _ => response,
    }
}

/// The value of `allow`: GET includes HEAD, and every path answers OPTIONS.
fn allow(methods: &[&str]) -> String {
    let mut all: Vec<&str> = Vec::new();
    for &method in methods.iter().chain(&["OPTIONS"]) {
        let implied = if method == "GET" { "HEAD" } else { method };
        for method in [method, implied] {
            if !all.contains(&method) {
                all.push(method);
            }
        }
    }
    all.join(", ")
}

/// `200 OK` with a value in JSON.
pub(super) fn json(text: String) -> Response {
    Response::new(Status::OK, text).content_type("application/json")
}

/// `204 No Content` to a request that was carried out.
pub(super) fn done() -> Response {
    Response::new(Status::NO_CONTENT, "")
}

/// The redirect to another port of this server.
pub(super) fn at_another_port(request: &Request, port: u16) -> Response {
    let (host, _) = request.host_and_port().unwrap_or_default();
    let location = [b"http://", host, b":", port.to_string().as_bytes(), request.target()].concat();
    let text = "307 Temporary Redirect: this test case has another port\n";
    Response::new(Status::TEMPORARY_REDIRECT, text).field("location", location)
}

/// `404 Not Found` from a script none of whose parts answers the request.
pub(super) fn no_part() -> Response {
    Response::new(Status::NOT_FOUND, "404 Not Found: no @part of this script answers this request\n")
}

/// `204 No Content`, which tells an EventSource not to reconnect (WHATWG "Server-sent events", section 9.2.3).
pub(super) fn no_content() -> Response {
    Response::new(Status::NO_CONTENT, "").field("cache-control", "no-cache")
}

/// `400 Bad Request` to a request with an invalid value.
pub(super) fn invalid_value(reason: &str) -> Response {
    Response::new(Status::BAD_REQUEST, format!("400 Bad Request: {reason}\n"))
}
