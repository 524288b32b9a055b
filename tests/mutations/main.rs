//! Random input for everything that parses: scripts, requests, event streams and chunked bodies. Nothing panics or runs
//! forever, and what comes out is what a simpler, independent implementation expects.
//!
//! A case is made from its number alone. `cargo test` tries a few thousand; this tries a million scripts, and a fifth as many
//! of everything else:
//!
//! ```sh
//! MUTATIONS=1000000 cargo test --release --test mutations -- --nocapture
//! ```
//!
//! A failure prints the number of its case. `FIRST_MUTATION=NUMBER MUTATIONS=1` tries that one alone.

#[path = "../support/mod.rs"]
mod support;

mod chunks;
mod interpreter;
mod requests;
mod scripts;
mod streams;

use std::time::{Duration, Instant};
use support::Random;

/// The longest time that a case takes, on a busy machine.
const LONGEST: Duration = Duration::from_secs(20);

/// Runs `MUTATIONS / divisor` cases, each with a random generator that belongs to its number.
fn try_cases(divisor: u64, mut try_case: impl FnMut(&mut Random)) {
    let first = number("FIRST_MUTATION", 0);
    let count = (number("MUTATIONS", 10_000) / divisor).max(1);
    for case in first..first + count {
        let _reporter = Reporter(case);
        let start = Instant::now();
        try_case(&mut Random(case));
        assert!(start.elapsed() < LONGEST, "took {:?}", start.elapsed());
    }
}

/// The value of an environment variable.
fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().unwrap())
}

/// Tells how to repeat the case that panics.
struct Reporter(u64);

impl Drop for Reporter {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("to repeat this case: FIRST_MUTATION={} MUTATIONS=1", self.0);
        }
    }
}

/// One of `choices`.
fn choose<'a, T: ?Sized>(random: &mut Random, choices: &[&'a T]) -> &'a T {
    choices[random.below(choices.len())]
}

/// Changes up to `most` places: bytes change, vanish or are repeated, and one of `insertions` is added.
fn damage(random: &mut Random, bytes: &mut Vec<u8>, most: usize, insertions: &[&[u8]]) {
    for _ in 0..=random.below(most) {
        let at = random.below(bytes.len() + 1);
        let end = (at + random.below(60)).min(bytes.len());
        match random.below(6) {
            0 if at < bytes.len() => bytes[at] = random.below(256) as u8,
            1 if random.below(4) == 0 => bytes.truncate(at),
            2 => drop(bytes.splice(at..(at + 1).min(bytes.len()), [])),
            3 => drop(bytes.splice(at..end, [])),
            4 => {
                let copy = bytes[at..end].to_vec();
                let to = random.below(bytes.len() + 1);
                bytes.splice(to..to, copy);
            }
            _ => drop(bytes.splice(at..at, choose(random, insertions).iter().copied())),
        }
    }
}

/// Cuts `bytes` in a random way: at every byte, into a few pieces, or not at all.
fn cut<'a>(random: &mut Random, mut bytes: &'a [u8]) -> Vec<&'a [u8]> {
    let longest = [1, 3, 20, 300, usize::MAX][random.below(5)];
    let mut pieces = Vec::new();
    while !bytes.is_empty() {
        let (piece, rest) = bytes.split_at((1 + random.below(longest)).min(bytes.len()));
        pieces.push(piece);
        bytes = rest;
    }
    pieces
}
