//! Answers requests that no script answers: with one of the server's own pages, or with an error.

use super::{Connection, Refused};
use crate::http::request::Request;
use crate::http::response::ResponseOptions;
use crate::http::short_response::Response;
use crate::http::AfterResponse;
use crate::server::clock::ClientClock;
use crate::server::internal::{self, Call, Reply};
use crate::server::responses;
use crate::server::static_files::{self, FoundFile};
use crate::server::stream_control::StreamControl;
use std::io;

impl Connection<'_> {
    /// Responds to something that is not an acceptable request, and closes the connection, because nobody can tell where
    /// the next request begins. Without a request to respond to, returns the error.
    pub(super) fn refuse(&self, refused: Refused) -> io::Result<AfterResponse> {
        let error = refused.error.into_request_error()?;
        if let Some(request) = &refused.request {
            self.journal.request_received(request, b"");
        }
        self.tap.rejected(error.reason);
        self.send(&Response::error(&error), ResponseOptions { close: true, ..self.options })
    }

    /// Responds to a request for a path at which scripts answer only these methods. Not inlined, so that its variables are
    /// not on the stack while a script plays.
    #[inline(never)]
    pub(super) fn respond_without_script(
        &self,
        request: &Request,
        body: &[u8],
        mut methods: Vec<&str>,
    ) -> io::Result<AfterResponse> {
        let Connection { shared, stream, options, .. } = *self;
        // No other website may read the page or a file, or find out which methods they answer.
        let internal_options = ResponseOptions { cors: false, ..options };
        let files = shared.static_files.as_ref().filter(|_| !internal::is_reserved(request.path()));
        let file = files.and_then(|files| files.find(request.path()));
        let has_file = file.is_some();
        if let (Some(file), "GET" | "HEAD") = (file, request.method()) {
            return self.send_file(file, request, internal_options);
        }
        if let Some(reply) = internal::reply(&Call { request, body, shared, stream, options }) {
            return self.send_reply(reply, internal_options);
        }
        let options = if methods.is_empty() { internal_options } else { options };
        methods.extend(internal::methods(request.path(), shared));
        methods.extend(has_file.then_some("GET"));
        if methods.is_empty() {
            return self.send_not_found(request);
        }
        self.send(&responses::method_not_allowed(request, options, &methods), options)
    }

    fn send_not_found(&self, request: &Request) -> io::Result<AfterResponse> {
        let Connection { shared, options, .. } = *self;
        let response = if internal::is_reserved(request.path()) {
            internal::not_found(shared)
        } else {
            let has_files = shared.static_files.is_some();
            responses::not_found(request, options, &shared.scripts.current(), has_files)
        };
        self.send(&response, options)
    }

    fn send_file(
        &self,
        file: FoundFile,
        request: &Request,
        options: ResponseOptions,
    ) -> io::Result<AfterResponse> {
        self.tap.sends_file();
        let reply = match file {
            FoundFile::File(file) => {
                Reply::Stream(file.head(options), Box::new(|head, body, _| file.send(head, body)))
            }
            FoundFile::Folder => {
                Reply::Response(static_files::redirect_to_folder(request.path(), request.query()))
            }
        };
        self.send_reply(reply, options)
    }

    fn send_reply(&self, reply: Reply, options: ResponseOptions) -> io::Result<AfterResponse> {
        // When nothing is unread, the clock can see that the client closes its side.
        self.incoming.discard_unread()?;
        match reply {
            Reply::Response(response) => self.send(&response, options),
            Reply::Stream(head, write) => self.send_stream(head, &StreamControl::internal(), write),
            Reply::Wait(wait) => {
                let control = StreamControl::internal();
                let clock = ClientClock::new(self.stream, &control, self.shared, self.tap);
                self.send_reply(wait(clock)?, options)
            }
            Reply::Stop(response) => {
                self.stops_server.set(true);
                self.send(&response, ResponseOptions { close: true, ..options })
            }
        }
    }
}
