//! Tells the judge what a client does: in its test cases, and in scripts with `@expect`.

use super::Connection;
use crate::http::request::Request;
use crate::http::short_response::Response;
use crate::http::AfterResponse;
use crate::judge::run::CaseRun;
use crate::judge::verdicts::Verdicts;
use crate::script::context::RequestContext;
use crate::script::{Part, Script};
use crate::server::port::NO_PORT;
use crate::server::responses;
use crate::trace::secrets::is_secret;
use std::io;
use std::sync::Arc;

impl Connection<'_> {
    /// Plays the script of a test case, and tells the judge.
    #[inline(never)]
    pub(super) fn play_case(
        &self,
        run: &Arc<CaseRun>,
        request: &Request,
        body: &[u8],
    ) -> io::Result<AfterResponse> {
        if let Some(response) = self.elsewhere(run, request) {
            return self.send(&response, self.options);
        }
        self.tap.record(&run.recording, request.head());
        run.request_began();
        let after = self.play(&run.script, &self.shared.scripts.current(), request, body, &run.verdicts);
        run.response_ended();
        after
    }

    /// The response to a client that has to send its requests to another port.
    fn elsewhere(&self, run: &Arc<CaseRun>, request: &Request) -> Option<Response> {
        if !run.script.begins_elsewhere() {
            return None;
        }
        if run.result().is_some() {
            // Its port can belong to another case by now.
            return Some(responses::no_content());
        }
        let here = self.stream.local_addr().ok()?;
        match self.shared.ports.assign(run) {
            Some(port) if port == here.port() => None,
            Some(port) => Some(responses::at_another_port(request, port)),
            None => Some(Response::error(&NO_PORT)),
        }
    }

    /// Not inlined, so that scripts without `@expect` do not need its stack.
    #[inline(never)]
    pub(super) fn check_expectations(
        &self,
        script: &Script,
        part: &Part,
        context: RequestContext<'_>,
        verdicts: &Verdicts,
    ) {
        if let Some(skip) = &part.skip {
            let outcome = skip.outcome(&script.file, context);
            self.tap.expectation(&outcome.to_string(), || outcome.to_string());
            verdicts.add(outcome);
        }
        let of_requests = part.expectations.iter().filter(|expectation| expectation.report().is_none());
        for expectation in of_requests {
            let outcome = expectation.check(&script.file, context);
            self.tap.expectation(&outcome.to_string(), || {
                expectation.without_secrets(&outcome, context).to_string()
            });
            if verdicts.are_reported {
                verdicts.add(expectation.without(&outcome, context, is_secret));
            } else {
                verdicts.add(outcome);
            }
        }
    }
}
