//! Status codes with their reason phrases (RFC 9110, section 15), and the errors that are answered with one.

/// A `status-code` (RFC 9110, section 15), 200 to 999: a lower code is an interim response, which another one follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(pub u16);

impl Status {
    pub const OK: Status = Status(200);
    pub const NO_CONTENT: Status = Status(204);
    pub const RESET_CONTENT: Status = Status(205);
    pub const NOT_MODIFIED: Status = Status(304);
    pub const TEMPORARY_REDIRECT: Status = Status(307);
    pub const BAD_REQUEST: Status = Status(400);
    pub const FORBIDDEN: Status = Status(403);
    pub const NOT_FOUND: Status = Status(404);
    pub const METHOD_NOT_ALLOWED: Status = Status(405);
    pub const REQUEST_TIMEOUT: Status = Status(408);
    pub const CONTENT_TOO_LARGE: Status = Status(413);
    pub const URI_TOO_LONG: Status = Status(414);
    pub const EXPECTATION_FAILED: Status = Status(417);
    pub const UNPROCESSABLE_CONTENT: Status = Status(422);
    pub const REQUEST_HEADER_FIELDS_TOO_LARGE: Status = Status(431);
    pub const NOT_IMPLEMENTED: Status = Status(501);
    pub const SERVICE_UNAVAILABLE: Status = Status(503);
    pub const HTTP_VERSION_NOT_SUPPORTED: Status = Status(505);

    /// The reason phrase that RFC 9110 and RFC 6585 give; empty for a code that they do not define.
    pub fn reason(self) -> &'static str {
        match self.0 {
            200 => "OK",
            201 => "Created",
            202 => "Accepted",
            203 => "Non-Authoritative Information",
            204 => "No Content",
            205 => "Reset Content",
            206 => "Partial Content",
            300 => "Multiple Choices",
            301 => "Moved Permanently",
            302 => "Found",
            303 => "See Other",
            304 => "Not Modified",
            307 => "Temporary Redirect",
            308 => "Permanent Redirect",
            400 => "Bad Request",
            401 => "Unauthorized",
            402 => "Payment Required",
            403 => "Forbidden",
            404 => "Not Found",
            405 => "Method Not Allowed",
            406 => "Not Acceptable",
            407 => "Proxy Authentication Required",
            408 => "Request Timeout",
            409 => "Conflict",
            410 => "Gone",
            411 => "Length Required",
            412 => "Precondition Failed",
            413 => "Content Too Large",
            414 => "URI Too Long",
            415 => "Unsupported Media Type",
            416 => "Range Not Satisfiable",
            417 => "Expectation Failed",
            418 => "I'm a teapot",
            421 => "Misdirected Request",
            422 => "Unprocessable Content",
            425 => "Too Early",
            426 => "Upgrade Required",
            428 => "Precondition Required",
            429 => "Too Many Requests",
            431 => "Request Header Fields Too Large",
            451 => "Unavailable For Legal Reasons",
            500 => "Internal Server Error",
            501 => "Not Implemented",
            502 => "Bad Gateway",
            503 => "Service Unavailable",
            504 => "Gateway Timeout",
            505 => "HTTP Version Not Supported",
            511 => "Network Authentication Required",
            _ => "",
        }
    }

    /// An error with this status.
    pub const fn error(self, reason: &'static str) -> RequestError {
        RequestError { status: self, reason }
    }

    /// Whether a response with this status never has a body (RFC 9110, section 6.4.1).
    pub fn has_no_body(self) -> bool {
        matches!(self, Status::NO_CONTENT | Status::NOT_MODIFIED)
    }

    /// Whether a response with this status has no content. That of 205 ends after `content-length: 0` (RFC 9110, section
    /// 15.3.6).
    pub fn allows_no_content(self) -> bool {
        self.has_no_body() || self == Status::RESET_CONTENT
    }
}

/// Why a request cannot be accepted. The reason is a fixed text: no part of the request is ever echoed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestError {
    /// 400 to 505.
    pub status: Status,
    /// A few words for the body of the response.
    pub reason: &'static str,
}

/// `400 Bad Request` for this reason.
pub const fn bad_request(reason: &'static str) -> RequestError {
    Status::BAD_REQUEST.error(reason)
}
