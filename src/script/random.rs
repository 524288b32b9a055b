//! Makes random choices: the waits of `@sleep 80ms..120ms`, `{{uuid}}`, `{{random:1..6}}` and the condition `chance`.
//! The generator is SplitMix64, because it takes a dozen lines and gives the same numbers on every machine.

use std::cell::Cell;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

/// A sequence of pseudo-random numbers.
#[derive(Clone, Debug)]
pub struct Random(Cell<u64>);

impl Random {
    /// The sequence for this seed; each `stream` has its own.
    pub fn new(seed: u64, stream: u64) -> Random {
        let random = Random(Cell::new(seed));
        Random(Cell::new(random.next() ^ stream))
    }

    fn next(&self) -> u64 {
        let mut mixed = self.0.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
        self.0.set(mixed);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A time from `least` to `most`.
    pub fn between(&self, least: Duration, most: Duration) -> Duration {
        if least == most {
            return least;
        }
        least + Duration::from_nanos(self.below((most - least).as_nanos()))
    }

    /// A number from `least` to `most`.
    pub fn number(&self, least: u64, most: u64) -> u64 {
        least + self.below(u128::from(most - least) + 1)
    }

    /// A number below `end`, which is at most 2^64.
    fn below(&self, end: u128) -> u64 {
        // 64 random bits are a fraction of 2^64.
        ((end * u128::from(self.next())) >> 64) as u64
    }

    /// A UUID of version 4, in which all bits but six are random (RFC 9562, section 5.4).
    pub fn uuid(&self) -> String {
        let (high, low) = (self.next() & !0xF000 | 0x4000, self.next() & (u64::MAX >> 2) | 1 << 63);
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            high >> 32,
            high >> 16 & 0xFFFF,
            high & 0xFFFF,
            low >> 48,
            low & 0xFFFF_FFFF_FFFF
        )
    }
}

/// An unpredictable seed, because the keys of every `RandomState` are random.
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
            let random = Random::new(seed, stream);
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

    #[test]
    fn numbers_reach_both_ends_of_their_range() {
        let random = Random::new(7, 1);
        let mut numbers: Vec<u64> = (0..200).map(|_| random.number(1, 6)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
        assert_eq!(random.number(5, 5), 5);
        assert!(random.number(0, u64::MAX) > 0);
    }

    #[test]
    fn a_uuid_contains_its_version_and_its_variant() {
        let random = Random::new(7, 1);
        let uuids: Vec<String> = (0..100).map(|_| random.uuid()).collect();
        for uuid in &uuids {
            let groups: Vec<usize> = uuid.split('-').map(str::len).collect();
            assert_eq!(groups, [8, 4, 4, 4, 12], "{uuid}");
            let (version, variant) = (uuid.as_bytes()[14], uuid.as_bytes()[19]);
            assert!(version == b'4' && b"89ab".contains(&variant), "{uuid}");
        }
        assert_ne!(uuids[0], uuids[1]);
    }
}
