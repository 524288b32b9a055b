//! Sends nothing: numbers for `@sleep 80ms..120ms`, out of SplitMix64, which needs a dozen lines and is the same on
//! every machine.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

/// A row of numbers that its seed determines.
#[derive(Clone, Copy, Debug)]
pub struct Random(u64);

impl Random {
    /// The row that belongs to these numbers.
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
        // A number of 64 bits is so many 2^64ths of the way from one to the other.
        let way = ((most - least).as_nanos() * u128::from(self.next())) >> 64;
        least + Duration::from_nanos(way as u64)
    }
}

/// A number that nobody outside can know: each `RandomState` has keys of its own.
pub fn random_seed() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_determines_the_row_and_all_of_it_lies_between() {
        let (least, most) = (Duration::from_millis(80), Duration::from_millis(120));
        let row = |seed, stream| {
            let mut random = Random::new(seed, stream);
            (0..100).map(|_| random.between(least, most)).collect::<Vec<_>>()
        };
        assert_eq!(row(7, 1), row(7, 1));
        assert_ne!(row(7, 1), row(8, 1));
        assert_ne!(row(7, 1), row(7, 2));
        let all = row(7, 1);
        assert!(all.iter().all(|time| (least..=most).contains(time)));
        assert!(all.iter().max().unwrap() > &Duration::from_millis(115));
        assert!(all.iter().min().unwrap() < &Duration::from_millis(85));
    }
}
