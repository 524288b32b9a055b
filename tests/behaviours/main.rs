//! Every behaviour of a server that the test suites of SSE clients need, each written as a script, each asserted in bytes
//! and, where timing is the behaviour, in times. The numbers in the names are those of the list of behaviours that was
//! collected from such suites.

#[path = "../support/mod.rs"]
mod support;

mod body;
mod cuts;
mod ends;
mod head;
mod law;
mod sequence;
