//! Text for people and programs (escaping, JSON, suggestions), and other things that all modules use.
//!
//! | module | what it does |
//! |---|---|
//! | [`error`] | the error type of the library |
//! | [`escape`] | makes text from outside safe to print |
//! | [`json`] | writes JSON |
//! | [`json_reader`] | reads single values from JSON |
//! | [`lock`] | locks a mutex |
//! | [`shared`] | bytes that several owners share |
//! | [`suggest`] | "did you mean" |

pub mod error;
pub mod escape;
pub mod json;
pub mod json_reader;
pub mod lock;
pub mod shared;
pub mod suggest;
