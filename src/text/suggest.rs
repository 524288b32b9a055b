//! Suggests the known word that a mistyped one was meant to be: "did you mean".

/// The candidate that differs from `word` least, if at most a third of its letters differ.
///
/// Differences are counted as insertions, removals and replacements of one byte, and exchanges of two neighbours (optimal
/// string alignment). The case of letters makes no difference.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = |candidate: &str| candidate.len().max(3) / 3;
    // Nothing is compared with a word that is much longer, which takes time and memory.
    let similar = candidates.into_iter().filter(|near| word.len().abs_diff(near.len()) <= most(near));
    let ranked = similar.map(|candidate| (distance(word, candidate), candidate));
    let (distance, best) = ranked.min_by_key(|(distance, _)| *distance)?;
    (distance <= most(best)).then_some(best)
}

/// ` (did you mean X?)` with the nearest candidate, or nothing.
pub fn hint<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, candidates).map_or_else(String::new, |best| format!(" (did you mean `{best}`?)"))
}

fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.to_ascii_lowercase().into_bytes(), b.to_ascii_lowercase().into_bytes());
    // `rows[i][j]` is the distance of the first `i` bytes of `a` and the first `j` bytes of `b`.
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_counts_changes_of_letters() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("same", "same"), 0);
    }

    #[test]
    fn only_a_near_word_is_suggested() {
        let words = ["sleep", "status", "header"];
        assert_eq!(nearest("slep", words), Some("sleep"));
        assert_eq!(nearest("headr", words), Some("header"));
        assert_eq!(nearest("SLEEP", words), Some("sleep"));
        assert_eq!(nearest("selep", words), Some("sleep"));
        assert_eq!(nearest("zebra", words), None);
        assert_eq!(hint("slep", words), " (did you mean `sleep`?)");
        assert_eq!(hint("zebra", words), "");
    }
}
