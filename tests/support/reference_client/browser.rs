//! What browsers do in addition, in browser-only cases: they run in a page, whose origin is another one, and follow
//! CORS (WHATWG Fetch, section 3.3).

use super::{Client, Fault, Head};
use std::io;

/// The origin of the page.
pub const ORIGIN: &str = "http://page.test";

impl Client<'_> {
    /// Whether the client follows CORS (WHATWG Fetch, section 3.3), as browsers do.
    pub fn is_browser(&self) -> bool {
        ["/H28", "/H29", "/H30"].iter().any(|case| self.run.path().contains(case))
    }

    fn sends_credentials(&self) -> bool {
        self.run.path().ends_with("/H29")
    }

    /// The CORS check (WHATWG Fetch, section 4.10).
    pub fn allows_cors(&self, head: &Head) -> bool {
        match head.field("access-control-allow-origin") {
            None => self.has(Fault::ReadsAllOrigins),
            Some("*") => !self.sends_credentials() || self.has(Fault::AllowsEveryOriginWithCredentials),
            Some(origin) => {
                let allows_credentials = head.field("access-control-allow-credentials") == Some("true");
                origin == ORIGIN && (allows_credentials || !self.sends_credentials())
            }
        }
    }

    /// Whether the last event ID is not safe to send to another origin (WHATWG Fetch, section 2.2.2).
    pub fn needs_preflight(&self) -> bool {
        let id = &self.parser.last_event_id;
        self.is_browser() && (id.len() > 128 || id.contains('"')) && !self.has(Fault::SendsNoPreflight)
    }

    /// Returns whether the server allows the request.
    pub fn preflight(&self) -> io::Result<bool> {
        let fields =
            "Access-Control-Request-Method: GET\r\nAccess-Control-Request-Headers: last-event-id\r\n";
        let stream = self.send("OPTIONS", fields.as_bytes())?;
        let head = self.connection(stream).read_head(false)?;
        let allowed = head.field("access-control-allow-headers") == Some("last-event-id");
        Ok(self.allows_cors(&head) && allowed)
    }
}
