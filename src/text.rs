//! Text for people and programs: escaping, strings of JSON, suggestions.
//!
//! | module | what it does |
//! |---|---|
//! | [`json`] | strings of JSON |
//! | [`queue`] | from many threads to one |
//! | [`suggest`] | what messages say about a mistyped word |
//! | [`visible`] | bytes as text that cannot move a cursor |

pub mod json;
pub mod queue;
pub mod suggest;
pub mod visible;
