//! Text for people and programs: escaping, JSON strings, suggestions.
//!
//! | module | what it does |
//! |---|---|
//! | [`escape`] | makes text from outside safe to print |
//! | [`json`] | JSON strings |
//! | [`error`] | the error type of the library |
//! | [`suggest`] | "did you mean" |

pub mod error;
pub mod escape;
pub mod json;
pub mod suggest;
