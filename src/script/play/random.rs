//! Chooses the random waits of `@sleep 80ms..120ms`. The generator is SplitMix64, because it takes a dozen lines and gives
//! the same numbers on every machine.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

/// A sequence of pseudo-random numbers.
#[derive(Clone, Copy, Debug)]
pub struct Random(u64);

impl Random {
    /// The sequence for this seed; every `stream` has another.
    pub fn new(seed: u64, stream: u64) -> Random {
        let mut random = Random(seed);
        Random(random.next() ^ stream)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A time from `least` to `most`.
    pub fn between(&mut self, least: Duration, most: Duration) -> Duration {
        if least == most {
            return least;
        }
        // 64 random bits are a fraction of 2^64.
        let above_least = ((most - least).as_nanos() * u128::from(self.next())) >> 64;
        least + Duration::from_nanos(above_least as u64)
    }
}

/// A seed that nobody can guess, because the keys of every `RandomState` are random.
pub fn random_seed() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_always_gives_the_same_times_and_all_are_in_the_range() {
        let (least, most) = (Duration::from_millis(80), Duration::from_millis(120));
        let sequence = |seed, stream| {
            let mut random = Random::new(seed, stream);
            (0..100).map(|_| random.between(least, most)).collect::<Vec<_>>()
        };
        assert_eq!(sequence(7, 1), sequence(7, 1));
        assert_ne!(sequence(7, 1), sequence(8, 1));
        assert_ne!(sequence(7, 1), sequence(7, 2));
        let all = sequence(7, 1);
        assert!(all.iter().all(|time| (least..=most).contains(time)));
        assert!(all.iter().max().unwrap() > &Duration::from_millis(115));
        assert!(all.iter().min().unwrap() < &Duration::from_millis(85));
    }
}
