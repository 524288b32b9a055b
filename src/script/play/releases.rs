//! Counts the releases of pauses that a stream has not reached yet.

use std::sync::Arc;

/// The names of the pauses, each with how often it may be passed.
#[derive(Debug, Default)]
pub(super) struct Releases(Vec<(Arc<str>, u64)>);

impl Releases {
    /// Lets the pause be passed once more.
    pub fn add(&mut self, name: Arc<str>) {
        match self.0.iter_mut().find(|(other, _)| *other == name) {
            Some((_, count)) => *count += 1,
            None => self.0.push((name, 1)),
        }
    }

    /// Whether the pause may be passed, once.
    pub fn take(&mut self, name: &str) -> bool {
        let release = self.0.iter_mut().find(|(other, count)| **other == *name && *count > 0);
        match release {
            Some((_, count)) => {
                *count -= 1;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_release_passes_one_pause_of_that_name() {
        let mut releases = Releases::default();
        ["a", "b", "a"].into_iter().for_each(|name| releases.add(name.into()));
        assert_eq!(
            ["a", "a", "a", "b", "c"].map(|name| releases.take(name)),
            [true, true, false, true, false]
        );
    }
}
