//! The page at `/`.

use crate::http::short_response::Response;
use crate::http::status::Status;
use crate::script::play::random::random_seed;

/// The page. `{nonce}` is replaced by a value made for each response, which marks its own script and style.
const PAGE: &str = include_str!("../page.html");
/// The page may use only what is part of it, and cannot insert text as HTML.
const POLICY: &str = "default-src 'none'; connect-src 'self'; img-src data:; script-src 'nonce-{nonce}'; \
    style-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'";

/// The page, whole.
pub fn page() -> Response {
    let nonce = format!("{:016x}{:016x}", random_seed(), random_seed());
    Response::new(Status::OK, PAGE.replace("{nonce}", &nonce))
        .content_type("text/html; charset=utf-8")
        .field("cache-control", "no-store")
        .field("referrer-policy", "same-origin")
        .field("x-content-type-options", "nosniff")
        .field("content-security-policy", POLICY.replace("{nonce}", &nonce))
}
