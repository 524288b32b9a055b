//! Tells the judge what a client does: in its test cases, and in scripts with `@expect`.

use super::Connection;
use crate::http::request::Request;
use crate::http::AfterResponse;
use crate::judge::run::CaseRun;
use crate::judge::verdicts::Verdicts;
use crate::script::context::RequestContext;
use crate::script::{Part, Script};
use std::io;

impl Connection<'_> {
    /// Plays the script of a test case, and tells the judge.
    #[inline(never)]
    pub(super) fn play_case(
        &self,
        run: &CaseRun,
        request: &Request,
        body: &[u8],
    ) -> io::Result<AfterResponse> {
        self.tap.record(&run.recording, request.head());
        run.request_began();
        let after = self.play(&run.script, request, body, &run.verdicts);
        run.response_ended();
        after
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
            verdicts.add(outcome);
        }
    }
}
