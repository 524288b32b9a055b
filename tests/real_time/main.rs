//! What takes its real time: the limits, and the README's commands. Two tests, so that both cores wait at once.

#[path = "../support/mod.rs"]
mod support;

mod limits;
mod readme;
