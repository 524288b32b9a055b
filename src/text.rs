//! Text for people and programs: escaping, JSON strings, suggestions.
//!
//! | module | what it does |
//! |---|---|
//! | [`escape`] | makes text from outside safe to print |
//! | [`json`] | JSON strings |
//! | [`queue`] | from many threads to one |
//! | [`suggest`] | "did you mean" |

pub mod escape;
pub mod json;
pub mod queue;
pub mod suggest;
