//! Every server behaviour that the test suites of SSE clients need, each written as a script and asserted in bytes and,
//! where timing is the behaviour, in times.

#[path = "../support/mod.rs"]
mod support;

mod body;
mod cuts;
mod ends;
mod head;
mod request_values;
mod sequence;
mod verbatim;
