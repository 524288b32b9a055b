//! Receives a request with its body.

use super::{CompleteRequest, Connection, Received, Refused};
use crate::http::body::BodyReader;
use crate::http::request::{HeadReader, Request};
use crate::http::status::RequestError;
use crate::script::catalogue::{Catalogue, Found};
use crate::server::body::Body;
use crate::server::internal::{self, guard};
use crate::server::socket::{ReceiveError, BODY_TIME};
use std::io::Write;
use std::time::Instant;

impl<'a> Connection<'a> {
    /// Receives a request with its whole body.
    ///
    /// Neither this method nor `respond` is inlined: they then use the same part of the stack, one after the other, which
    /// saves each client a page.
    #[inline(never)]
    pub(super) fn receive(&mut self, head_deadline: Instant) -> Received<'a> {
        let mut head = HeadReader::default();
        let received = self.incoming.receive(head_deadline, &mut |bytes| head.push(bytes));
        self.options = head.response_options();
        // No page of another origin may read what is under `/-/`.
        self.options.cors &= !internal::is_reserved(head.path());
        if matches!(received, Err(ReceiveError::Closed)) && head.is_empty() {
            return Ok(None);
        }
        let request = match received.and_then(|()| head.finish().map_err(ReceiveError::Invalid)) {
            Ok(request) => request,
            Err(error) => return Err(Refused { error, request: head.received() }),
        };
        let allowed = self.check_origin(&request).map_err(ReceiveError::Invalid);
        let scripts = self.shared.latest_scripts();
        match allowed.and_then(|()| self.receive_body(&request, &scripts)) {
            Ok(body) => Ok(Some(CompleteRequest { request, body, scripts })),
            Err(error) => Err(Refused { error, request: Some(request) }),
        }
    }

    /// Receives the body, and keeps it if something needs it: the script, the journal, or a path of the server.
    fn receive_body(&mut self, request: &Request, scripts: &Catalogue) -> Result<Body<'a>, ReceiveError> {
        let memory = &self.shared.body_memory;
        let mut body = memory.empty_body();
        let reader = BodyReader::new(request.body, memory.max_body as u64);
        let mut reader = reader.map_err(ReceiveError::Invalid)?;
        if reader.is_empty() {
            return Ok(body);
        }
        if request.expects_continue() {
            self.out().write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let found = self.find(scripts, request);
        let script_wants_it = matches!(found, Found::Script(script) if script.uses_body());
        let keeps = script_wants_it || self.shared.journal.is_on() || internal::is_reserved(request.path());
        self.incoming.receive(Instant::now() + BODY_TIME, &mut |bytes| {
            let mut kept = Ok(());
            let progress = reader.push(bytes, &mut |data| {
                if keeps && kept.is_ok() {
                    kept = body.push(data);
                }
            });
            kept.and(progress)
        })?;
        Ok(body)
    }

    /// Checks that no foreign web page has sent a request for one of the server's own paths, before its body is received.
    fn check_origin(&self, request: &Request) -> Result<(), RequestError> {
        if internal::is_reserved(request.path()) {
            guard::check(request, &self.shared.allowed_hosts)
        } else {
            Ok(())
        }
    }
}
