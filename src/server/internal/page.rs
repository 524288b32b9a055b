//! The pages: of the wire at `/`, and of the judge at `/-/judge`.

use crate::http::request::Request;
use crate::http::short_response::Response;
use crate::http::status::Status;
use crate::script::random::random_seed;
use crate::server::port::Ports;

/// A page: its document, which contains its style and its scripts.
struct Page {
    document: &'static str,
    /// Follows the style that both pages have.
    style: &'static str,
    /// Follow the scripts that both pages have. All share one global scope. Each uses only what those before it define.
    scripts: &'static [&'static str],
}

const STYLE: &str = include_str!("../pages/both/style.css");
const SCRIPTS: [&str; 2] = [include_str!("../pages/both/text.js"), include_str!("../pages/both/elements.js")];
const WIRE: Page = Page {
    document: include_str!("../pages/wire/document.html"),
    style: include_str!("../pages/wire/style.css"),
    scripts: &[
        include_str!("../pages/wire/head.js"),
        include_str!("../pages/wire/event_stream.js"),
        include_str!("../pages/wire/event_source.js"),
        include_str!("../pages/wire/pieces.js"),
        include_str!("../pages/wire/exchange.js"),
        include_str!("../pages/wire/matcher.js"),
        include_str!("../pages/wire/dispatched.js"),
        include_str!("../pages/wire/fetch_source.js"),
        include_str!("../pages/wire/turns.js"),
        include_str!("../pages/wire/session.js"),
        include_str!("../pages/wire/rows.js"),
        include_str!("../pages/wire/time_axis.js"),
        include_str!("../pages/wire/playback.js"),
        include_str!("../pages/wire/save.js"),
        include_str!("../pages/wire/introduction.js"),
        include_str!("../pages/wire/script_pane.js"),
        include_str!("../pages/wire/page.js"),
    ],
};
const JUDGE: Page = Page {
    document: include_str!("../pages/judge/document.html"),
    style: include_str!("../pages/judge/style.css"),
    scripts: &[
        include_str!("../pages/judge/table.js"),
        include_str!("../pages/judge/details.js"),
        include_str!("../pages/judge/browser.js"),
        include_str!("../pages/judge/page.js"),
    ],
};
/// A page may use only its own parts, and cannot insert text as HTML. It may connect to this server alone, which has other
/// ports for test cases. The nonce is new in each response, and marks the page's own scripts and style.
const POLICY: &str =
    "default-src 'none'; connect-src 'self'{ports}; img-src data:; script-src 'nonce-{nonce}'; \
    style-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'";

/// The page that shows what goes over the wire.
pub fn wire() -> Response {
    WIRE.response("")
}

/// The page that shows the results of test cases, some of which begin at other ports of this host.
pub(crate) fn judge(request: &Request, ports: &Ports) -> Response {
    let (host, _) = request.host_and_port().unwrap_or_default();
    // A policy cannot contain an IPv6 address (Content Security Policy Level 3, section 2.3.1).
    let host = if host.starts_with(b"[") { "*".into() } else { String::from_utf8_lossy(host) };
    JUDGE.response(&ports.for_cases().map(|port| format!(" http://{host}:{port}")).collect::<String>())
}

impl Page {
    /// The response with the whole page, which may connect to these ports as well.
    fn response(&self, ports: &str) -> Response {
        let nonce = format!("{:016x}{:016x}", random_seed(), random_seed());
        Response::new(Status::OK, self.html(&nonce))
            .content_type("text/html; charset=utf-8")
            .field("cache-control", "no-store")
            .field("referrer-policy", "same-origin")
            .field("x-content-type-options", "nosniff")
            .field("content-security-policy", POLICY.replace("{nonce}", &nonce).replace("{ports}", ports))
    }

    /// The document with its style and its scripts in place.
    fn html(&self, nonce: &str) -> String {
        let script = |text: &&str| format!("<script nonce=\"{nonce}\">\n{text}</script>\n");
        let scripts: String = SCRIPTS.iter().chain(self.scripts).map(script).collect();
        let style = format!("<style nonce=\"{nonce}\">\n{STYLE}\n{}</style>\n", self.style);
        self.document.replace("{style}\n", &style).replace("{scripts}\n", &scripts)
    }
}
